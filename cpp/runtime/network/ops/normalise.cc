// Softmax and layer normalisation.
#include <cmath>

#include "runtime/dispatch.hpp"
#include "runtime/network/ops/int8_tensors.hpp"
#include "runtime/network/ops/loop_nest.hpp"

namespace dwsep::runtime {
namespace {

/// Calls f(offsets, rows) for a thread's part of the rows along the last axis of x and y.
template <class F>
void for_each_last(const Team& team, const Array& x, const Array& y, const F& f) {
  Dims shape = y.shape, x_strides = x.strides, y_strides = y.strides;
  const int last = shape.rank() - 1;
  shape[last] = 1;
  const LoopNest<2> nest(shape, {y_strides, x_strides});
  const auto rows = nest.row_strides(), columns = nest.column_strides();
  nest.part(team, [&](const std::array<std::int64_t, 2>& at, std::int64_t count, std::int64_t width) {
    if (width == 1) return f(x.as<float>() + at[1], rows[1], y.as<float>() + at[0], rows[0], count);
    for (std::int64_t r = 0; r < count; ++r) {
      f(x.as<float>() + at[1] + r * rows[1], columns[1], y.as<float>() + at[0] + r * rows[0], columns[0], width);
    }
  });
}

class Softmax final : public PlainOp {
 public:
  explicit Softmax(const Description& d)
      : PlainOp(d), axis_(d.integer("axis", -Dims::kMaxRank, Dims::kMaxRank - 1)), log_(d.has("log") && d.flag("log")) {}

  Dims infer(const std::vector<Dims>& inputs) const override {
    check_inputs(inputs, 1);
    axis_of(axis_, inputs[0].rank());
    return inputs[0];
  }

  bool by_rows(int rank) const override { return axis_ == -1 || axis_ + 1 == rank; }

  void run(Team& team, const Operands& o, Scratch) const noexcept override {
    const Array &x = o.inputs[0], &y = o.output;
    const int rank = y.shape.rank(), axis = static_cast<int>(axis_ < 0 ? axis_ + rank : axis_);
    const TensorKernels& kernels = active_kernels().tensor;
    if (axis + 1 == rank) {
      for_each_last(team, x, y, [&](const float* from, std::int64_t x_row, float* to, std::int64_t y_row, std::int64_t rows) {
        kernels.softmax({log_, from, to, x_row, y_row, rows, y.shape.back()});
      });
      return;
    }
    Dims shape = y.shape;
    shape[axis] = 1;
    const LoopNest<2> nest(shape, {y.strides, x.strides}, Columns::adjacent);
    const auto rows = nest.row_strides();
    nest.part(team, [&](const std::array<std::int64_t, 2>& at, std::int64_t count, std::int64_t columns) {
      for (std::int64_t r = 0; r < count; ++r) {
        kernels.softmax_steps({log_, x.as<float>() + at[1] + r * rows[1], y.as<float>() + at[0] + r * rows[0], x.strides[axis],
                               y.strides[axis], y.shape[axis], columns});
      }
    });
  }

  double flops(const std::vector<Dims>&, const Dims& y) const override { return 20.0 * static_cast<double>(y.count()); }

 private:
  std::int64_t axis_;
  bool log_;
};

class LayerNorm final : public PlainOp {
 public:
  explicit LayerNorm(const Description& d) : PlainOp(d), epsilon_(static_cast<float>(d.number("epsilon"))) {
    if (!(epsilon_ >= 0.0F) || std::isinf(epsilon_)) d.reject("epsilon", "a finite value of at least 0", std::to_string(epsilon_));
    const Weights* const found = d.find_weights("scale");
    const auto* raw = found == nullptr ? nullptr : std::get_if<RawWeights>(found);
    if (raw == nullptr || raw->shape.rank() != 1) d.reject("scale", "a vector of weights", raw == nullptr ? "none" : to_string(raw->shape));
    scale_ = *raw;
    shift_ = d.vector("shift", raw->shape[0]);
  }

  Dims infer(const std::vector<Dims>& inputs) const override {
    check_inputs(inputs, 1);
    const Dims& x = inputs[0];
    if (x.rank() == 0 || (x.back() != scale_.shape[0] && scale_.shape[0] != 1))
      reject("input", std::to_string(scale_.shape[0]) + " channels", to_string(x));
    return x;
  }

  void run(Team& team, const Operands& o, Scratch) const noexcept override {
    for_each_last(team, o.inputs[0], o.output, [&](const float* x, std::int64_t x_row, float* y, std::int64_t y_row, std::int64_t rows) {
      active_kernels().tensor.layer_norm(
          {x, scale_.as<float>(), shift_.as<float>(), y, x_row, y_row, rows, o.output.shape.back(), epsilon_, scale_.shape[0] == 1});
    });
  }

  double flops(const std::vector<Dims>&, const Dims& y) const override { return 8.0 * static_cast<double>(y.count()); }
  std::vector<NamedWeights> named_weights() const override {
    std::vector<NamedWeights> weights;
    weights.push_back({"scale", scale_});
    weights.push_back({"shift", shift_});
    return weights;
  }

 private:
  float epsilon_;
  RawWeights scale_, shift_;
};

std::unique_ptr<const Op> make_softmax(const Description& d) {
  if (computes_int8(d)) return make_int8_softmax(d);
  return std::make_unique<Softmax>(d);
}

constexpr AttributeSchema kSoftmaxAttributes[] = {
    {"axis", AttributeType::integer}, {"log", AttributeType::flag, Presence::optional}, kOutputType, kOutputScale, kOutputZero};
constexpr AttributeSchema kLayerNormAttributes[] = {{"epsilon", AttributeType::real}};
constexpr WeightsSchema kLayerNormWeights[] = {{"scale", 1}, {"shift", 1}};
constexpr OpSchema kNormaliseOps[] = {{"softmax", make_softmax, 1, 1, kSoftmaxAttributes},
                                      {"layer_norm", make<LayerNorm>, 1, 1, kLayerNormAttributes, kLayerNormWeights}};

}  // namespace

ConstSpan<OpSchema> normalise_ops() { return kNormaliseOps; }

}  // namespace dwsep::runtime
