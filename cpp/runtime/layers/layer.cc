#include "runtime/layers/layer.hpp"

#include <algorithm>
#include <new>

#include "runtime/dispatch.hpp"
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

void check_sizes(const Shape& x) {
  for (const std::int64_t size : {x.n, x.h, x.w, x.c}) {
    if (size < 0 || size > runtime::kLargestSize) runtime::reject("x", runtime::kSizesWanted, std::to_string(size));
  }
}

}  // namespace

Shape Layer::output_shape(const Shape& x) const {
  check_sizes(x);
  return impl_->output_shape(x);
}

Plan Layer::plan(const Shape& x, int threads) const {
  static_cast<void>(output_shape(x));
  return impl_->plan(x, runtime::resolve_threads(threads));
}

void Layer::operator()(const ConstTensor& x, const Tensor& y, const ConstTensor* residual, int threads) const {
  const runtime::Decision decision = runtime::LayerCall::decide(*this, x.shape, threads);
  const Shape& out = decision.y;
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
  runtime::LayerCall::run(*this, decision, x, y, residual);
}

namespace runtime {

Decision PackedLayer::decide(const Shape& x, int threads) const {
  const Decision* const first = first_.load(std::memory_order_acquire);
  // Useful threads are as many as there are, up to a number of the shape's: known where the first call's team was smaller than its threads,
  // else at least as large.
  const auto same_team = [threads](const Decision& d) { return threads >= d.team && (threads <= d.threads || d.team < d.threads); };
  if (first != nullptr && first->x == x && same_team(*first)) return *first;
  check_sizes(x);
  Decision d{x, output_shape(x), threads, 1, 0};
  if (d.y.empty()) return d;
  d.team = useful_threads(x, threads);
  d.scratch = scratch_bytes(x, d.team);
  if (first != nullptr) return d;
  if (const Decision* kept = new (std::nothrow) Decision(d), *none = nullptr;
      kept != nullptr && !first_.compare_exchange_strong(none, kept, std::memory_order_release, std::memory_order_relaxed)) {
    delete kept;
  }
  return d;
}

Decision LayerCall::decide(const Layer& layer, const Shape& x, int threads) { return layer.impl_->decide(x, resolve_threads(threads)); }

void LayerCall::run(const Layer& layer, const Decision& d, const ConstTensor& x, const Tensor& y, const ConstTensor* residual) {
  if (d.y.empty()) return;
  const Scratch scratch = thread_scratch(d.scratch);
  parallel(d.team, [&](Team& team) { layer.impl_->run(team, x, y, residual, scratch); });
}

bool evenly_spaced(const ConstTensor& t) {
  const Shape& s = t.shape;
  const bool rows = s.h == 1 || t.stride_h == s.w * t.stride_w;
  const bool images = s.n == 1 || t.stride_n == s.h * s.w * t.stride_w;
  return rows && images;
}

// Chosen by random layers of 5 to 15 us.
static double seconds_with_avx2(const Work& f, const Work& i) {
  return f.products / 60e9 + f.depthwise / 40e9 + i.products / 100e9 + i.depthwise / 25e9;
}

int worthwhile_threads(int threads, const Work& f, const Work& i, double bytes) {
  if (active_kernels().lanes != 8) return worthwhile_threads(threads, f.products + f.depthwise + i.products + i.depthwise, bytes);
  return worthwhile_threads(threads, 30e9 * seconds_with_avx2(f, i), bytes);
}

std::int64_t worthwhile_piece(const Work& f, const Work& i, std::int64_t total) {
  if (active_kernels().lanes != 8) return total;
  return static_cast<std::int64_t>(static_cast<double>(total) * std::min(4e-6 / seconds_with_avx2(f, i), 1.0)) + 1;
}

int worthwhile_threads(int threads, double flops, double bytes) {
  return static_cast<int>(std::clamp(estimated_seconds(flops, bytes) / 2e-6, 1.0, static_cast<double>(threads)));
}

double tensor_bytes(const Shape& s, DType type) { return static_cast<double>(size_of(type)) * magnitude(s.n, s.h, s.w, s.c); }

const LayerTypes kFloatTypes;

}  // namespace runtime
}  // namespace dwsep
