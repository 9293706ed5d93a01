#include "runtime/memory/buffer.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <new>

namespace dwsep::runtime {
namespace {

constexpr std::int64_t kHugePage = std::int64_t{2} << 20, kChunk = 2 * kHugePage;

thread_local PageStore* store_in_use = nullptr;
thread_local AlignedMemory scratch;
thread_local std::int64_t scratch_bytes = 0;

}  // namespace

void AlignedDelete::operator()(void* p) const noexcept { std::free(p); }

AlignedMemory aligned_memory(std::int64_t bytes) {
  if (bytes < 0 || bytes >= kTooMany) throw std::bad_alloc();
  bytes = round_up(std::max<std::int64_t>(bytes, 1), kLineBytes);
  // To touch 1.97 MB first takes 0.1 ms in a huge page and 0.7 in small ones.
  if (const std::int64_t whole = round_up(bytes, kHugePage); whole - bytes <= bytes / 8) bytes = whole;
  const bool huge = bytes >= kHugePage;
  // Not aligned_alloc, which requires multiples of the alignment.
  void* memory = nullptr;
  if (::posix_memalign(&memory, static_cast<std::size_t>(huge ? kHugePage : kLineBytes), static_cast<std::size_t>(bytes)) != 0) {
    throw std::bad_alloc();
  }
#if defined(MADV_HUGEPAGE)
  // A hint: without huge pages ordinary ones are used. What does not fill one stays on ordinary pages.
  if (huge) static_cast<void>(::madvise(memory, static_cast<std::size_t>(bytes / kHugePage * kHugePage), MADV_HUGEPAGE));
#endif
  return AlignedMemory(static_cast<std::byte*>(memory));
}

AlignedMemory arena_memory(std::int64_t bytes) { return aligned_memory(bytes >= kHugePage / 2 ? std::max(bytes, kHugePage) : bytes); }

std::shared_ptr<std::byte> shared_memory(std::int64_t bytes) {
  if (store_in_use != nullptr) return store_in_use->take(bytes);
  return {arena_memory(bytes).release(), AlignedDelete()};
}

std::shared_ptr<std::byte> PageStore::take(std::int64_t bytes) {
  if (bytes > kChunk / 2) return {aligned_memory(bytes).release(), AlignedDelete()};
  if (bytes > left_) {
    chunk_ = {aligned_memory(kChunk).release(), AlignedDelete()};
    left_ = kChunk;
  }
  std::shared_ptr<std::byte> part(chunk_, chunk_.get() + (kChunk - left_));
  left_ -= round_up(bytes, kLineBytes);
  return part;
}

void PageStore::give_back(const void* part, std::int64_t bytes) {
  const std::int64_t taken = round_up(bytes, kLineBytes);
  if (chunk_ != nullptr && part == chunk_.get() + (kChunk - left_ - taken)) left_ += taken;
}

bool pages_in_use() { return store_in_use != nullptr; }

void give_back(const std::shared_ptr<const void>& part, std::int64_t bytes) {
  if (store_in_use != nullptr) store_in_use->give_back(part.get(), bytes);
}

PageScope::PageScope(PageStore& store) : before_(store_in_use) { store_in_use = &store; }
PageScope::~PageScope() { store_in_use = before_; }

Scratch thread_scratch(std::int64_t bytes) {
  if (scratch_bytes < bytes) {
    scratch.reset();
    scratch_bytes = 0;
    scratch = aligned_memory(bytes);
    scratch_bytes = bytes;
  }
  return Scratch(scratch.get());
}

}  // namespace dwsep::runtime
