// From float32 to integers that stand for real numbers, and back: y = clamp(round(x / scale) + zero point), ties to even, and
// (x - zero point) * scale. One scale, or one for each index along an axis.
#include "runtime/dispatch.hpp"
#include "runtime/network/ops/copy.hpp"
#include "runtime/network/ops/elements.hpp"
#include "runtime/network/ops/loop_nest.hpp"
#include "runtime/network/ops/plain_op.hpp"

namespace dwsep::runtime {
namespace {

constexpr std::int64_t kMost = std::int64_t{1} << 16;  // of the magnitude of bounds: sixteen bits are quantized to int32

class ScaledOp : public PlainOp {
 public:
  explicit ScaledOp(const Description& d) : PlainOp(d), quantization_(d.quantization()) {}

  Dims infer(const std::vector<Dims>& inputs) const override {
    check_inputs(inputs, 1);
    const int axis = quantization_->axis;
    if (axis >= 0) {
      axis_of(axis, inputs[0].rank());
      const auto count = static_cast<std::int64_t>(quantization_->scales.size());
      if (inputs[0][axis] != count) reject("scale", std::to_string(inputs[0][axis]) + " numbers", std::to_string(count));
    }
    return inputs[0];
  }

 protected:
  /// Calls f(x, y, scales, zero points, columns, whether each column has its own scale) row by row.
  template <class X, class Y, class F>
  void rows(const Team& team, const Array& x, const Array& y, const F& f) const {
    Dims scale;
    for (int i = 0; i < y.shape.rank(); ++i) scale.push_back(i == quantization_->axis ? 1 : 0);
    // x and y first: their last axis is adjacent, and that of the scales may be anything.
    const LoopNest<3> nest(y.shape, {y.strides, x.strides, scale});
    const auto row = nest.row_strides(), column = nest.column_strides();
    nest.part(team, [&](const std::array<std::int64_t, 3>& at, std::int64_t count, std::int64_t columns) {
      for (std::int64_t r = 0; r < count; ++r) {
        const auto s = static_cast<std::size_t>(at[2] + r * row[2]);
        f(x.as<const X>() + at[1] + r * row[1], y.as<Y>() + at[0] + r * row[0], &quantization_->scales[s], &quantization_->zero_points[s],
          columns, column[2] == 1 && columns > 1);
      }
    });
  }

  std::shared_ptr<const Quantization> quantization_;
};

// In the order of DType, from int8 on.
constexpr const char* kQuantizedTypes[] = {"int8", "uint8", "int32"};

class Quantize final : public ScaledOp {
 public:
  explicit Quantize(const Description& d) : ScaledOp(d), to_(static_cast<DType>(1 + one_of(d, "to", kQuantizedTypes))) {
    const std::int64_t least = to_ == DType::uint8 ? 0 : to_ == DType::int8 ? -128 : -kMost;
    const std::int64_t most = to_ == DType::uint8 ? 255 : to_ == DType::int8 ? 127 : kMost;
    least_ = d.has("least") ? d.integer("least", least, most) : least;
    most_ = d.has("most") ? d.integer("most", least_, most) : most;
    for (const std::int32_t zero : quantization_->zero_points) {
      if (zero < least_ || zero > most_) {
        d.reject("zero_point", "numbers from " + std::to_string(least_) + " to " + std::to_string(most_), std::to_string(zero));
      }
    }
  }

  ValueType infer_type(const Description& d, const std::vector<ValueType>& inputs) const override {
    Op::infer_type(d, inputs);
    return {to_, quantization_};
  }

  void run(Team& team, const Operands& o, Scratch) const noexcept override {
    if (quantization_->axis < 0 && to_ != DType::int32 && most_ - least_ == 255) return run_by_kernel(team, o);
    switch (to_) {
      case DType::int8:
        return run_to<std::int8_t>(team, o);
      case DType::uint8:
        return run_to<std::uint8_t>(team, o);
      default:
        return run_to<std::int32_t>(team, o);
    }
  }

 private:
  void run_by_kernel(const Team& team, const Operands& o) const noexcept {
    const bool flips = to_ == DType::uint8;
    rows<float, std::int8_t>(team, o.inputs[0], o.output,
                             [&](const float* x, std::int8_t* y, const float* scale, const std::int32_t* zero, std::int64_t columns, bool) {
                               active_kernels().int8.quantize({x, y, 0, 0, 1, columns, *scale, *zero - (flips ? 128 : 0),
                                                               static_cast<std::uint8_t>(flips ? 0x80 : 0)});
                             });
  }

  template <class T>
  void run_to(const Team& team, const Operands& o) const noexcept {
    rows<float, T>(team, o.inputs[0], o.output,
                   [&](const float* x, T* y, const float* scale, const std::int32_t* zero, std::int64_t columns, bool each) {
                     if (each) {
                       for (std::int64_t c = 0; c < columns; ++c) y[c] = quantized<T>(x[c], scale[c], zero[c]);
                     } else {
                       for (std::int64_t c = 0; c < columns; ++c) y[c] = quantized<T>(x[c], *scale, *zero);
                     }
                   });
  }

  /// Clamped first, to bounds that are integers, which changes nothing: then adding 1.5 * 2^23 rounds, ties to even, on any instruction
  /// set.
  template <class T>
  T quantized(float x, float scale, std::int32_t zero) const {
    constexpr float magic = 0x1.8p23F;
    const auto least = static_cast<float>(least_ - zero), most = static_cast<float>(most_ - zero);
    const float v = x / scale, above = v > least ? v : least, inside = above < most ? above : most;
    return static_cast<T>(static_cast<std::int32_t>((inside + magic) - magic) + zero);
  }

  DType to_;
  std::int64_t least_, most_;
};

class Dequantize final : public ScaledOp {
 public:
  using ScaledOp::ScaledOp;

  ValueType infer_type(const Description& d, const std::vector<ValueType>& inputs) const override {
    const DType type = inputs[0].dtype;
    if (type != DType::int8 && type != DType::uint8 && type != DType::int32) {
      d.reject("input 0", "type int8, uint8 or int32", name_of(type));
    }
    return {};
  }

  void run(Team& team, const Operands& o, Scratch) const noexcept override {
    if (quantization_->axis < 0 && o.inputs[0].dtype != DType::int32) return run_by_kernel(team, o);
    switch (o.inputs[0].dtype) {
      case DType::int8:
        return run_from<std::int8_t>(team, o);
      case DType::uint8:
        return run_from<std::uint8_t>(team, o);
      default:
        return run_from<std::int32_t>(team, o);
    }
  }

 private:
  void run_by_kernel(const Team& team, const Operands& o) const noexcept {
    const bool flips = o.inputs[0].dtype == DType::uint8;
    rows<std::int8_t, float>(team, o.inputs[0], o.output,
                             [&](const std::int8_t* x, float* y, const float* scale, const std::int32_t* zero, std::int64_t columns, bool) {
                               active_kernels().int8.dequantize({x, y, 0, 0, 1, columns, *scale, *zero - (flips ? 128 : 0),
                                                                 static_cast<std::uint8_t>(flips ? 0x80 : 0)});
                             });
  }

  template <class T>
  void run_from(const Team& team, const Operands& o) const noexcept {
    rows<T, float>(team, o.inputs[0], o.output,
                   [&](const T* x, float* y, const float* scale, const std::int32_t* zero, std::int64_t columns, bool each) {
                     if (each) {
                       for (std::int64_t c = 0; c < columns; ++c) y[c] = real(x[c], scale[c], zero[c]);
                     } else {
                       for (std::int64_t c = 0; c < columns; ++c) y[c] = real(x[c], *scale, *zero);
                     }
                   });
  }

  /// The difference of two int32 may wrap, as everywhere.
  static float real(std::int32_t x, float scale, std::int32_t zero) {
    return static_cast<float>(static_cast<std::int32_t>(static_cast<std::uint32_t>(x) - static_cast<std::uint32_t>(zero))) * scale;
  }
};

/// The same integers, which stand for other numbers: a view.
class Reinterpret final : public ScaledOp {
 public:
  using ScaledOp::ScaledOp;

  ValueType infer_type(const Description& d, const std::vector<ValueType>& inputs) const override {
    const DType type = inputs[0].dtype;
    if (type != DType::int8 && type != DType::uint8) d.reject("input 0", "type int8 or uint8", name_of(type));
    const std::int32_t least = type == DType::int8 ? -128 : 0;
    for (const std::int32_t zero : quantization_->zero_points) {
      if (zero < least || zero > least + 255) {
        d.reject("zero_point", "numbers from " + std::to_string(least) + " to " + std::to_string(least + 255), std::to_string(zero));
      }
    }
    return {type, quantization_};
  }

  double flops(const std::vector<Dims>&, const Dims&) const override { return 0; }

  bool view(const Array& x, const Dims&, Dims* strides, std::int64_t* offset) const override {
    *strides = x.strides;
    *offset = 0;
    return true;
  }

  void run(Team& team, const Operands& o, Scratch) const noexcept override {
    copy_view(team, o.inputs[0], o.inputs[0].strides, 0, o.output);
  }
};

constexpr AttributeSchema kQuantizeAttributes[] = {{"to", AttributeType::choice, Presence::required, kQuantizedTypes},
                                                   {"scale", AttributeType::reals},
                                                   {"zero_point", AttributeType::integers},
                                                   {"axis", AttributeType::integer, Presence::optional},
                                                   {"least", AttributeType::integer, Presence::optional},
                                                   {"most", AttributeType::integer, Presence::optional}};
constexpr AttributeSchema kDequantizeAttributes[] = {
    {"scale", AttributeType::reals}, {"zero_point", AttributeType::integers}, {"axis", AttributeType::integer, Presence::optional}};
constexpr OpSchema kQuantizeOps[] = {{"quantize", make<Quantize>, 1, 1, kQuantizeAttributes},
                                     {"dequantize", make<Dequantize>, 1, 1, kDequantizeAttributes},
                                     {"reinterpret", make<Reinterpret>, 1, 1, kDequantizeAttributes}};

}  // namespace

ConstSpan<OpSchema> quantize_ops() { return kQuantizeOps; }

}  // namespace dwsep::runtime
