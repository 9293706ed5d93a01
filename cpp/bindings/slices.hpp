// Long calls in slices of their batch, so that Ctrl-C need not wait for the last image. Images do not depend on each other, and bits do
// not depend on the batch.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "dwsep/layers.hpp"
#include "dwsep/threads.hpp"
#include "runtime/layers/layer.hpp"

namespace dwsep::python {

/// Between two looks for signals. Beside a busy Python thread each of them costs up to 5 ms, the time after which it gives up the GIL.
constexpr double slice_seconds = 0.08;

/// What a call takes on one thread at the speed of the least tuned kernel.
inline double slow_seconds(double multiplications, const Shape& x, const Shape& y) {
  return runtime::estimated_seconds(2 * multiplications, runtime::tensor_bytes(x) + runtime::tensor_bytes(y));
}

template <class AnyTensor>
AnyTensor images(AnyTensor t, std::int64_t first, std::int64_t count) {
  t.data = t.template as<float>() + first * t.stride_n;
  t.shape.n = count;
  return t;
}

/// Runs the layer on some images after the other, and asks `proceed` in between. `slow` is the time of the whole batch as told above; how
/// many images the time for a slice is enough for is learned from the slices before.
template <class Proceed>
void run_in_slices(const Layer& layer, const ConstTensor& x, const Tensor& y, const ConstTensor* residual, int threads, double slow,
                   const Proceed& proceed) {
  using clock = std::chrono::steady_clock;
  const std::int64_t team = threads > 0 ? threads : num_threads();
  double wanted = static_cast<double>(x.shape.n) * slice_seconds / slow;
  for (std::int64_t first = 0; first < x.shape.n;) {
    std::int64_t count = std::max(std::int64_t{1}, static_cast<std::int64_t>(wanted));
    if (count > team) count -= count % team;  // so that no thread waits for others' images
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
