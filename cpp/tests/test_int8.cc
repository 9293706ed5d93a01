// Layers of int8 by the C++ and the C interface: the same bits, those of plain loops, and refusals that name what is wrong.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "c_calls.hpp"
#include "check.hpp"
#include "dwsep/dwsep.hpp"

namespace {

using namespace dwsep;
using dwsep::test::Api;
using dwsep::test::check;

constexpr std::int64_t kIn = 19, kMiddle = 24, kOut = 37;
constexpr Shape kShape{2, 6, 5, kIn};

std::vector<std::int8_t> bytes(std::int64_t count, std::uint32_t seed) {
  std::vector<std::int8_t> v(static_cast<std::size_t>(count));
  std::uint32_t state = seed;
  for (std::int8_t& x : v) x = static_cast<std::int8_t>((state = state * 1664525U + 1013904223U) >> 24U);
  return v;
}

std::vector<float> scales_of(std::int64_t count) {
  std::vector<float> v(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < v.size(); ++i) v[i] = 0.002F + 0.0001F * static_cast<float>(i % 13);
  return v;
}

Quantization one(float scale, std::int32_t zero) { return {{scale}, {zero}, -1}; }
Quantization each(std::int64_t count) { return {scales_of(count), std::vector<std::int32_t>(static_cast<std::size_t>(count)), 0}; }

/// A Quantization for C, which refers to it.
dwsep_quantization c_of(const Quantization& q) {
  return {q.scales.data(), q.zero_points.data(), static_cast<std::int64_t>(q.scales.size()), q.axis};
}

const std::vector<std::int8_t> kX = bytes(kShape.n * kShape.h * kShape.w * kIn, 3), kExpand = bytes(kIn * kMiddle, 5),
                               kTaps = bytes(3 * 3 * kMiddle, 7), kMatrix = bytes(kMiddle * kOut, 9), kWide = bytes(kIn * kOut, 11),
                               kWindow = bytes(3 * 3 * kIn * kOut, 13), kSmallTaps = bytes(3 * 3 * kIn, 15);
const std::vector<std::int32_t> kBias(kOut, 321);
const Quantization kX1 = one(0.05F, -7), kY = one(0.11F, 9), kResidual = one(0.07F, 100), kExpanded = one(0.2F, -30),
                   kBetween = one(0.3F, 200);
const Quantization kOutScales = each(kOut), kMiddleScales = each(kMiddle), kInScales = each(kIn);

template <class T>
std::vector<T> run(const Layer& layer, const ConstTensor* residual) {
  const Shape shape = layer.output_shape(kShape);
  std::vector<T> y(static_cast<std::size_t>(shape.n * shape.h * shape.w * shape.c));
  layer(dense(kX.data(), kShape), dense(y.data(), shape), residual, 2);
  return y;
}

void pointwise_is_exact() {
  const TensorTypes types{{DType::int8, &kX1}, {DType::int8, &kY}, {DType::uint8, &kResidual}, {}, {}};
  const PointwiseFilter filter{kWide.data(), kIn, kOut, kBias.data(), DType::int8, DType::int32, &kOutScales};
  const PointwiseConv2D layer(filter, Activation::none(), types);
  const std::vector<std::int8_t> added = bytes(kShape.n * kShape.h * kShape.w * kOut, 19);
  const ConstTensor residual = dense(reinterpret_cast<const std::uint8_t*>(added.data()), {kShape.n, kShape.h, kShape.w, kOut});
  const std::vector<std::int8_t> y = run<std::int8_t>(layer, &residual);
  bool right = true;
  for (std::size_t p = 0; p < y.size() / kOut; ++p) {
    for (std::size_t c = 0; c < kOut; ++c) {
      std::int32_t sum = 321;
      for (std::size_t k = 0; k < kIn; ++k) sum += (kX[p * kIn + k] + 7) * kWide[k * kOut + c];
      const float product = static_cast<float>(sum) * (kX1.scales[0] * kOutScales.scales[c] / kY.scales[0]);
      const int stored = static_cast<std::uint8_t>(added[p * kOut + c]);
      const float other = static_cast<float>(stored - 100) * (kResidual.scales[0] / kY.scales[0]);
      const double steps = std::nearbyint(static_cast<double>(product + other)) + 9;
      right = right && y[p * kOut + c] == static_cast<std::int8_t>(std::clamp(steps, -128.0, 127.0));
    }
  }
  check(right, "pointwise gives the bits of plain loops");
}

/// Runs a C layer on kX and compares.
template <class T>
void same(Api& api, dwsep_status status, dwsep_layer* made, const Layer& wanted, const char* what) {
  if (status != DWSEP_OK) std::fprintf(stderr, "%s\n", api.message.data());
  check(status == DWSEP_OK && made != nullptr, what);
  if (made == nullptr) return;
  const std::vector<T> z = run<T>(wanted, nullptr);
  std::vector<T> y(z.size());
  const Shape out = wanted.output_shape(kShape);
  const auto dtype = static_cast<std::int32_t>(DTypeOf<T>::value);
  const dwsep_quantization q = c_of(kX1);
  const dwsep_shape shape{kShape.n, kShape.h, kShape.w, kIn};
  const dwsep_const_tensor x = {kX.data(), shape, kShape.h * kShape.w * kIn, kShape.w * kIn, kIn, DWSEP_INT8, &q};
  const dwsep_tensor to = {y.data(), {out.n, out.h, out.w, out.c}, out.h * out.w * out.c, out.w * out.c, out.c, dtype, nullptr};
  check(api.functions.run(made, &x, &to, nullptr, 1, api.message.data(), api.message.size()) == DWSEP_OK, what);
  check(std::memcmp(y.data(), z.data(), y.size() * sizeof(T)) == 0, what);
  api.functions.delete_layer(made);
}

/// The filters and types of both interfaces.
struct Both {
  dwsep_quantization x = c_of(kX1), y = c_of(kY), expanded = c_of(kExpanded), between = c_of(kBetween), out = c_of(kOutScales),
                     middle = c_of(kMiddleScales), in = c_of(kInScales);
  dwsep_tensor_types c_types{
      {DWSEP_INT8, &x}, {DWSEP_INT8, &y}, {DWSEP_FLOAT32, nullptr}, {DWSEP_INT8, &expanded}, {DWSEP_UINT8, &between}};
  TensorTypes types{{DType::int8, &kX1}, {DType::int8, &kY}, {}, {DType::int8, &kExpanded}, {DType::uint8, &kBetween}};

  dwsep_pointwise_filter c_wide{kWide.data(), kIn, kOut, kBias.data(), DWSEP_INT8, DWSEP_INT32, &out},
      c_expand{kExpand.data(), kIn, kMiddle, nullptr, DWSEP_INT8, DWSEP_FLOAT32, &middle},
      c_matrix{kMatrix.data(), kMiddle, kOut, kBias.data(), DWSEP_INT8, DWSEP_INT32, &out};
  dwsep_depthwise_filter c_taps{kTaps.data(), 3, 3, kMiddle, 1, nullptr, DWSEP_INT8, DWSEP_FLOAT32, &middle},
      c_small{kSmallTaps.data(), 3, 3, kIn, 1, nullptr, DWSEP_INT8, DWSEP_FLOAT32, &in};
  dwsep_standard_filter c_window{kWindow.data(), 3, 3, kIn, kOut, 1, nullptr, DWSEP_INT8, DWSEP_FLOAT32, &out};

  PointwiseFilter wide{kWide.data(), kIn, kOut, kBias.data(), DType::int8, DType::int32, &kOutScales},
      expand{kExpand.data(), kIn, kMiddle, nullptr, DType::int8, DType::float32, &kMiddleScales},
      matrix{kMatrix.data(), kMiddle, kOut, kBias.data(), DType::int8, DType::int32, &kOutScales};
  DepthwiseFilter taps{kTaps.data(), 3, 3, kMiddle, 1, nullptr, DType::int8, DType::float32, &kMiddleScales},
      small{kSmallTaps.data(), 3, 3, kIn, 1, nullptr, DType::int8, DType::float32, &kInScales};
  StandardFilter window{kWindow.data(), 3, 3, kIn, kOut, 1, nullptr, DType::int8, DType::float32, &kOutScales};
};

void c_gives_the_same() {
  Api api;
  const dwsep_api& f = api.functions;
  const Both b;
  const dwsep_activation c_silu{DWSEP_SILU, 0, 0};
  const Activation silu{ActivationKind::silu}, none = Activation::none();
  dwsep_tensor_types c_real = b.c_types;
  c_real.y = {DWSEP_FLOAT32, nullptr};
  TensorTypes real = b.types;
  real.y = {};
  char* const text = api.message.data();
  const std::size_t size = api.message.size();
  dwsep_layer* layer = nullptr;

  dwsep_status status = f.new_int8_pointwise(&b.c_wide, nullptr, &b.c_types, &layer, text, size);
  same<std::int8_t>(api, status, layer, PointwiseConv2D(b.wide, none, b.types), "pointwise");
  status = f.new_int8_pointwise(&b.c_wide, &c_silu, &c_real, &layer, text, size);
  same<float>(api, status, layer, PointwiseConv2D(b.wide, silu, real), "pointwise to float32");
  status = f.new_int8_depthwise(&b.c_small, nullptr, &c_silu, &b.c_types, &layer, text, size);
  same<std::int8_t>(api, status, layer, DepthwiseConv2D(b.small, {}, silu, b.types), "depthwise");
  status = f.new_int8_standard(&b.c_window, nullptr, nullptr, &b.c_types, &layer, text, size);
  same<std::int8_t>(api, status, layer, Conv2D(b.window, {}, none, b.types), "standard");
  status = f.new_int8_separable(&b.c_small, &b.c_wide, nullptr, nullptr, nullptr, &b.c_types, &layer, text, size);
  same<std::int8_t>(api, status, layer, SeparableConv2D(b.small, b.wide, {}, none, none, nullptr, b.types), "separable");
  status =
      f.new_int8_inverted_residual(&b.c_expand, &b.c_taps, &b.c_matrix, nullptr, nullptr, nullptr, nullptr, &b.c_types, &layer, text, size);
  same<std::int8_t>(api, status, layer, InvertedResidual(b.expand, b.taps, b.matrix, {}, none, none, none, nullptr, b.types),
                    "inverted residual");
}

void c_refuses() {
  Api api;
  const Both b;
  dwsep_layer* layer = nullptr;
  const auto refused = [&](const dwsep_pointwise_filter& filter, const dwsep_tensor_types* types, const char* begin) {
    const dwsep_status status = api.functions.new_int8_pointwise(&filter, nullptr, types, &layer, api.message.data(), api.message.size());
    check(api.refused(status, DWSEP_INVALID_ARGUMENT, begin, &layer), begin);
  };
  refused(b.c_wide, nullptr, "types:");
  dwsep_tensor_types types = b.c_types;
  types.x.quantization = nullptr;
  refused(b.c_wide, &types, "x quantization: need one for type int8, got none");
  types.x.dtype = 99;
  refused(b.c_wide, &types, "x.dtype:");
  dwsep_pointwise_filter filter = b.c_wide;
  filter.quantization = nullptr;
  refused(filter, &b.c_types, "weight quantization:");
  filter.quantization = &b.middle;
  refused(filter, &b.c_types, "weight quantization: need 1 scale or 37, one for each channel, got 24");
  dwsep_quantization half = b.out;
  half.zero_points = nullptr;
  filter.quantization = &half;
  refused(filter, &b.c_types, "filter.weight.quantization.zero_points: need a pointer");
}

/// The message that `body` throws.
template <class Body>
std::string refusal(const Body& body) {
  try {
    body();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

bool begins(const std::string& text, const char* with) {
  const bool right = text.rfind(with, 0) == 0;
  if (!right) std::fprintf(stderr, "got: %s\n", text.c_str());
  return right;
}

void wrong_layers_are_refused() {
  const Both b;
  const auto made = [&](const Quantization& x, const Quantization& y) {
    const TensorTypes types{{DType::int8, &x}, {DType::int8, &y}, {}, {}, {}};
    return refusal([&] { PointwiseConv2D(b.wide, Activation::none(), types); });
  };
  check(begins(made(one(0.0F, 0), kY), "x quantization: need scales that are finite and positive"), "a scale of 0");
  check(begins(made(one(INFINITY, 0), kY), "x quantization: need scales"), "an infinite scale");
  check(begins(made(kX1, one(NAN, 0)), "y quantization: need scales"), "a scale that is no number");
  check(begins(made(one(1.0F, 128), kY), "x quantization: need zero points from -128 to 127, got 128"), "a zero point");
  check(begins(made({{1.0F}, {}, -1}, kY), "x quantization: need as many zero points"), "no zero point");
  check(begins(made(one(1e-44F, 0), kY), "weight quantization: need scales whose product"), "a product of 0");
  check(begins(made(one(1e38F, 0), one(1e-38F, 0)), "y quantization: need scales that"), "scales too far apart");
  const TensorTypes only_y{{}, {DType::int8, &kY}, {}, {}, {}};
  const float number[] = {1.0F};
  const PointwiseFilter real{number, 1, 1, nullptr};
  check(begins(refusal([&] { PointwiseConv2D(real, Activation::none(), only_y); }), "y: need type float32, as x has, got int8"), "int8 y");
  const std::int32_t large[] = {2147483647};
  const std::int8_t weight[] = {1};
  const Quantization unit = one(1.0F, 0);
  const TensorTypes units{{DType::int8, &unit}, {}, {}, {}, {}};
  const PointwiseFilter overflows{weight, 1, 1, large, DType::int8, DType::int32, &unit};
  check(begins(refusal([&] { PointwiseConv2D(overflows, Activation::none(), units); }), "weight: need sums of at most 2^31 - 1"),
        "overflow");
}

void wrong_calls_are_refused() {
  const Both b;
  const PointwiseConv2D layer(b.wide, Activation::none(), b.types);
  const Shape out{kShape.n, kShape.h, kShape.w, kOut};
  std::vector<std::int8_t> y(static_cast<std::size_t>(out.n * out.h * out.w * out.c));
  const ConstTensor x = dense(kX.data(), kShape);
  const Tensor to = dense(y.data(), out);
  const ConstTensor residual = to;
  const auto call = [&](const ConstTensor& in, const Tensor& result, const ConstTensor* add) {
    return refusal([&] { layer(in, result, add); });
  };
  check(call(x, to, nullptr).empty(), "a right call");
  check(call(dense(kX.data(), kShape, &kX1), to, nullptr).empty(), "the layer's own quantization");
  check(begins(call(dense(kX.data(), kShape, &kY), to, nullptr), "x: need no quantization, or that which"), "another quantization");
  check(begins(call(x, to, &residual), "residual: need none"), "a residual without a quantization");
  const auto* const x_unsigned = reinterpret_cast<const std::uint8_t*>(kX.data());
  check(begins(call(dense(x_unsigned, kShape), to, nullptr), "x: need type int8, got uint8"), "uint8");
  auto* const y_unsigned = reinterpret_cast<std::uint8_t*>(y.data());
  check(begins(call(x, dense(y_unsigned, out), nullptr), "y: need type int8, got uint8"), "uint8 results");
}

}  // namespace

int main() {
  pointwise_is_exact();
  c_gives_the_same();
  c_refuses();
  wrong_layers_are_refused();
  wrong_calls_are_refused();
  return dwsep::test::summary("int8");
}
