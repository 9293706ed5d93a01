#include "runtime/layers/layer.hpp"

#include <algorithm>

#include "runtime/memory/buffer.hpp"

namespace dwsep {
namespace {

/// The layer knows the quantization: a tensor may leave it out, but not have another.
void check_tensor(const char* name, const ConstTensor& t, const runtime::LayerTypes::Type& wanted) {
  if (wanted.dtype == DType::float32) {
    runtime::check_type(name, t.dtype, t.quantization);
  } else {
    if (t.dtype != wanted.dtype) runtime::reject(name, std::string("type ") + name_of(wanted.dtype), runtime::shown(t.dtype));
    if (t.quantization != nullptr && *t.quantization != *wanted.quantization) {
      runtime::reject(name, "no quantization, or that which the layer was made with", "another");
    }
  }
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
  const runtime::LayerTypes& types = impl_->types();
  if (residual != nullptr && types.x.quantization && !types.residual.quantization) {
    runtime::reject("residual", "none: the layer was made without a quantization of it", "one");
  }
  check_tensor("x", x, types.x);
  check_tensor("y", y, types.y);
  if (residual != nullptr) check_tensor("residual", *residual, types.residual);
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

double tensor_bytes(const Shape& s, DType type) { return static_cast<double>(size_of(type)) * magnitude({s.n, s.h, s.w, s.c}); }

const LayerTypes kFloatTypes;

}  // namespace runtime
}  // namespace dwsep
