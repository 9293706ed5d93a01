#include "runtime/layers/layer.hpp"

#include <algorithm>

#include "runtime/memory/buffer.hpp"

namespace dwsep {
namespace {

void check_tensor(const char* name, const ConstTensor& t) {
  runtime::check_type(name, t.dtype, t.quantization);
  if (t.data == nullptr && !t.shape.empty()) runtime::reject(name, "a pointer", "null");
}

}  // namespace

Shape Layer::output_shape(const Shape& x) const {
  for (const std::int64_t size : {x.n, x.h, x.w, x.c}) {
    if (size < 0 || size > runtime::kLargestSize) runtime::reject("x", runtime::kSizesWanted, std::to_string(size));
  }
  return impl_->output_shape(x);
}

Plan Layer::plan(const Shape& x, int threads) const {
  static_cast<void>(output_shape(x));
  return impl_->plan(x, runtime::resolve_threads(threads));
}

void Layer::operator()(const ConstTensor& x, const Tensor& y, const ConstTensor* residual, int threads) const {
  const Shape out = output_shape(x.shape);
  if (y.shape != out) runtime::reject("y", "shape " + runtime::to_string(out), runtime::to_string(y.shape));
  if (residual != nullptr && residual->shape != out) {
    runtime::reject("residual", "shape " + runtime::to_string(out), runtime::to_string(residual->shape));
  }
  check_tensor("x", x);
  check_tensor("y", y);
  if (residual != nullptr) check_tensor("residual", *residual);
  if (out.empty()) return;
  const int team_size = impl_->useful_threads(x.shape, runtime::resolve_threads(threads));
  const runtime::Scratch scratch = runtime::thread_scratch(impl_->scratch_bytes(x.shape, team_size));
  runtime::parallel(team_size, [&](runtime::Team& team) { impl_->run(team, x, y, residual, scratch); });
}

namespace runtime {

bool evenly_spaced(const ConstTensor& t) {
  const Shape& s = t.shape;
  const bool rows = s.h == 1 || t.stride_h == s.w * t.stride_w;
  const bool images = s.n == 1 || t.stride_n == s.h * s.w * t.stride_w;
  return rows && images;
}

int worthwhile_threads(int threads, double flops, double bytes) {
  return static_cast<int>(std::clamp(estimated_seconds(flops, bytes) / 2e-6, 1.0, static_cast<double>(threads)));
}

double tensor_bytes(const Shape& s) { return static_cast<double>(sizeof(float)) * magnitude({s.n, s.h, s.w, s.c}); }

}  // namespace runtime
}  // namespace dwsep
