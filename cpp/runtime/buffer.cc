#include "runtime/buffer.hpp"

#include <new>

namespace dwsep::runtime {
namespace {
constexpr std::align_val_t kLine{64};
}

void AlignedDelete::operator()(float* p) const noexcept { ::operator delete(p, kLine); }

AlignedFloats aligned_floats(std::int64_t count) {
  if (count < 0 || count > (std::int64_t{1} << 60)) throw std::bad_alloc();
  return AlignedFloats(static_cast<float*>(::operator new(static_cast<std::size_t>(count) * sizeof(float), kLine)));
}

std::shared_ptr<float> shared_floats(std::int64_t count) { return {aligned_floats(count).release(), AlignedDelete()}; }

float* thread_scratch(std::int64_t count) {
  thread_local AlignedFloats buffer;
  thread_local std::int64_t size = 0;
  if (size < count) {
    buffer.reset();
    size = 0;
    buffer = aligned_floats(count);
    size = count;
  }
  return buffer.get();
}

}  // namespace dwsep::runtime
