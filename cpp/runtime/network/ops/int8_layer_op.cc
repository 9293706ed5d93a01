// Convolutions of int8 as steps of a network: weights are int8 or uint8 with scales of their own, what the inputs stand for is known of
// them, and attributes say what the output is.
#include "runtime/layers/int8_layers.hpp"
#include "runtime/network/ops/layer_op.hpp"
#include "runtime/network/weights.hpp"

namespace dwsep::runtime {
namespace {

/// What such a step is made of. Refers to the description's arrays.
struct Parts {
  const RawWeights& weight;
  Quantization scales;
  const void* bias = nullptr;
  DType bias_dtype = DType::float32;
  std::vector<NamedWeights> weights;  ///< all of them, as they are: a file has them so
  ValueType output;
  std::shared_ptr<const Quantization> tabled;
  TensorTypes types;

  Parts(const Description& d, int rank, int outputs_from) : weight(array(d, "weight", rank)), output(d.quantized_output()) {
    if (size_of(weight.type.dtype) != 1) d.reject("weights 'weight'", "type int8 or uint8, as x is quantized", name_of(weight.type.dtype));
    std::int64_t outputs = 1;
    for (int i = outputs_from; i < rank; ++i) outputs *= weight.shape[i];
    weights.push_back({"weight", weight});
    set_scales(d, outputs);
    if (d.has_weights("bias")) {
      const RawWeights& b = d.vector("bias", outputs);
      bias = b.values.get();
      bias_dtype = b.type.dtype;
      weights.push_back({"bias", b});
    }
    set_types(d);
  }

 private:
  static const RawWeights& array(const Description& d, const std::string& key, int rank) {
    const RawWeights* const w = unpacked(d, key, rank);
    if (w == nullptr) {
      d.reject("weights '" + key + "'", "an unpacked array, as x is quantized", d.has_weights(key) ? "packed weights" : "none");
    }
    return *w;
  }

  void set_scales(const Description& d, std::int64_t outputs) {
    const RawWeights& s = array(d, "weight_scale", 1);
    const std::int64_t count = s.shape[0] == 1 ? 1 : outputs;
    const float* const scale = d.vector("weight_scale", count).as<float>();
    scales.scales.assign(scale, scale + count);
    weights.push_back({"weight_scale", s});
    if (d.has_weights("weight_zero_point")) {
      const RawWeights& z = d.vector("weight_zero_point", count);
      scales.zero_points.assign(z.as<std::int32_t>(), z.as<std::int32_t>() + count);
      weights.push_back({"weight_zero_point", z});
    } else {
      scales.zero_points.assign(static_cast<std::size_t>(count), 0);
    }
  }

  void set_types(const Description& d) {
    types.x = {d.inputs[0].dtype, d.inputs[0].quantization.get()};
    types.y = {output.dtype, output.quantization.get()};
    if (d.inputs.size() > 1) types.residual = {d.inputs[1].dtype, d.inputs[1].quantization.get()};
    if (d.inputs.size() > 1 && size_of(d.inputs[1].dtype) != 1)
      d.reject("residual", "type int8 or uint8, as x is quantized", name_of(d.inputs[1].dtype));
    if (!d.has_weights("table")) return;
    const RawWeights& table = d.vector("table", 256);
    tabled = d.quantization("tabled_");
    types.tabled = {DType::int8, tabled.get()};
    types.table = table.as<std::int8_t>();
    weights.push_back({"table", table});
  }
};

/// Fills what all filters have.
template <class Filter>
Filter filled(Filter f, const Parts& p) {
  f.weight = p.weight.values.get();
  f.dtype = p.weight.type.dtype;
  f.quantization = &p.scales;
  f.bias = p.bias;
  f.bias_dtype = p.bias_dtype;
  return f;
}

}  // namespace

std::unique_ptr<const Op> int8_depthwise_op(const Description& d) {
  const Parts p(d, 4, 2);
  const Dims& s = p.weight.shape;
  DepthwiseFilter f;
  f.kh = s[0];
  f.kw = s[1];
  f.channels = s[2];
  f.multiplier = s[3];
  const ConvOptions options = d.conv_options();
  const Activation activation = d.activation();
  return layer_op(
      d, [&] { return make_int8_depthwise(filled(f, p), options, activation, p.types); }, p.weights);
}

std::unique_ptr<const Op> int8_pointwise_op(const Description& d) {
  const Parts p(d, 2, 1);
  PointwiseFilter f;
  f.in = p.weight.shape[0];
  f.out = p.weight.shape[1];
  const Activation activation = d.activation();
  return layer_op(
      d, [&] { return make_int8_pointwise(filled(f, p), activation, p.types); }, p.weights, true);
}

std::unique_ptr<const Op> int8_standard_op(const Description& d) {
  const Parts p(d, 4, 3);
  const Dims& s = p.weight.shape;
  const std::int64_t groups = d.integer("groups", 1, std::int64_t{1} << 16);
  const Dims kernel = d.dims("kernel", 2, 1, std::int64_t{1} << 16);
  if (s[3] % groups != 0) d.reject("groups", "a divisor of the " + std::to_string(s[3]) + " output channels", std::to_string(groups));
  if (kernel != Dims{s[0], s[1]}) d.reject("kernel", "the weights' size " + to_string(Dims{s[0], s[1]}), to_string(kernel));
  StandardFilter f;
  f.kh = s[0];
  f.kw = s[1];
  f.in = s[2] * groups;
  f.out = s[3];
  f.groups = groups;
  const ConvOptions options = d.conv_options();
  const Activation activation = d.activation();
  return layer_op(
      d, [&] { return make_int8_standard(filled(f, p), options, activation, p.types); }, p.weights);
}

}  // namespace dwsep::runtime
