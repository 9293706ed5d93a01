// Functions of one element of int8 or uint8, or of one element of each of two arrays.
#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <utility>

#include "runtime/dispatch.hpp"
#include "runtime/network/ops/int8_tensors.hpp"
#include "runtime/network/ops/loop_nest.hpp"

namespace dwsep::runtime {
namespace {

class Int8Binary final : public PlainOp {
 public:
  explicit Int8Binary(const Description& d) : PlainOp(d) {
    const std::string& function = d.string("function");
    if (function != "add" && function != "sub" && function != "mul") {
      d.reject("function", "one of add, sub, mul where inputs are integers", "'" + function + "'");
    }
    const Int8Tensor a = int8_input(d, 0), b = int8_input(d, 1);
    const Int8Output y(d);
    type_ = y.type;
    work_.product = function == "mul";
    const auto times = [&](float scale) { return checked_scale(d, scale / y.tensor.scale); };
    work_.a_scale = work_.product ? times(checked_scale(d, a.scale * b.scale)) : times(a.scale);
    work_.b_scale = (function == "sub" ? -1.0F : 1.0F) * (work_.product ? 1.0F : times(b.scale));
    work_.a_zero = a.zero;
    work_.b_zero = b.zero;
    work_.zero = y.tensor.zero;
    work_.real = y.real();
    work_.real_lo = y.real_lo;
    work_.real_hi = y.real_hi;
    work_.lo = y.lo;
    work_.hi = y.hi;
    work_.a_flip = a.flip;
    work_.b_flip = b.flip;
    work_.y_flip = y.tensor.flip;
    if (d.has("fixed_point") && d.flag("fixed_point")) {
      if (y.real() || work_.product) d.reject("fixed_point", "0 unless a sum or difference is quantized", "1");
      set_fixed_point();
    }
    work_.zero_first = rounds_zero_first(d, y);
    if (!work_.zero_first) return;
    if (function == "sub" || work_.shift != 0) d.reject("zero_first", "0 unless the function is add or mul, and not fixed_point", "1");
    // Numbers as they are stored, so that uint8 rounds as onnxruntime's does.
    const auto stored = [](const Int8Tensor& t) { return static_cast<float>(t.zero + t.flip); };
    work_.first = stored(y.tensor);
    work_.zero = -std::int32_t{y.tensor.flip};
    if (work_.product) return;
    work_.first -= std::fma(work_.a_scale, stored(a), work_.b_scale * stored(b));
    work_.a_zero = -std::int32_t{a.flip};
    work_.b_zero = -std::int32_t{b.flip};
  }

  Dims infer(const std::vector<Dims>& inputs) const override {
    check_inputs(inputs, 2);
    return broadcast(inputs[0], inputs[1]);
  }
  ValueType infer_type(const Description&, const std::vector<ValueType>&) const override { return type_; }

  void run(Team& team, const Operands& o, Scratch) const noexcept override {
    each_part(team, o, [](const Int8BinaryWork& w) { active_kernels().int8.binary(w); });
  }
  /// Of a small sum the nest of loops was two thirds.
  std::unique_ptr<PreparedCall> prepare(const Operands& o, Scratch) const override {
    std::unique_ptr<PreparedCall> call;
    int parts = 0;
    each_part(Team(), o, [&](const Int8BinaryWork& w) {
      if (++parts == 1) call = prepared(w, [](const Int8BinaryWork& part) { active_kernels().int8.binary(part); });
    });
    return parts == 1 ? std::move(call) : nullptr;
  }

 private:
  template <class F>
  void each_part(const Team& team, const Operands& o, const F& f) const {
    const Array &a = o.inputs[0], &b = o.inputs[1], &y = o.output;
    const LoopNest<3> nest(y.shape, {y.strides, broadcast_strides(a, y.shape), broadcast_strides(b, y.shape)});
    const auto row = nest.row_strides(), column = nest.column_strides();
    nest.part(team, [&](const std::array<std::int64_t, 3>& at, std::int64_t rows, std::int64_t columns) {
      Int8BinaryWork w = work_;
      w.a = a.as<const std::int8_t>() + at[1];
      w.b = b.as<const std::int8_t>() + at[2];
      w.y = y.at(at[0]);
      w.a_row = row[1];
      w.b_row = row[2];
      w.y_row = row[0];
      w.a_alone = column[1] == 0;
      w.b_alone = column[2] == 0;
      w.rows = rows;
      w.columns = columns;
      f(w);
    });
  }

  /// As XNNPACK, where it computes at all: multipliers of 21 bits, and half rounds up.
  void set_fixed_point() {
    const float a = work_.a_scale, b = std::fabs(work_.b_scale), most = std::max(a, b);
    if (std::min(a, b) < 0x1p-10F || most >= 0x1p8F) return;
    const int shift = 20 - std::ilogb(most);
    work_.shift = shift;
    const auto whole = [&](float scale) { return static_cast<std::int32_t>(std::lrint(std::ldexp(scale, shift))); };
    const std::int32_t a_whole = whole(a), b_whole = whole(work_.b_scale);
    work_.a_upper = static_cast<std::int16_t>(a_whole >> 11);
    work_.b_upper = static_cast<std::int16_t>(b_whole >> 11);
    work_.a_lower = a_whole & 2047;
    work_.b_lower = b_whole & 2047;
    work_.bias = (1 << (shift - 1)) - a_whole * (work_.a_zero + 128) - b_whole * (work_.b_zero + 128);
  }

  Int8BinaryWork work_{};
  ValueType type_;
};

class Table final : public PlainOp {
 public:
  explicit Table(const Description& d) : PlainOp(d), type_(Int8Output(d).type) {
    int8_input(d, 0);
    const std::vector<std::int64_t>& values = d.integers("values");
    if (values.size() != bytes_.size()) d.reject("values", "256 numbers", std::to_string(values.size()));
    const std::int64_t least = type_.dtype == DType::uint8 ? 0 : -128;
    for (const std::int64_t v : values) {
      if (v < least || v > least + 255) {
        d.reject("values", "numbers from " + std::to_string(least) + " to " + std::to_string(least + 255), std::to_string(v));
      }
    }
    // A byte that stands for a negative number lies behind all others.
    const std::size_t first = d.inputs[0].dtype == DType::int8 ? 128 : 0;
    for (std::size_t byte = 0; byte < 256; ++byte) bytes_[byte] = static_cast<std::int8_t>(values[(byte + first) % 256]);
  }

  Dims infer(const std::vector<Dims>& inputs) const override {
    check_inputs(inputs, 1);
    return inputs[0];
  }
  ValueType infer_type(const Description&, const std::vector<ValueType>&) const override { return type_; }

  void run(Team& team, const Operands& o, Scratch) const noexcept override {
    const Array &x = o.inputs[0], &y = o.output;
    const LoopNest<2> nest(y.shape, {y.strides, x.strides}, Columns::adjacent);
    const auto row = nest.row_strides();
    nest.part(team, [&](const std::array<std::int64_t, 2>& at, std::int64_t rows, std::int64_t columns) {
      active_kernels().int8.table(
          {x.as<const std::int8_t>() + at[1], y.as<std::int8_t>() + at[0], row[1], row[0], rows, columns, bytes_.data()});
    });
  }

 private:
  ValueType type_;
  std::array<std::int8_t, 256> bytes_{};
};

constexpr AttributeSchema kTableAttributes[] = {{"values", AttributeType::integers},
                                                {"to", AttributeType::choice, Presence::required, kByteTypes},
                                                {"scale", AttributeType::reals},
                                                {"zero_point", AttributeType::integers}};
constexpr OpSchema kInt8Ops[] = {{"table", make<Table>, 1, 1, kTableAttributes}};

}  // namespace

std::unique_ptr<const Op> make_int8_binary(const Description& d) { return std::make_unique<Int8Binary>(d); }

ConstSpan<OpSchema> int8_ops() { return kInt8Ops; }

}  // namespace dwsep::runtime
