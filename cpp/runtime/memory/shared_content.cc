#include "runtime/memory/shared_content.hpp"

#include <pthread.h>

#include <cstring>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace dwsep::runtime {
namespace {

struct Known {
  std::weak_ptr<const void> array;
  std::int64_t bytes;
};

/// All arrays that networks have. Never destroyed: threads may still load networks while the process exits.
struct Registry {
  std::mutex mutex;
  std::unordered_multimap<std::uint64_t, Known> arrays;
  std::size_t swept_at = 0;
};

Registry& registry() {
  static Registry* const all = new Registry;
  return *all;
}

/// A child of a fork would inherit the lock of a thread that it does not have.
[[maybe_unused]] const bool registry_survives_fork =
    pthread_atfork([] { registry().mutex.lock(); }, [] { registry().mutex.unlock(); }, [] { registry().mutex.unlock(); }) == 0;

/// Four chains, so that it runs at the speed of memory. Equal hashes are compared byte by byte.
std::uint64_t hash_of(const void* data, std::int64_t bytes) {
  constexpr std::uint64_t prime = 0x9E3779B97F4A7C15U;
  std::uint64_t chains[4] = {1, 2, 3, 4};
  const auto* p = static_cast<const char*>(data);
  auto left = static_cast<std::size_t>(bytes);
  for (; left >= sizeof(chains); left -= sizeof(chains), p += sizeof(chains)) {
    std::uint64_t words[4];
    std::memcpy(words, p, sizeof(words));
    for (int i = 0; i < 4; ++i) {
      const std::uint64_t product = (chains[i] ^ words[i]) * prime;
      chains[i] = (product << 31) | (product >> 33);
    }
  }
  std::uint64_t words[4] = {};
  std::memcpy(words, p, left);
  std::uint64_t hash = static_cast<std::uint64_t>(bytes);
  for (int i = 0; i < 4; ++i) hash = (hash ^ chains[i] ^ words[i]) * prime + (hash >> 29);
  return hash;
}

void sweep(Registry& r) {
  if (r.arrays.size() < 2 * r.swept_at + 64) return;
  for (auto i = r.arrays.begin(); i != r.arrays.end();) i = i->second.array.expired() ? r.arrays.erase(i) : std::next(i);
  r.swept_at = r.arrays.size();
}

}  // namespace

std::shared_ptr<const void> shared_content(std::shared_ptr<const void> array, std::int64_t bytes) {
  if (!pages_in_use() || bytes == 0) return array;
  const std::uint64_t hash = hash_of(array.get(), bytes);
  Registry& r = registry();
  std::shared_ptr<const void> same;
  {
    const std::lock_guard<std::mutex> lock(r.mutex);
    const auto range = r.arrays.equal_range(hash);
    for (auto i = range.first; i != range.second && same == nullptr; ++i) {
      if (i->second.bytes != bytes) continue;
      same = i->second.array.lock();
      if (same != nullptr && std::memcmp(same.get(), array.get(), static_cast<std::size_t>(bytes)) != 0) same.reset();
    }
    if (same == nullptr) {
      sweep(r);
      r.arrays.emplace(hash, Known{array, bytes});
    }
  }
  if (same == nullptr) return array;
  give_back(array, bytes);
  return same;
}

}  // namespace dwsep::runtime
