// Long calls in slices of their batch, so that Ctrl-C need not wait for the last image. Images do not depend on each other, and bits do
// not depend on the batch.
#pragma once

#include <functional>

#include "dwsep/layers.hpp"

namespace dwsep::python {

/// Between two checks for signals. Next to a busy Python thread each costs up to 5 ms, the interval after which it releases the GIL.
constexpr double slice_seconds = 0.08;

/// The time of a call on one thread at the speed of the slowest kernel.
double slow_seconds(double multiplications, const Shape& x, const Shape& y);

/// Runs the layer on some images after the other, and asks `proceed` in between. `slow` is the time of the whole batch by slow_seconds; how
/// many images the time for a slice is enough for is learned from the slices before.
void run_in_slices(const Layer& layer, const ConstTensor& x, const Tensor& y, const ConstTensor* residual, int threads, double slow,
                   const std::function<bool()>& proceed);

}  // namespace dwsep::python
