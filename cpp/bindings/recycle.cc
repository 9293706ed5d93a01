#include "bindings/recycle.hpp"

#include <pthread.h>
#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>

namespace dwsep::python {
namespace {

// From this size up blocks are mapped: the heap would not return them to the system.
constexpr std::size_t mapped = std::size_t{1} << 20;
constexpr std::size_t huge = std::size_t{2} << 20;
// A multiple of every system's page size: 16 KB on macOS, up to 64 KB on aarch64.
constexpr std::size_t any_page = std::size_t{64} << 10;

/// Whole pages; whole huge pages where that adds no more than a third, because touching one for the first time takes as long as
/// touching some fifty small ones (62 and 1.2 us on a virtual machine).
std::size_t rounded(std::size_t bytes) {
  if (bytes < Recycler::min_block) return bytes;
  const std::size_t unit = bytes < mapped ? Recycler::page : any_page;
  const std::size_t small = (bytes + unit - 1) / unit * unit, large = (bytes + huge - 1) / huge * huge;
  return large - small <= small / 3 ? large : small;
}

void* allocate(std::size_t capacity) {
  if (capacity < Recycler::min_block) return std::malloc(capacity);
  if (capacity < mapped) return std::aligned_alloc(Recycler::page, capacity);
  // Huge pages need an address that is a multiple of their size: map more, then unmap both ends.
  void* whole = mmap(nullptr, capacity + huge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (whole == MAP_FAILED) return nullptr;
  auto* start = static_cast<char*>(whole);
  const std::size_t before = huge - reinterpret_cast<std::uintptr_t>(start) % huge;
  munmap(start, before);
  if (before != huge) munmap(start + before + capacity, huge - before);
#ifdef MADV_HUGEPAGE
  madvise(start + before, capacity, MADV_HUGEPAGE);
#endif
  return start + before;
}

void release(Block block) {
  if (block.capacity < mapped) {
    std::free(block.memory);
  } else {
    munmap(block.memory, block.capacity);
  }
}

}  // namespace

Recycler recycler;

Block Recycler::take(std::size_t bytes) {
  if (bytes > PTRDIFF_MAX - 2 * huge) return {};
  const std::size_t capacity = rounded(bytes);
  if (Block block = find(capacity); block.memory != nullptr) return block;
  void* memory = allocate(capacity);
  if (memory == nullptr) {
    clear();
    memory = allocate(capacity);
  }
  return {memory, capacity};
}

void Recycler::give(Block block) {
  if (block.capacity < min_block || block.capacity > max_bytes) return release(block);
  std::array<Block, max_entries> dropped;
  std::size_t drops = 0;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    while (count_ - drops == max_entries || bytes_ + block.capacity > max_bytes) {
      bytes_ -= blocks_[drops].capacity;
      dropped[drops] = blocks_[drops];
      ++drops;
    }
    for (std::size_t i = drops; i < count_; ++i) blocks_[i - drops] = blocks_[i];
    count_ -= drops;
    blocks_[count_++] = block;
    bytes_ += block.capacity;
  }
  for (std::size_t i = 0; i < drops; ++i) release(dropped[i]);
}

std::size_t Recycler::bytes() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return bytes_;
}

void Recycler::clear() {
  std::array<Block, max_entries> dropped;
  std::size_t drops = 0;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    dropped = blocks_;
    drops = count_;
    count_ = bytes_ = 0;
  }
  for (std::size_t i = 0; i < drops; ++i) release(dropped[i]);
}

/// The newest block that fits and wastes at most an eighth.
Block Recycler::find(std::size_t capacity) {
  if (capacity < min_block) return {};
  const std::lock_guard<std::mutex> lock(mutex_);
  for (std::size_t i = count_; i-- > 0;) {
    const Block block = blocks_[i];
    if (block.capacity < capacity || block.capacity - capacity > capacity / 8) continue;
    for (std::size_t j = i + 1; j < count_; ++j) blocks_[j - 1] = blocks_[j];
    --count_;
    bytes_ -= block.capacity;
    return block;
  }
  return {};
}

void guard_recycler_against_fork() {
  pthread_atfork([] { recycler.lock(); }, [] { recycler.unlock(); }, [] { recycler.unlock(); });
}

}  // namespace dwsep::python
