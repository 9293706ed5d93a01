// The C interface gives the bits of the C++ one, and refuses what it must with a message; statuses instead of exceptions.
#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

#include "c_calls.hpp"
#include "check.hpp"
#include "dwsep/c_api.h"
#include "dwsep/dwsep.hpp"

namespace {

using dwsep::test::Api;
using dwsep::test::check;
using dwsep::test::values;

constexpr std::int64_t kChannels = 19, kOut = 24;
constexpr dwsep::Shape kShape{2, 9, 7, kChannels};

const std::vector<float> kTaps = values(3 * 3 * kChannels), kWide = values(3 * 3 * kOut), kMatrix = values(kChannels * kOut),
                         kBack = values(kOut * kChannels), kBias = values(kOut), kStandard = values(3 * 3 * kChannels * kOut);
const dwsep_depthwise_filter kDepthwise = {kTaps.data(), 3, 3, kChannels, 1, kBias.data(), DWSEP_FLOAT32, DWSEP_FLOAT32, nullptr};
const dwsep_depthwise_filter kDepthwiseWide = {kWide.data(), 3, 3, kOut, 1, nullptr, DWSEP_FLOAT32, DWSEP_FLOAT32, nullptr};
const dwsep_pointwise_filter kPointwise = {kMatrix.data(), kChannels, kOut, kBias.data(), DWSEP_FLOAT32, DWSEP_FLOAT32, nullptr};
const dwsep_pointwise_filter kProject = {kBack.data(), kOut, kChannels, nullptr, DWSEP_FLOAT32, DWSEP_FLOAT32, nullptr};
const dwsep_standard_filter kConv = {kStandard.data(), 3, 3, kChannels, kOut, 1, nullptr, DWSEP_FLOAT32, DWSEP_FLOAT32, nullptr};
const std::vector<float> kReduceMatrix = values(kOut * 5), kExciteMatrix = values(5 * kOut), kSmall = values(kChannels * 5);
const dwsep_pointwise_filter kReduce = {kReduceMatrix.data(), kOut, 5, kBias.data(), DWSEP_FLOAT32, DWSEP_FLOAT32, nullptr},
                             kExcite = {kExciteMatrix.data(), 5, kOut, kBias.data(), DWSEP_FLOAT32, DWSEP_FLOAT32, nullptr};
const dwsep_pointwise_filter kNarrowReduce = {kSmall.data(), kChannels, 5, nullptr, DWSEP_FLOAT32, DWSEP_FLOAT32, nullptr},
                             kNarrowExcite = {kSmall.data(), 5, kChannels, nullptr, DWSEP_FLOAT32, DWSEP_FLOAT32, nullptr};
const dwsep_conv_options kOptions = {2, 1, 1, 2, DWSEP_PADDING_EXPLICIT, 1, 0, 2, 1};
const dwsep_activation kSilu = {DWSEP_SILU, 0, 0}, kRelu6 = {DWSEP_CLIP, 0, 6}, kSigmoid = {DWSEP_SIGMOID, 0, 0};
const dwsep_squeeze_excite kSqueezeExcite = {&kReduce, &kExcite, &kSilu, &kSigmoid},
                           kNarrow = {&kNarrowReduce, &kNarrowExcite, nullptr, nullptr};

// A caller that was compiled long ago finds every function where it was.
constexpr std::size_t place(int function) { return 8 + static_cast<std::size_t>(function) * sizeof(void*); }
static_assert(DWSEP_C_ABI == 1 && offsetof(dwsep_api, new_depthwise) == place(0) && offsetof(dwsep_api, run) == place(7));
static_assert(offsetof(dwsep_api, set_num_threads) == place(9) && offsetof(dwsep_api, run_network) == place(18));
static_assert(sizeof(dwsep_depthwise_filter) == 64 && sizeof(dwsep_conv_options) == 72 && sizeof(dwsep_const_tensor) == 80);
static_assert(sizeof(dwsep_sizes) == 72 && sizeof(dwsep_const_array) == 96 && sizeof(dwsep_value) == 120);

/// Runs a C layer and its C++ counterpart on the same input.
void same(Api& api, dwsep_layer* made, const dwsep::Layer& wanted, bool adds, const char* what) {
  check(made != nullptr, what);
  if (made == nullptr) return;
  const std::vector<float> x = values(kShape.n * kShape.h * kShape.w * kShape.c);
  const dwsep_shape shape{kShape.n, kShape.h, kShape.w, kShape.c};
  dwsep_shape out{};
  check(api.functions.output_shape(made, &shape, &out, nullptr, 0) == DWSEP_OK, what);
  const dwsep::Shape expected = wanted.output_shape(kShape);
  check(dwsep::Shape{out.n, out.h, out.w, out.c} == expected, what);
  const std::vector<float> residual = values(out.n * out.h * out.w * out.c);
  std::vector<float> y(residual.size()), z(residual.size());
  const dwsep_const_tensor in = {x.data(), shape, shape.h * shape.w * shape.c, shape.w * shape.c, shape.c, DWSEP_FLOAT32, nullptr};
  const dwsep_tensor to = {y.data(), out, out.h * out.w * out.c, out.w * out.c, out.c, DWSEP_FLOAT32, nullptr};
  const dwsep_const_tensor add = {residual.data(), out, to.stride_n, to.stride_h, to.stride_w, DWSEP_FLOAT32, nullptr};
  const dwsep::ConstTensor also = dwsep::dense(residual.data(), expected);
  const dwsep_status status = api.functions.run(made, &in, &to, adds ? &add : nullptr, 2, api.message.data(), api.message.size());
  check(status == DWSEP_OK && api.message[0] == '\0', what);
  wanted(dwsep::dense(x.data(), kShape), dwsep::dense(z.data(), expected), adds ? &also : nullptr);
  check(std::memcmp(y.data(), z.data(), y.size() * sizeof(float)) == 0, what);
  api.functions.delete_layer(made);
}

void same_bits() {
  Api api;
  const dwsep_api& f = api.functions;
  dwsep::ConvOptions o;
  o.stride_h = 2, o.dilation_w = 2;
  o.padding = {dwsep::Padding::Mode::explicit_, 1, 0, 2, 1};
  const dwsep::Activation silu{dwsep::ActivationKind::silu}, relu6 = dwsep::Activation::relu6(), none = dwsep::Activation::none();
  const dwsep::DepthwiseFilter depthwise{kTaps.data(), 3, 3, kChannels, 1, kBias.data()}, wide{kWide.data(), 3, 3, kOut, 1, nullptr};
  const dwsep::PointwiseFilter pointwise{kMatrix.data(), kChannels, kOut, kBias.data()}, project{kBack.data(), kOut, kChannels, nullptr};
  dwsep_layer* layer = nullptr;

  f.new_depthwise(&kDepthwise, nullptr, nullptr, &layer, nullptr, 0);
  same(api, layer, dwsep::DepthwiseConv2D(depthwise, {}, none), true, "depthwise, with the defaults");
  f.new_depthwise(&kDepthwise, &kOptions, &kSilu, &layer, nullptr, 0);
  same(api, layer, dwsep::DepthwiseConv2D(depthwise, o, silu), true, "depthwise");
  f.new_pointwise(&kPointwise, &kRelu6, &layer, nullptr, 0);
  same(api, layer, dwsep::PointwiseConv2D(pointwise, relu6), true, "pointwise");
  f.new_separable(&kDepthwise, &kPointwise, &kOptions, &kRelu6, &kSilu, nullptr, &layer, nullptr, 0);
  same(api, layer, dwsep::SeparableConv2D(depthwise, pointwise, o, relu6, silu), true, "separable");
  f.new_inverted_residual(&kPointwise, &kDepthwiseWide, &kProject, &kOptions, &kRelu6, &kSilu, nullptr, nullptr, &layer, nullptr, 0);
  same(api, layer, dwsep::InvertedResidual(pointwise, wide, project, o, relu6, silu, none), true, "inverted residual");
  const dwsep::PointwiseFilter reduce{kReduceMatrix.data(), kOut, 5, kBias.data()}, excite{kExciteMatrix.data(), 5, kOut, kBias.data()};
  const dwsep::SqueezeExcite factors{reduce, excite, silu, {dwsep::ActivationKind::sigmoid}};
  f.new_inverted_residual(&kPointwise, &kDepthwiseWide, &kProject, &kOptions, &kRelu6, &kSilu, nullptr, &kSqueezeExcite, &layer, nullptr,
                          0);
  same(api, layer, dwsep::InvertedResidual(pointwise, wide, project, o, relu6, silu, none, &factors), true,
       "inverted residual with squeeze-excite");
  const dwsep::SqueezeExcite narrow{{kSmall.data(), kChannels, 5, nullptr}, {kSmall.data(), 5, kChannels, nullptr}, none, none};
  f.new_separable(&kDepthwise, &kPointwise, &kOptions, &kRelu6, &kSilu, &kNarrow, &layer, nullptr, 0);
  same(api, layer, dwsep::SeparableConv2D(depthwise, pointwise, o, relu6, silu, &narrow), true, "separable with squeeze-excite");
  f.new_standard(&kConv, &kOptions, &kRelu6, &layer, nullptr, 0);
  same(api, layer, dwsep::Conv2D({kStandard.data(), 3, 3, kChannels, kOut, 1, nullptr}, o, relu6), true, "standard");
}

void refusals() {
  Api api;
  const dwsep_api& f = api.functions;
  char* const text = api.message.data();
  const std::size_t size = api.message.size();
  constexpr dwsep_status invalid = DWSEP_INVALID_ARGUMENT;
  auto* layer = reinterpret_cast<dwsep_layer*>(&api);  // must become null
  check(api.refused(f.new_depthwise(nullptr, nullptr, nullptr, &layer, text, size), invalid, "filter: ", &layer), "no filter");
  check(api.refused(f.new_depthwise(&kDepthwise, nullptr, nullptr, nullptr, text, size), invalid, "layer: "), "nowhere to put it");
  dwsep_depthwise_filter filter = kDepthwise;
  filter.weight = nullptr;
  check(api.refused(f.new_depthwise(&filter, nullptr, nullptr, &layer, text, size), invalid, "filter.weight: ", &layer), "no weights");
  filter = kDepthwise;
  filter.kh = -3;
  check(api.refused(f.new_depthwise(&filter, nullptr, nullptr, &layer, text, size), invalid, "filter height: ", &layer), "negative height");
  filter = kDepthwise;
  filter.dtype = DWSEP_INT8;
  check(
      api.refused(f.new_depthwise(&filter, nullptr, nullptr, &layer, text, size), invalid, "weights: need type float32, got int8", &layer),
      "int8 weights");
  filter.dtype = 7;
  check(api.refused(f.new_depthwise(&filter, nullptr, nullptr, &layer, text, size), invalid, "filter.dtype: need a dwsep_dtype, got 7",
                    &layer),
        "weights of an unknown type");
  filter = kDepthwise;
  filter.bias_dtype = DWSEP_INT32;
  check(api.refused(f.new_depthwise(&filter, nullptr, nullptr, &layer, text, size), invalid, "bias: need type float32, got int32", &layer),
        "an int32 bias");
  const float scale = 0.5F;
  const std::int32_t zero = 0;
  const dwsep_quantization scaled = {&scale, &zero, 1, -1};
  filter = kDepthwise;
  filter.quantization = &scaled;
  check(api.refused(f.new_depthwise(&filter, nullptr, nullptr, &layer, text, size), invalid, "filter.weight: need no quantization", &layer),
        "floats with a scale");
  dwsep_conv_options options = kOptions;
  options.padding = 4;
  check(api.refused(f.new_depthwise(&kDepthwise, &options, nullptr, &layer, text, size), invalid, "padding: ", &layer), "padding 4");
  options = kOptions;
  options.stride_w = 0;
  check(api.refused(f.new_depthwise(&kDepthwise, &options, nullptr, &layer, text, size), invalid, "stride: ", &layer), "stride 0");
  const dwsep_activation unknown = {8, 0, 0};
  check(api.refused(f.new_pointwise(&kPointwise, &unknown, &layer, text, size), invalid, "activation kind: ", &layer), "activation 8");
  dwsep_standard_filter conv = kConv;
  for (const std::int64_t groups : {-1, 0, 2}) {
    conv.groups = groups;
    check(api.refused(f.new_standard(&conv, nullptr, nullptr, &layer, text, size), invalid, "groups: ", &layer),
          "groups that do not divide");
  }
  check(api.refused(f.new_separable(&kDepthwise, &kPointwise, nullptr, nullptr, nullptr, &kSqueezeExcite, &layer, text, size), invalid,
                    "reduce_weight: ", &layer),
        "squeeze-excite of other channels");
  dwsep_squeeze_excite half = kSqueezeExcite;
  half.excite_filter = nullptr;
  check(api.refused(
            f.new_inverted_residual(&kPointwise, &kDepthwiseWide, &kProject, nullptr, nullptr, nullptr, nullptr, &half, &layer, text, size),
            invalid, "excite_filter: ", &layer),
        "half a squeeze-excite");
  check(api.refused(f.set_num_threads(-1, text, size), invalid, ""), "negative threads");

  check(f.new_pointwise(&kPointwise, nullptr, &layer, text, size) == DWSEP_OK, "a layer to call");
  std::vector<float> memory(4 * 4 * kOut);
  dwsep_const_tensor x = {memory.data(), {1, 4, 4, kChannels}, 0, 4 * kChannels, kChannels, DWSEP_FLOAT32, nullptr};
  dwsep_tensor y = {memory.data(), {1, 4, 4, kOut}, 0, 4 * kOut, kOut, DWSEP_FLOAT32, nullptr};
  check(api.refused(f.run(nullptr, &x, &y, nullptr, 1, text, size), invalid, "layer: "), "no layer");
  check(api.refused(f.run(layer, nullptr, &y, nullptr, 1, text, size), invalid, "x: "), "no x");
  check(api.refused(f.run(layer, &x, nullptr, nullptr, 1, text, size), invalid, "y: "), "no y");
  check(api.refused(f.run(layer, &x, &y, nullptr, -1, text, size), invalid, "threads: "), "-1 threads");
  y.shape.h = 5;
  check(api.refused(f.run(layer, &x, &y, nullptr, 1, text, size), invalid, "y: "), "a result of another shape");
  check(api.refused(f.run(layer, &x, &y, nullptr, 1, text, 4), invalid, "y: ") && std::strlen(text) == 3, "a message cut to fit");
  x.shape.w = -4;
  check(api.refused(f.run(layer, &x, &y, nullptr, 1, text, size), invalid, "x: "), "a negative size");
  x.shape.w = 4, y.shape.h = 4;
  x.dtype = DWSEP_UINT8;
  check(api.refused(f.run(layer, &x, &y, nullptr, 1, text, size), invalid, "x: need type float32, got uint8"), "bytes");
  x.dtype = -1;
  check(api.refused(f.run(layer, &x, &y, nullptr, 1, text, size), invalid, "x.dtype: need a dwsep_dtype, got -1"), "no type");
  x.dtype = DWSEP_FLOAT32, x.quantization = &scaled;
  check(api.refused(f.run(layer, &x, &y, nullptr, 1, text, size), invalid, "x: need no quantization"), "an input with a scale");
  x.quantization = nullptr, y.data = nullptr;
  check(api.refused(f.run(layer, &x, &y, nullptr, 1, text, size), invalid, "y: "), "no memory for the result");
  f.delete_layer(layer);
  f.delete_layer(nullptr);
  check(dwsep_get_api(0) == nullptr && dwsep_get_api(DWSEP_C_ABI + 1) == nullptr, "no other version");
}

void statuses() {
  const dwsep::PointwiseConv2D layer({kMatrix.data(), kChannels, kOut, nullptr}, dwsep::Activation::none());
  dwsep::Shape out;
  check(dwsep::try_output_shape(layer, kShape, &out).ok() && out.c == kOut, "a shape");
  const dwsep::Status s = dwsep::try_output_shape(layer, {1, 4, 4, 3}, &out);
  check(!s.ok() && s.code() == dwsep::StatusCode::invalid_argument && std::strncmp(s.message(), "x: ", 3) == 0, "a refusal");
  check(!dwsep::try_run(layer, {}, {}).ok(), "a refused call");
  const std::string lengthy(1000, 'a');
  const std::string accented = lengthy.substr(0, 250) + "\u00e9";
  check(std::strlen(dwsep::attempt([&] { throw std::runtime_error(accented); }).message()) == 250, "a character is not cut");
  check(std::strlen(dwsep::attempt([&] { throw std::runtime_error(lengthy); }).message()) == 251, "a long message is cut");
  check(dwsep::attempt([] { throw std::bad_alloc(); }).code() == dwsep::StatusCode::out_of_memory, "no memory");
  check(dwsep::attempt([] { throw 1; }).code() == dwsep::StatusCode::failure, "whatever else is thrown");
}

}  // namespace

int main() {
  same_bits();
  refusals();
  statuses();
  return dwsep::test::summary(("embedding on " + dwsep::isa()).c_str());
}
