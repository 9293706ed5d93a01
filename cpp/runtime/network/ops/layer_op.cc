// A packed layer as a step of a network.
#include "runtime/network/ops/layer_op.hpp"

#include <cstring>
#include <stdexcept>
#include <utility>

#include "runtime/layers/layer.hpp"

namespace dwsep::runtime {
namespace {

/// An array as an image: rank 4 as it is, lower ranks as one image, or one row, of pixels. The caller merges higher ranks.
Shape image_shape(const Dims& d) {
  const int r = d.rank();
  return {r > 3 ? d[r - 4] : 1, r > 2 ? d[r - 3] : 1, r > 1 ? d[r - 2] : 1, d[r - 1]};
}

Tensor image(const Array& a) {
  const int r = a.shape.rank();
  const auto stride = [&](int axis) { return axis >= 0 ? a.strides[axis] : 0; };
  return {a.data, image_shape(a.shape), stride(r - 4), stride(r - 3), stride(r - 2), a.dtype, a.quantization};
}

std::string name_of(const Description& d) { return "node '" + d.name + "' (" + d.kind + ")"; }

/// Adds the node to messages of layers, which do not have it.
template <class F>
auto named(const std::string& node, const F& f) {
  try {
    return f();
  } catch (const std::invalid_argument& error) {
    if (std::strncmp(error.what(), node.c_str(), node.size()) == 0) throw;
    throw std::invalid_argument(node + ": " + error.what());
  }
}

class LayerOp final : public Op {
 public:
  LayerOp(const Description& d, std::shared_ptr<const PackedLayer> layer, std::vector<NamedWeights> weights, bool any_rank)
      : name_(name_of(d)),
        layer_(std::move(layer)),
        weights_(std::move(weights)),
        any_rank_(any_rank),
        integers_(d.reads_quantized()),
        output_(d.quantized_output()) {
    if (!integers_ && output_.quantization != nullptr) d.reject("to", "none where x is no int8 with a quantization", "one");
  }

  /// An int8 layer was made for the types of its inputs.
  ValueType infer_type(const Description& d, const std::vector<ValueType>& inputs) const override {
    return integers_ ? output_ : Op::infer_type(d, inputs);
  }

  Dims infer(const std::vector<Dims>& inputs) const override {
    if (inputs.empty() || inputs.size() > 2) reject(name_ + ": inputs", "1 or 2 arrays", std::to_string(inputs.size()));
    const Dims& x = inputs[0];
    if (any_rank_ ? x.rank() < 1 || x.rank() > 4 : x.rank() != 4) {
      reject(name_ + ": x", any_rank_ ? "1 to 4 axes" : "4 axes (N, H, W, C)", to_string(x));
    }
    const Shape y = named(name_, [&] { return layer_->output_shape(image_shape(x)); });
    Dims out{y.n, y.h, y.w, y.c};
    if (any_rank_) {
      out = x;
      out[x.rank() - 1] = y.c;
    }
    if (inputs.size() == 2 && inputs[1] != out) reject(name_ + ": residual", "the output's shape " + to_string(out), to_string(inputs[1]));
    return out;
  }

  std::int64_t scratch_bytes(const std::vector<Dims>& inputs, const Dims& /*output*/, int threads) const override {
    return layer_->scratch_bytes(image_shape(inputs[0]), threads);
  }

  bool takes_planes(const Dims& x) const override { return x.rank() == 4 && layer_->takes_planes(image_shape(x)); }
  bool makes_planes(const Dims& x) const override { return x.rank() == 4 && layer_->makes_planes(image_shape(x)); }

  void run(Team& team, const Operands& o, Scratch scratch) const noexcept override {
    const ConstTensor x = image(o.inputs[0]);
    const ChannelSteps steps{step_of(o.inputs[0]), step_of(o.output)};
    if (steps.x != 1 || steps.y != 1) return layer_->run_planes(team, x, image(o.output), steps, scratch);
    if (o.input_count == 1) return layer_->run(team, x, image(o.output), nullptr, scratch);
    const ConstTensor residual = image(o.inputs[1]);
    layer_->run(team, x, image(o.output), &residual, scratch);
  }

  std::unique_ptr<PreparedCall> prepare(const Operands& o, Scratch scratch) const override {
    const ConstTensor x = image(o.inputs[0]);
    if (step_of(o.inputs[0]) != 1 || step_of(o.output) != 1) return nullptr;
    if (o.input_count == 1) return layer_->prepare(x, image(o.output), nullptr, scratch);
    const ConstTensor residual = image(o.inputs[1]);
    return layer_->prepare(x, image(o.output), &residual, scratch);
  }

  double flops(const std::vector<Dims>& inputs, const Dims& /*output*/) const override {
    return layer_->plan(image_shape(inputs[0]), 1).flops;
  }
  std::string kernel(const std::vector<Dims>& inputs, int threads) const override {
    return layer_->plan(image_shape(inputs[0]), threads).kernel;
  }
  std::vector<NamedWeights> named_weights() const override { return weights_; }
  std::int64_t packed_bytes() const override { return layer_->packed_bytes(); }

 private:
  static std::int64_t step_of(const Array& a) { return a.shape.back() > 1 ? a.strides.back() : 1; }

  std::string name_;
  std::shared_ptr<const PackedLayer> layer_;
  std::vector<NamedWeights> weights_;
  bool any_rank_, integers_;
  ValueType output_;
};

}  // namespace

std::unique_ptr<const Op> layer_op(const Description& d, const std::function<std::shared_ptr<const PackedLayer>()>& make,
                                   std::vector<NamedWeights> weights, bool any_rank) {
  return std::make_unique<LayerOp>(d, named(name_of(d), make), std::move(weights), any_rank);
}

}  // namespace dwsep::runtime
