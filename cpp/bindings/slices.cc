#include "bindings/slices.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <type_traits>

#include "dwsep/threads.hpp"
#include "runtime/layers/layer.hpp"

namespace dwsep::python {
namespace {

template <class AnyTensor>
AnyTensor images(AnyTensor t, std::int64_t first, std::int64_t count) {
  using Byte = std::remove_pointer_t<decltype(t.template as<char>())>;
  t.data = static_cast<Byte*>(t.data) + first * t.stride_n * size_of(t.dtype);
  t.shape.n = count;
  return t;
}

}  // namespace

double slow_seconds(double multiplications, const Shape& x, const Shape& y) {
  return runtime::estimated_seconds(2 * multiplications, runtime::tensor_bytes(x) + runtime::tensor_bytes(y));
}

void run_in_slices(const Layer& layer, const ConstTensor& x, const Tensor& y, const ConstTensor* residual, int threads, double slow,
                   const std::function<bool()>& proceed) {
  using clock = std::chrono::steady_clock;
  const std::int64_t team = threads > 0 ? threads : num_threads();
  double wanted = static_cast<double>(x.shape.n) * slice_seconds / slow;
  for (std::int64_t first = 0; first < x.shape.n;) {
    std::int64_t count = std::max(std::int64_t{1}, static_cast<std::int64_t>(wanted));
    if (count > team) count -= count % team;  // so that no thread idles
    count = std::min(count, x.shape.n - first);
    ConstTensor add;
    if (residual != nullptr) add = images(*residual, first, count);
    const clock::time_point start = clock::now();
    layer(images(x, first, count), images(y, first, count), residual != nullptr ? &add : nullptr, threads);
    const double took = std::chrono::duration<double>(clock::now() - start).count();
    first += count;
    if (first < x.shape.n && !proceed()) return;
    wanted = static_cast<double>(count) * std::clamp(slice_seconds / std::max(took, 1e-9), 0.1, 4.0);
  }
}

}  // namespace dwsep::python
