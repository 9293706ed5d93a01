// Functions of one element, or of one element of each of two arrays.
#include <algorithm>

#include "runtime/dispatch.hpp"
#include "runtime/network/ops/int8_tensors.hpp"
#include "runtime/network/ops/loop_nest.hpp"
#include "runtime/network/ops/plain_op.hpp"

namespace dwsep::runtime {
namespace {

/// A function of each element of one input.
class MapOp : public PlainOp {
 public:
  using PlainOp::PlainOp;

  Dims infer(const std::vector<Dims>& inputs) const override {
    check_inputs(inputs, 1);
    return inputs[0];
  }
  bool elementwise() const override { return true; }

 protected:
  /// f(x, y, from one row of x to the next, of y, rows, columns) for blocks of adjacent columns.
  template <class F>
  static void for_rows(Team& team, const Operands& o, const F& f) {
    const LoopNest<2> nest(o.output.shape, {o.output.strides, o.inputs[0].strides}, Columns::adjacent);
    const auto rows = nest.row_strides();
    nest.part(team, [&](const std::array<std::int64_t, 2>& at, std::int64_t count, std::int64_t columns) {
      f(o.inputs[0].as<float>() + at[1], o.output.as<float>() + at[0], rows[1], rows[0], count, columns);
    });
  }
};

class ActivationOp final : public MapOp {
 public:
  explicit ActivationOp(const Description& d) : MapOp(d), activation_(d.activation()) {}

  void run(Team& team, const Operands& o, Scratch) const noexcept override {
    for_rows(team, o, [&](auto... rows) { active_kernels().tensor.map({rows..., activation_}); });
  }

 private:
  Activation activation_;
};

// In the order of UnaryFunction.
constexpr const char* kUnary[] = {"exp", "sqrt",     "neg", "abs", "erf",  "reciprocal", "floor", "ceil",     "round",
                                  "log", "softplus", "sin", "cos", "sign", "selu",       "mish",  "softsign", "gelu_tanh"};

class UnaryOp final : public MapOp {
 public:
  explicit UnaryOp(const Description& d) : MapOp(d), function_(one_of(d, "function", kUnary)) {}

  void run(Team& team, const Operands& o, Scratch) const noexcept override {
    for_rows(team, o, [&](auto... rows) { active_kernels().tensor.unary({static_cast<UnaryFunction>(function_), rows...}); });
  }

 private:
  int function_;
};

// In the order of BinaryFunction.
constexpr const char* kBinary[] = {"add", "sub", "mul", "div", "min", "max", "prelu", "pow", "elu"};

class BinaryOp final : public PlainOp {
 public:
  explicit BinaryOp(const Description& d) : PlainOp(d), function_(one_of(d, "function", kBinary)), activation_(d.activation()) {}

  Dims infer(const std::vector<Dims>& inputs) const override {
    check_inputs(inputs, 2);
    return broadcast(inputs[0], inputs[1]);
  }

  bool elementwise() const override { return true; }

  void run(Team& team, const Operands& o, Scratch) const noexcept override {
    const Array &a = o.inputs[0], &b = o.inputs[1], &y = o.output;
    const LoopNest<3> nest(y.shape, {y.strides, broadcast_strides(a, y.shape), broadcast_strides(b, y.shape)});
    const auto rows = nest.row_strides(), columns = nest.column_strides();
    nest.part(team, [&](const std::array<std::int64_t, 3>& at, std::int64_t count, std::int64_t width) {
      const BinaryWork w{static_cast<BinaryFunction>(function_),
                         a.as<float>() + at[1],
                         b.as<float>() + at[2],
                         y.as<float>() + at[0],
                         rows[1],
                         rows[2],
                         rows[0],
                         columns[1] == 0,
                         columns[2] == 0,
                         count,
                         width,
                         activation_};
      if (narrow(w)) {
        run_narrow(w);
      } else {
        active_kernels().tensor.binary(w);
      }
      if (activation_.kind != ActivationKind::clip) {
        active_kernels().tensor.map({w.y, w.y, w.y_row, w.y_row, w.rows, w.columns, activation_});
      }
    });
  }

 private:
  static constexpr std::int64_t kNarrow = 16, kPattern = 240;

  /// Whether short rows of one array meet the same row of the other.
  static bool narrow(const BinaryWork& w) {
    const auto whole = [&](std::int64_t row, bool alone) { return row == w.columns && !alone; };
    return w.columns > 1 && w.columns < kNarrow && w.rows > 1 && w.y_row == w.columns &&
           ((whole(w.a_row, w.a_alone) && w.b_row == 0 && !w.b_alone) || (whole(w.b_row, w.b_alone) && w.a_row == 0 && !w.a_alone));
  }

  /// As many rows at a time as a pattern of copies of that row has. The mean of a colour off 224x224 pixels took 217 us row by row, 42 so
  /// (Zen 3).
  static void run_narrow(BinaryWork w) {
    float pattern[kPattern];
    const bool of_a = w.a_row == 0;
    const float*& repeated = of_a ? w.a : w.b;
    const std::int64_t most = std::min(w.rows, kPattern / w.columns), rows = w.rows;
    for (std::int64_t i = 0; i < most * w.columns; ++i) pattern[i] = repeated[i % w.columns];
    repeated = pattern;
    w.columns *= most;
    w.y_row = w.columns;
    (of_a ? w.b_row : w.a_row) = w.columns;
    w.rows = rows / most;
    active_kernels().tensor.binary(w);
    const std::int64_t done = w.rows * w.columns;
    w.columns = rows % most * (w.columns / most);
    if (w.columns == 0) return;
    w.rows = 1;
    w.y += done;
    (of_a ? w.b : w.a) += done;
    active_kernels().tensor.binary(w);
  }

  int function_;
  Activation activation_;
};

std::unique_ptr<const Op> make_binary(const Description& d) {
  if (computes_int8(d)) return make_int8_binary(d);
  return std::make_unique<BinaryOp>(d);
}

constexpr AttributeSchema kActivationAttributes[] = {{"activation", AttributeType::activation, Presence::optional}};
constexpr AttributeSchema kUnaryAttributes[] = {{"function", AttributeType::choice, Presence::required, kUnary}};
constexpr AttributeSchema kBinaryAttributes[] = {{"function", AttributeType::choice, Presence::required, kBinary},
                                                 {"activation", AttributeType::activation, Presence::optional},
                                                 {"zero_first", AttributeType::flag, Presence::optional},
                                                 {"fixed_point", AttributeType::flag, Presence::optional},
                                                 kOutputType,
                                                 kOutputScale,
                                                 kOutputZero};
constexpr OpSchema kElementwiseOps[] = {{"activation", make<ActivationOp>, 1, 1, kActivationAttributes},
                                        {"unary", make<UnaryOp>, 1, 1, kUnaryAttributes},
                                        {"binary", make_binary, 2, 2, kBinaryAttributes}};

}  // namespace

ConstSpan<OpSchema> elementwise_ops() { return kElementwiseOps; }

}  // namespace dwsep::runtime
