#include "bindings/make_layer.hpp"

#include <pybind11/cast.h>

#include <array>
#include <numeric>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "bindings/arrays.hpp"
#include "bindings/gil.hpp"
#include "bindings/messages.hpp"
#include "dwsep/cpu.hpp"

namespace dwsep::python {
namespace {

/// A Quantization of Python, with the type of what it describes.
struct Quantized {
  DType dtype;
  Quantization quantization;
};

std::optional<Quantized> quantized(const py::handle& object, const char* name) {
  if (object.is_none()) return std::nullopt;
  if (!py::hasattr(object, "_core")) reject(PyExc_TypeError, name, "a dwsep.Quantization or None", type_name(object.ptr()));
  const auto parts = object.attr("_core").cast<py::tuple>();  // dtype, scales, zero points
  Quantized q{parts[0].cast<std::string>() == "uint8" ? DType::uint8 : DType::int8, {}};
  for (const py::handle scale : parts[1].cast<py::tuple>()) q.quantization.scales.push_back(scale.cast<float>());
  for (const py::handle zero : parts[2].cast<py::tuple>()) q.quantization.zero_points.push_back(zero.cast<std::int32_t>());
  return q;
}

TensorType type_of(const std::optional<Quantized>& q) { return q ? TensorType{q->dtype, &q->quantization} : TensorType(); }

const void* dense_values(const py::handle& object, const char* name, int ndim, std::array<std::int64_t, 4>& sizes, DType type) {
  const RawArray& array = array_of(object.ptr(), name, type);
  if (array.nd != ndim || (array.flags & numpy_dense) != numpy_dense) {
    reject(PyExc_ValueError, name, "a C-contiguous array of " + std::to_string(ndim) + " axes",
           "shape " + shape_text(array.dimensions, array.nd));
  }
  for (int i = 0; i < ndim; ++i) sizes[static_cast<std::size_t>(i)] = array.dimensions[i];
  return array.data;
}

/// int32 or, without quantization always, float32.
DType bias_type(const py::handle& object, const std::optional<Quantized>& weight) {
  const bool integers = weight && is_array(object.ptr()) && is_native(raw(object.ptr()).descr, DType::int32);
  return integers ? DType::int32 : DType::float32;
}

const void* bias_values(const py::handle& object, std::int64_t channels, DType type = DType::float32) {
  if (object.is_none()) return nullptr;
  std::array<std::int64_t, 4> sizes{};
  const void* values = dense_values(object, "bias", 1, sizes, type);
  if (sizes[0] != channels) {
    reject(PyExc_ValueError, "bias", "shape (" + std::to_string(channels) + ",)", "(" + std::to_string(sizes[0]) + ",)");
  }
  return values;
}

DepthwiseFilter depthwise_filter(const py::handle& weights, const py::handle& bias, const std::optional<Quantized>& q) {
  std::array<std::int64_t, 4> s{};
  const auto [dtype, quantization] = type_of(q);
  const void* values = dense_values(weights, "depthwise weights", 4, s, dtype);
  const DType b = bias_type(bias, q);
  return {values, s[0], s[1], s[2], s[3], bias_values(bias, s[2] * s[3], b), dtype, b, quantization};
}

PointwiseFilter pointwise_filter(const py::handle& weights, const py::handle& bias, const std::optional<Quantized>& q = {}) {
  std::array<std::int64_t, 4> s{};
  const auto [dtype, quantization] = type_of(q);
  const void* values = dense_values(weights, "pointwise weights", 2, s, dtype);
  const DType b = bias_type(bias, q);
  return {values, s[0], s[1], bias_values(bias, s[1], b), dtype, b, quantization};
}

StandardFilter standard_filter(const py::handle& weights, const py::handle& bias, std::int64_t groups, const std::optional<Quantized>& q) {
  std::array<std::int64_t, 4> s{};
  const auto [dtype, quantization] = type_of(q);
  const void* values = dense_values(weights, "weights", 4, s, dtype);
  std::int64_t in = 0;
  if (groups < 1 || __builtin_mul_overflow(s[2], groups, &in)) reject(PyExc_ValueError, "groups", "at least 1", std::to_string(groups));
  const DType b = bias_type(bias, q);
  return {values, s[0], s[1], in, s[3], groups, bias_values(bias, s[3], b), dtype, b, quantization};
}

ConvOptions conv_options(const py::handle& stride, const py::handle& padding, const py::handle& dilation) {
  using Pair = std::pair<std::int64_t, std::int64_t>;
  ConvOptions o;
  std::tie(o.stride_h, o.stride_w) = stride.cast<Pair>();
  std::tie(o.dilation_h, o.dilation_w) = dilation.cast<Pair>();
  if (py::isinstance<py::str>(padding)) {
    const auto name = padding.cast<std::string>();
    if (name != "same" && name != "same_lower" && name != "valid") reject(PyExc_ValueError, "padding", "same, same_lower or valid", name);
    o.padding.mode = name == "same" ? Padding::Mode::same : name == "valid" ? Padding::Mode::valid : Padding::Mode::same_lower;
  } else {
    const auto [rows, columns] = padding.cast<std::pair<Pair, Pair>>();
    o.padding = {Padding::Mode::explicit_, rows.first, rows.second, columns.first, columns.second};
  }
  return o;
}

/// From None, a name or a tuple of a name and numbers.
Activation activation_of(const py::handle& object) {
  if (object.is_none()) return Activation::none();
  const bool bare = py::isinstance<py::str>(object);
  const auto parts = bare ? py::make_tuple(object) : object.cast<py::tuple>();
  const auto number = [&](std::size_t i) { return parts[i].cast<float>(); };
  const std::string name = parts.empty() ? "" : parts[0].cast<std::string>();
  if (parts.size() == 1 && name == "relu") return Activation::relu();
  if (parts.size() == 1 && name == "relu6") return Activation::relu6();
  for (std::int32_t i = 0; i < kActivationCount; ++i) {
    const auto numbers = static_cast<std::size_t>(kActivations[i].numbers);
    if (name != kActivations[i].name || parts.size() != 1 + numbers) continue;
    return {static_cast<ActivationKind>(i), numbers > 0 ? number(1) : 0.0F, numbers > 1 ? number(2) : 0.0F};
  }
  reject(PyExc_ValueError, "activation", "a known name", std::string(py::repr(object)));
}

double size_of(const py::handle& array) {
  const auto& raw = *reinterpret_cast<const RawArray*>(array.ptr());
  return std::accumulate(raw.dimensions, raw.dimensions + raw.nd, 1.0,
                         [](double product, auto n) { return product * static_cast<double>(n); });
}

/// Packs weights, without the GIL if that takes longer than getting it back.
template <class Kind, class... Args>
Layer packed(double weights, const Args&... args) {
  constexpr double least_weights = 1 << 16;
  std::optional<Layer> layer;
  const auto body = [&] { layer.emplace(Kind(args...)); };
  weights < least_weights ? body() : without_gil(body);
  return *std::move(layer);
}

/// From six arguments, the first of which is None where there is none.
std::optional<SqueezeExcite> squeeze_excite(const py::tuple& a, std::size_t first) {
  if (a[first].is_none()) return std::nullopt;
  return SqueezeExcite{pointwise_filter(a[first], a[first + 1]), pointwise_filter(a[first + 3], a[first + 4]), activation_of(a[first + 2]),
                       activation_of(a[first + 5])};
}

Made made(Layer layer, std::int64_t channels, const char* source, double weights, const TensorTypes& t) {
  return {std::move(layer), channels, source, weights, t.x.dtype, t.y.dtype, t.residual.dtype};
}

/// Whether kernels take vectors from cache lines on where output and input lie past them alike: float32 3x3 and 5x5 of stride 2, whose
/// loads that cross lines cost more than stores that do. 28x28x240 5x5 16 bytes past 29 us, so 23, at a line 19. With vectors of half a
/// line 5x5 take these where pixels are no multiple of a line apart.
bool shares_lines(const DepthwiseFilter& f, const ConvOptions& o, const TensorTypes& t) {
  const std::int64_t line = f.kh == 5 && vector_lanes() == 8 && f.channels % 16 != 0 ? 8 : 16;
  const bool small = f.kh == f.kw && (f.kh == 3 || f.kh == 5), whole = f.channels % line == 0 && f.channels >= (line < 16 ? 80 : 128);
  return small && whole && f.multiplier == 1 && o.stride_h == 2 && o.stride_w == 2 && o.dilation_h == 1 && o.dilation_w == 1 &&
         t.x.dtype == DType::float32;
}

}  // namespace

Made make_depthwise(const py::tuple& a) {
  const std::optional<Quantized> x = quantized(a[6], "x_quantization"), w = quantized(a[7], "weight_quantization"),
                                 y = quantized(a[8], "quantization");
  const TensorTypes types{type_of(x), type_of(y), {}, {}, {}};
  const DepthwiseFilter filter = depthwise_filter(a[0], a[1], w);
  const double weights = size_of(a[0]);
  const ConvOptions options = conv_options(a[2], a[3], a[4]);
  Made result =
      made(packed<DepthwiseConv2D>(weights, filter, options, activation_of(a[5]), types), filter.channels, "weight", weights, types);
  result.shares_lines = shares_lines(filter, options, types);
  return result;
}

Made make_pointwise(const py::tuple& a) {
  const std::optional<Quantized> x = quantized(a[3], "x_quantization"), w = quantized(a[4], "weight_quantization"),
                                 y = quantized(a[5], "quantization"), r = quantized(a[6], "residual_quantization");
  const TensorTypes types{type_of(x), type_of(y), type_of(r), {}, {}};
  const PointwiseFilter filter = pointwise_filter(a[0], a[1], w);
  const double weights = size_of(a[0]);
  return made(packed<PointwiseConv2D>(weights, filter, activation_of(a[2]), types), filter.in, "weight", weights, types);
}

Made make_separable(const py::tuple& a) {
  const std::optional<Quantized> x = quantized(a[15], "x_quantization"), dw = quantized(a[16], "depthwise_weight_quantization"),
                                 d = quantized(a[17], "depthwise_quantization"), w = quantized(a[18], "weight_quantization"),
                                 y = quantized(a[19], "quantization"), r = quantized(a[20], "residual_quantization");
  const TensorTypes types{type_of(x), type_of(y), type_of(r), {}, type_of(d)};
  const DepthwiseFilter depthwise = depthwise_filter(a[0], a[2], dw);
  const PointwiseFilter pointwise = pointwise_filter(a[1], a[3], w);
  const double weights = size_of(a[0]) + size_of(a[1]);
  const ConvOptions options = conv_options(a[4], a[5], a[6]);
  const Activation first = activation_of(a[7]), last = activation_of(a[8]);
  const std::optional<SqueezeExcite> factors = squeeze_excite(a, 9);
  const SqueezeExcite* const s = factors ? &*factors : nullptr;
  return made(packed<SeparableConv2D>(weights, depthwise, pointwise, options, first, last, s, types), depthwise.channels,
              "depthwise_weight", weights, types);
}

Made make_inverted_residual(const py::tuple& a) {
  const std::optional<Quantized> x = quantized(a[18], "x_quantization"), ew = quantized(a[19], "expand_weight_quantization"),
                                 e = quantized(a[20], "expand_quantization"), dw = quantized(a[21], "depthwise_weight_quantization"),
                                 d = quantized(a[22], "depthwise_quantization"), w = quantized(a[23], "weight_quantization"),
                                 y = quantized(a[24], "quantization"), r = quantized(a[25], "residual_quantization");
  const TensorTypes types{type_of(x), type_of(y), type_of(r), type_of(e), type_of(d)};
  const PointwiseFilter expand = pointwise_filter(a[0], a[3], ew), project = pointwise_filter(a[2], a[5], w);
  const DepthwiseFilter depthwise = depthwise_filter(a[1], a[4], dw);
  const double weights = size_of(a[0]) + size_of(a[1]) + size_of(a[2]);
  const ConvOptions options = conv_options(a[6], a[7], a[8]);
  const Activation first = activation_of(a[9]), second = activation_of(a[10]), last = activation_of(a[11]);
  const std::optional<SqueezeExcite> factors = squeeze_excite(a, 12);
  const SqueezeExcite* const s = factors ? &*factors : nullptr;
  return made(packed<InvertedResidual>(weights, expand, depthwise, project, options, first, second, last, s, types), expand.in,
              "expand_weight", weights, types);
}

Made make_standard(const py::tuple& a) {
  const std::optional<Quantized> x = quantized(a[7], "x_quantization"), w = quantized(a[8], "weight_quantization"),
                                 y = quantized(a[9], "quantization"), r = quantized(a[10], "residual_quantization");
  const TensorTypes types{type_of(x), type_of(y), type_of(r), {}, {}};
  const StandardFilter filter = standard_filter(a[0], a[1], a[5].cast<std::int64_t>(), w);
  const double weights = size_of(a[0]);
  const ConvOptions options = conv_options(a[2], a[3], a[4]);
  return made(packed<Conv2D>(weights, filter, options, activation_of(a[6]), types), filter.in, "weight times groups", weights, types);
}

}  // namespace dwsep::python
