// The interface behind the public Layer, and what all layers need.
#pragma once

#include "dwsep/layers.hpp"
#include "kernels/table.hpp"
#include "runtime/geometry.hpp"

namespace dwsep::runtime {

class PackedLayer {
 public:
  virtual ~PackedLayer() = default;
  virtual Shape output_shape(const Shape& x) const = 0;
  virtual bool takes_residual() const { return true; }
  /// Shapes were checked and no output is empty. `threads` is at least 1.
  virtual void run(const ConstTensor& x, const Tensor& y, const ConstTensor* residual, int threads) const = 0;
  virtual Plan plan(const Shape& x, int threads) const = 0;
};

/// [begin, end) of `total` equal parts, for one of `parts`.
struct Range {
  std::int64_t begin, end;
};
inline Range part_of(std::int64_t total, int part, int parts) { return {total * part / parts, total * (part + 1) / parts}; }

/// Whether the pixels of a tensor are evenly spaced, over all rows and images.
bool evenly_spaced(const ConstTensor& t);

/// A call shorter than about 4 us is not worth waking a second thread.
int worthwhile_threads(int threads, double flops, double bytes);

double tensor_bytes(const Shape& s);

}  // namespace dwsep::runtime
