#include "runtime/memory/buffer.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <new>

namespace dwsep::runtime {
namespace {

constexpr std::size_t kLine = kLineFloats * sizeof(float), kHugePage = std::size_t{2} << 20;
constexpr std::int64_t kChunkFloats = 2 * static_cast<std::int64_t>(kHugePage / sizeof(float));

thread_local PageStore* store_in_use = nullptr;
thread_local AlignedFloats scratch;
thread_local std::int64_t scratch_floats = 0;

std::size_t round_up_to(std::size_t bytes, std::size_t unit) { return (bytes + unit - 1) / unit * unit; }

}  // namespace

void AlignedDelete::operator()(float* p) const noexcept { std::free(p); }

AlignedFloats aligned_floats(std::int64_t count) {
  if (count < 0 || count > (std::int64_t{1} << 60)) throw std::bad_alloc();
  const std::size_t bytes = round_up_to(static_cast<std::size_t>(count) * sizeof(float), kLine);
  const bool huge = bytes >= kHugePage;
  // Not aligned_alloc, which wants whole multiples of the alignment.
  void* memory = nullptr;
  if (::posix_memalign(&memory, huge ? kHugePage : kLine, std::max(bytes, kLine)) != 0) throw std::bad_alloc();
  AlignedFloats floats(static_cast<float*>(memory));
#if defined(MADV_HUGEPAGE)
  // A wish: where the system has no huge pages, ordinary ones do. What does not fill one stays on ordinary pages.
  if (huge) static_cast<void>(::madvise(floats.get(), bytes / kHugePage * kHugePage, MADV_HUGEPAGE));
#endif
  return floats;
}

std::shared_ptr<float> shared_floats(std::int64_t count) {
  if (store_in_use != nullptr) return store_in_use->take(count);
  return {aligned_floats(count).release(), AlignedDelete()};
}

std::shared_ptr<float> PageStore::take(std::int64_t count) {
  if (count > kChunkFloats / 2) return {aligned_floats(count).release(), AlignedDelete()};
  if (count > left_) {
    chunk_ = {aligned_floats(kChunkFloats).release(), AlignedDelete()};
    left_ = kChunkFloats;
  }
  std::shared_ptr<float> part(chunk_, chunk_.get() + (kChunkFloats - left_));
  left_ -= (count + kLineFloats - 1) / kLineFloats * kLineFloats;
  return part;
}

PageScope::PageScope(PageStore& store) : before_(store_in_use) { store_in_use = &store; }
PageScope::~PageScope() { store_in_use = before_; }

float* thread_scratch(std::int64_t count) {
  if (scratch_floats < count) {
    scratch.reset();
    scratch_floats = 0;
    scratch = aligned_floats(count);
    scratch_floats = count;
  }
  return scratch.get();
}

}  // namespace dwsep::runtime
