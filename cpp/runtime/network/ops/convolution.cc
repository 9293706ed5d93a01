// Convolutions: what their steps read and hold.
#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/dispatch.hpp"
#include "runtime/layers/families.hpp"
#include "runtime/layers/stages.hpp"
#include "runtime/network/ops/layer_op.hpp"
#include "runtime/network/ops/ops.hpp"
#include "runtime/network/weights.hpp"

namespace dwsep::runtime {
namespace {

/// Squeeze-excite where the step has it, and adds its weights to the others.
std::optional<PackedSqueezeExcite> squeeze_excite_of(const Description& d, std::vector<NamedWeights>* weights) {
  if (!d.has_weights("reduce_weight")) return std::nullopt;
  PackedSqueezeExcite s{matrix_of(d, "reduce_weight", "reduce_bias"), matrix_of(d, "excite_weight", "excite_bias"), d.activation("reduce_"),
                        d.activation("excite_")};
  weights->push_back({"reduce_weight", s.reduce});
  weights->push_back({"excite_weight", s.excite});
  return s;
}

/// The weights (kh, kw, in / groups, out) of one group, as a matrix.
PackedMatrix group_of(const RawWeights& w, const float* bias, std::int64_t groups, std::int64_t group) {
  const std::int64_t columns = w.shape[3] / groups;
  return pack_matrix(w.as<float>() + group * columns, w.shape[3], bias == nullptr ? nullptr : bias + group * columns,
                     w.shape[0] * w.shape[1] * w.shape[2], columns, active_kernels());
}

/// Has a layer apply slopes to what is negative, one for each of its columns, where the step has them.
void take_slopes(const Description& d, std::vector<PackedMatrix>* groups, std::vector<NamedWeights>* weights) {
  if (!d.has_weights("slope")) return;
  const std::int64_t columns = groups->front().columns;
  const RawWeights& slopes = d.vector("slope", columns * static_cast<std::int64_t>(groups->size()));
  const float* first = slopes.as<float>();
  const std::int64_t repeats = slope_repeats(columns);
  for (PackedMatrix& m : *groups) {
    const std::shared_ptr<float> repeated = shared_array<float>(columns * repeats);
    for (std::int64_t i = 0; i < repeats; ++i) std::copy_n(first, columns, repeated.get() + i * columns);
    m.slopes = repeated;
    first += columns;
  }
  weights->push_back({"slope", slopes});
}

PackedMatrix with_slopes(const Description& d, PackedMatrix matrix, std::vector<NamedWeights>* weights) {
  std::vector<PackedMatrix> one{std::move(matrix)};
  take_slopes(d, &one, weights);
  return one.front();
}

/// Of weights whose type the schema leaves open.
void check_floats(const Description& d) {
  for (const char* const name : {"weight", "bias", "weight_scale", "weight_zero_point", "table"}) {
    const Weights* const found = d.find_weights(name);
    const auto* const w = found == nullptr ? nullptr : std::get_if<RawWeights>(found);
    if (found == nullptr || name == std::string("weight") || name == std::string("bias")) {
      if (w == nullptr || w->type.dtype == DType::float32) continue;
      d.reject("weights '" + std::string(name) + "'", "type float32, as x has", dwsep::name_of(w->type.dtype));
    }
    d.reject("weights '" + std::string(name) + "'", "none where x is no int8 with a quantization", "some");
  }
}

std::unique_ptr<const Op> make_depthwise_op(const Description& d) {
  if (d.reads_quantized()) return int8_depthwise_op(d);
  check_floats(d);
  const PackedDepthwise w = depthwise_of(d, "weight", "bias");
  const ConvOptions options = d.conv_options();
  const Activation activation = d.activation();
  return layer_op(d, [&] { return make_depthwise(w, options, activation); }, {{"weight", w}});
}

/// Weights of int8 where x is real: they are what they stand for once they are packed, and a file keeps the bytes.
std::unique_ptr<const Op> pointwise_of_bytes(const Description& d, const RawWeights& weight) {
  const std::int64_t in = weight.shape[0], out = weight.shape[1];
  const RawWeights* const scales = unpacked(d, "weight_scale", 1);
  if (scales == nullptr) d.reject("weights 'weight_scale'", "some, as weights are int8", "none");
  const std::int64_t step = scales->shape[0] == 1 ? 0 : 1;
  const float* const scale = d.vector("weight_scale", step == 0 ? 1 : out).as<float>();
  for (std::int64_t i = 0; i < scales->shape[0]; ++i) {
    if (!std::isfinite(scale[i]) || !(scale[i] > 0))
      d.reject("weights 'weight_scale'", "finite and positive numbers", std::to_string(scale[i]));
  }
  const auto* const stored = weight.as<std::int8_t>();
  const std::shared_ptr<float> values = shared_array<float>(in * out);
  for (std::int64_t i = 0; i < in * out; ++i) values.get()[i] = static_cast<float>(stored[i]) * scale[i % out * step];
  std::vector<NamedWeights> weights{{"weight", weight}, {"weight_scale", *scales}};
  const RawWeights* bias = nullptr;
  if (d.has_weights("bias")) {
    bias = &d.vector("bias", out);
    if (bias->type.dtype != DType::float32) d.reject("weights 'bias'", "type float32, as x has", name_of(bias->type.dtype));
    weights.push_back({"bias", *bias});
  }
  const PackedMatrix matrix = pack_matrix(values.get(), out, bias == nullptr ? nullptr : bias->as<float>(), in, out, active_kernels());
  const Activation activation = d.activation();
  return layer_op(
      d, [&] { return make_pointwise(matrix, activation); }, std::move(weights), true);
}

std::unique_ptr<const Op> make_pointwise_op(const Description& d) {
  if (d.reads_quantized()) return int8_pointwise_op(d);
  if (d.has_weights("weight")) {
    const RawWeights* const weight = unpacked(d, "weight", 2);
    if (weight != nullptr && weight->type.dtype == DType::int8) return pointwise_of_bytes(d, *weight);
  }
  check_floats(d);
  std::vector<NamedWeights> weights;
  const PackedMatrix w = with_slopes(d, matrix_of(d, "weight", "bias"), &weights);
  weights.push_back({"weight", w});
  const Activation activation = d.activation();
  return layer_op(
      d, [&] { return make_pointwise(w, activation); }, std::move(weights), true);
}

std::unique_ptr<const Op> block_op(const Description& d, bool expands) {
  PackedBlock b;
  std::vector<NamedWeights> weights;
  if (expands) {
    b.expand = matrix_of(d, "expand_weight", "expand_bias");
    weights.push_back({"expand_weight", *b.expand});
  }
  b.depthwise = depthwise_of(d, "depthwise_weight", "depthwise_bias");
  b.project = with_slopes(d, matrix_of(d, "weight", "bias"), &weights);
  weights.push_back({"depthwise_weight", b.depthwise});
  weights.push_back({"weight", b.project});
  b.squeeze_excite = squeeze_excite_of(d, &weights);
  b.options = d.conv_options();
  if (expands) b.expand_activation = d.activation("expand_");
  b.depthwise_activation = d.activation("depthwise_");
  b.activation = d.activation();
  return layer_op(
      d, [&] { return make_block(std::move(b)); }, std::move(weights));
}

std::unique_ptr<const Op> make_separable_op(const Description& d) { return block_op(d, false); }

std::unique_ptr<const Op> make_inverted_residual_op(const Description& d) { return block_op(d, true); }

/// Grouped filters are stored as one matrix for each group: "weight.0", "weight.1", ... Filters with one input channel in each group are
/// depthwise. The size of the filters, which these matrices lack, is an attribute.
std::unique_ptr<const Op> make_standard_op(const Description& d) {
  if (d.reads_quantized()) return int8_standard_op(d);
  check_floats(d);
  const std::int64_t groups = d.integer("groups", 1, std::int64_t{1} << 16);
  const Dims kernel = d.dims("kernel", 2, 1, std::int64_t{1} << 16);
  const std::int64_t kh = kernel[0], kw = kernel[1];
  const Weights* const found = d.find_weights("weight");
  std::vector<PackedMatrix> matrices;
  std::int64_t in = 0;
  if (const auto* w = found == nullptr ? nullptr : std::get_if<RawWeights>(found)) {
    const Dims& s = w->shape;
    if (s.rank() != 4 || s.count() < 1) d.reject("weight", "4 axes (KH, KW, Cin / groups, Cout), none of them empty", to_string(s));
    if (s[3] % groups != 0) d.reject("groups", "a divisor of the " + std::to_string(s[3]) + " output channels", std::to_string(groups));
    if (s[0] != kh || s[1] != kw) d.reject("kernel", "the weights' size " + to_string(Dims{s[0], s[1]}), to_string(kernel));
    in = s[2] * groups;
    const float* bias = d.has_weights("bias") ? d.vector("bias", s[3]).as<float>() : nullptr;
    for (std::int64_t g = 0; g < groups; ++g) matrices.push_back(group_of(*w, bias, groups, g));
  } else {
    for (std::int64_t g = 0; g < groups; ++g) matrices.push_back(matrix_of(d, "weight." + std::to_string(g), {}));
    in = matrices.front().k / (kh * kw) * groups;
    for (const PackedMatrix& m : matrices) {
      const bool same = m.k == matrices.front().k && m.columns == matrices.front().columns && m.k % (kh * kw) == 0;
      if (!same)
        d.reject("weight", "matrices of one shape, " + std::to_string(kh * kw) + " rows for each input channel",
                 to_string(Dims{m.k, m.columns}));
    }
  }
  std::vector<NamedWeights> weights;
  take_slopes(d, &matrices, &weights);
  for (std::size_t g = 0; g < matrices.size(); ++g) weights.push_back({"weight." + std::to_string(g), matrices[g]});
  const std::int64_t out = matrices.front().columns * groups;
  const ConvOptions options = d.conv_options();
  const Activation activation = d.activation();
  return layer_op(
      d, [&] { return make_standard(std::move(matrices), kh, kw, in, out, options, activation); }, std::move(weights));
}

constexpr AttributeSchema activation_of(const char* name) { return {name, AttributeType::activation, Presence::optional}; }
constexpr AttributeSchema kStride{"stride", AttributeType::pair}, kDilation{"dilation", AttributeType::pair};
constexpr AttributeSchema kPadding{"padding", AttributeType::sides}, kActivation = activation_of("activation");
constexpr AttributeSchema kDepthwiseActivation = activation_of("depthwise_activation");
constexpr AttributeSchema kReduceActivation = activation_of("reduce_activation"), kExciteActivation = activation_of("excite_activation");
constexpr AttributeSchema kTabledScale{"tabled_scale", AttributeType::reals, Presence::optional};
constexpr AttributeSchema kTabledZero{"tabled_zero_point", AttributeType::integers, Presence::optional};
constexpr AttributeSchema kPointwiseAttributes[] = {kActivation, kOutputType,  kOutputScale, kOutputZero,
                                                    kOutputAxis, kTabledScale, kTabledZero};
constexpr AttributeSchema kDepthwiseAttributes[] = {kStride,      kDilation,   kPadding,    kActivation,  kOutputType,
                                                    kOutputScale, kOutputZero, kOutputAxis, kTabledScale, kTabledZero};
constexpr AttributeSchema kStandardAttributes[] = {kStride,
                                                   kDilation,
                                                   kPadding,
                                                   {"groups", AttributeType::integer},
                                                   {"kernel", AttributeType::pair},
                                                   kActivation,
                                                   kOutputType,
                                                   kOutputScale,
                                                   kOutputZero,
                                                   kOutputAxis,
                                                   kTabledScale,
                                                   kTabledZero};
constexpr AttributeSchema kSeparableAttributes[] = {kStride,           kDilation,         kPadding,   kDepthwiseActivation,
                                                    kReduceActivation, kExciteActivation, kActivation};
constexpr AttributeSchema kInvertedResidualAttributes[] = {
    kStride,           kDilation,         kPadding,   activation_of("expand_activation"), kDepthwiseActivation,
    kReduceActivation, kExciteActivation, kActivation};
constexpr WeightsSchema kBias{"bias", 1, Presence::optional, kFloatsOrInt32};
constexpr WeightsSchema kScale{"weight_scale", 1, Presence::optional};
constexpr WeightsSchema kZero{"weight_zero_point", 1, Presence::optional, type_bit(DType::int32)};
constexpr WeightsSchema kTable{"table", 1, Presence::optional, type_bit(DType::int8)};
constexpr WeightsSchema kSlope{"slope", 1, Presence::optional};
constexpr WeightsSchema kMatrix[] = {{"weight", 2, Presence::required, kFloatsOrBytes}, kBias, kScale, kZero, kTable, kSlope};
constexpr WeightsSchema kFilters[] = {{"weight", 4, Presence::required, kFloatsOrBytes}, kBias, kScale, kZero, kTable};
constexpr WeightsSchema kStandardFilters[] = {{"weight", 4, Presence::required, kFloatsOrBytes}, kBias, kScale, kZero, kTable, kSlope};
constexpr WeightsSchema kSeparableWeights[] = {{"depthwise_weight", 4},
                                               {"depthwise_bias", 1, Presence::optional},
                                               {"reduce_weight", 2, Presence::optional},
                                               {"reduce_bias", 1, Presence::optional},
                                               {"excite_weight", 2, Presence::optional},
                                               {"excite_bias", 1, Presence::optional},
                                               {"weight", 2},
                                               {"bias", 1, Presence::optional},
                                               kSlope};
constexpr WeightsSchema kInvertedResidualWeights[] = {{"expand_weight", 2},
                                                      {"expand_bias", 1, Presence::optional},
                                                      {"depthwise_weight", 4},
                                                      {"depthwise_bias", 1, Presence::optional},
                                                      {"reduce_weight", 2, Presence::optional},
                                                      {"reduce_bias", 1, Presence::optional},
                                                      {"excite_weight", 2, Presence::optional},
                                                      {"excite_bias", 1, Presence::optional},
                                                      {"weight", 2},
                                                      {"bias", 1, Presence::optional},
                                                      kSlope};
constexpr OpSchema kConvolutionOps[] = {
    {"depthwise", make_depthwise_op, 1, 2, kDepthwiseAttributes, kFilters},
    {"pointwise", make_pointwise_op, 1, 2, kPointwiseAttributes, kMatrix},
    {"standard", make_standard_op, 1, 2, kStandardAttributes, kStandardFilters},
    {"separable", make_separable_op, 1, 2, kSeparableAttributes, kSeparableWeights},
    {"inverted_residual", make_inverted_residual_op, 1, 2, kInvertedResidualAttributes, kInvertedResidualWeights},
};

}  // namespace

ConstSpan<OpSchema> convolution_ops() { return kConvolutionOps; }

}  // namespace dwsep::runtime
