// Memory for weights and scratch: on cache lines, as large as was asked for, and no two pieces share a byte.
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "check.hpp"
#include "runtime/memory/buffer.hpp"
#include "runtime/sizes.hpp"

namespace {

using namespace dwsep::runtime;
using dwsep::test::check;

bool on_a_line(const void* p) { return reinterpret_cast<std::uintptr_t>(p) % kLineBytes == 0; }

/// Fills pieces of these sizes, one after the other, each with a value of its own.
void pieces(const std::vector<std::int64_t>& sizes) {
  std::vector<std::shared_ptr<std::byte>> memory;
  {
    PageStore store;
    const PageScope scope(store);
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      memory.push_back(shared_memory(sizes[i]));
      check(on_a_line(memory.back().get()), "a piece begins on a cache line");
      std::memset(memory.back().get(), static_cast<int>(i + 1), static_cast<std::size_t>(sizes[i]));
    }
  }
  // The store is gone: what was taken from it is not.
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    bool whole = true;
    for (std::int64_t k = 0; k < sizes[i]; ++k) whole = whole && memory[i].get()[k] == static_cast<std::byte>(i + 1);
    check(whole, "a piece keeps what was written to it");
  }
}

void stores() {
  constexpr std::int64_t kMega = 1 << 20;
  pieces({1, 63, 64, 65, 0, 1});
  pieces({kMega, kMega + 1, kMega, 2 * kMega, kMega - 1, kMega});
  pieces({3 * kMega, 3 * kMega, 100, 3 * kMega, 100});
  pieces({5 * kMega, 5 * kMega, 7 * kMega, 100});
}

void too_much() {
  for (const std::int64_t bytes : {std::int64_t{-1}, kTooMany, kTooMany * 2}) {
    bool refused = false;
    try {
      static_cast<void>(aligned_memory(bytes));
    } catch (const std::bad_alloc&) {
      refused = true;
    }
    check(refused, "more than any memory is no memory");
  }
  check(on_a_line(aligned_memory(0).get()), "nothing is something");
}

void scratch() {
  for (const std::int64_t bytes : {100, 5000, 200, 3000000, 5000}) {
    Scratch s = thread_scratch(bytes);
    float* const floats = s.take<float>(bytes / 4);
    check(on_a_line(floats), "scratch begins on a cache line");
    std::memset(floats, 1, static_cast<std::size_t>(bytes / 4 * 4));
  }
}

}  // namespace

int main() {
  stores();
  too_much();
  scratch();
  return dwsep::test::summary("memory");
}
