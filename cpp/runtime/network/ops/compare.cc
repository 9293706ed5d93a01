// Comparisons, choices between two arrays, and arithmetic on integers; all broadcast.
#include <type_traits>

#include "runtime/network/ops/elements.hpp"
#include "runtime/network/ops/loop_nest.hpp"
#include "runtime/network/ops/pairs.hpp"
#include "runtime/network/ops/plain_op.hpp"
#include "runtime/network/ops/rows.hpp"

namespace dwsep::runtime {
namespace {

/// Throws unless inputs `first` and `first + 1` have one type.
void check_equal_types(const Description& d, const std::vector<ValueType>& inputs, std::size_t first) {
  if (inputs[first].dtype == inputs[first + 1].dtype) return;
  d.reject("input " + std::to_string(first + 1), std::string("type ") + name_of(inputs[first].dtype), name_of(inputs[first + 1].dtype));
}

/// f(a, step of a, b, step of b, y, columns) for the rows of one thread's part.
template <class F>
void for_each_row(const Team& team, const Operands& o, const F& f) {
  const Array &a = o.inputs[0], &b = o.inputs[1], &y = o.output;
  const LoopNest<3> nest(y.shape, {y.strides, broadcast_strides(a, y.shape), broadcast_strides(b, y.shape)});
  const auto row = nest.row_strides(), column = nest.column_strides();
  nest.part(team, [&](const std::array<std::int64_t, 3>& at, std::int64_t rows, std::int64_t columns) {
    for (std::int64_t r = 0; r < rows; ++r) {
      f(a.at(at[1] + r * row[1]), column[1], b.at(at[2] + r * row[2]), column[2], y.at(at[0] + r * row[0]), columns);
    }
  });
}

// In the order of Comparison.
constexpr const char* kComparisons[] = {"equal", "not_equal", "less", "less_equal", "greater", "greater_equal"};

class Compare final : public PlainOp {
 public:
  explicit Compare(const Description& d) : PlainOp(d), function_(one_of(d, "function", kComparisons)) {}

  Dims infer(const std::vector<Dims>& inputs) const override {
    check_inputs(inputs, 2);
    return broadcast(inputs[0], inputs[1]);
  }
  ValueType infer_type(const Description& d, const std::vector<ValueType>& inputs) const override {
    check_equal_types(d, inputs, 0);
    return {DType::boolean};
  }

  void run(Team& team, const Operands& o, Scratch) const noexcept override {
    CompareRow compare = nullptr;
    with_type(o.inputs[0].dtype, [&](auto element) { compare = compare_rows<decltype(element)>; });
    for_each_row(team, o, [&](const void* a, std::int64_t a_step, const void* b, std::int64_t b_step, void* y, std::int64_t n) {
      compare(static_cast<Comparison>(function_), {a, a_step}, {b, b_step}, static_cast<std::uint8_t*>(y), n);
    });
  }

 private:
  int function_;
};

class Where final : public PlainOp {
 public:
  using PlainOp::PlainOp;

  Dims infer(const std::vector<Dims>& inputs) const override {
    check_inputs(inputs, 3);
    return broadcast(inputs[0], broadcast(inputs[1], inputs[2]));
  }
  ValueType infer_type(const Description& d, const std::vector<ValueType>& inputs) const override {
    if (inputs[0].dtype != DType::boolean) d.reject("input 0", "type bool", name_of(inputs[0].dtype));
    check_equal_types(d, inputs, 1);
    return equal(inputs[1], inputs[2]) ? moved(inputs[1]) : ValueType{inputs[1].dtype};
  }

  void run(Team& team, const Operands& o, Scratch) const noexcept override {
    with_size(o.output.dtype, [&](auto element) {
      using T = decltype(element);
      if constexpr (std::is_same_v<T, float>) {
        choose_all<std::uint32_t>(team, o);
      } else {
        choose_all<std::make_unsigned_t<T>>(team, o);
      }
    });
  }

 private:
  template <class T>
  static void choose_all(const Team& team, const Operands& o) {
    const Array &y = o.output, &condition = o.inputs[0], &a = o.inputs[1], &b = o.inputs[2];
    const LoopNest<4> nest(
        y.shape, {y.strides, broadcast_strides(condition, y.shape), broadcast_strides(a, y.shape), broadcast_strides(b, y.shape)});
    const auto row = nest.row_strides(), column = nest.column_strides();
    nest.part(team, [&](const std::array<std::int64_t, 4>& at, std::int64_t rows, std::int64_t columns) {
      for (std::int64_t r = 0; r < rows; ++r) {
        T* const to = y.as<T>() + at[0] + r * row[0];
        const std::uint8_t* const which = condition.as<const std::uint8_t>() + at[1] + r * row[1];
        const T* const p = a.as<const T>() + at[2] + r * row[2];
        const T* const q = b.as<const T>() + at[3] + r * row[3];
        if (column[1] != 0) {
          choose(which, p, column[2], q, column[3], to, columns);
        } else {
          for (std::int64_t c = 0; c < columns; ++c) to[c] = *which != 0 ? p[c * column[2]] : q[c * column[3]];
        }
      }
    });
  }
};

// In the order of IntegerFunction.
constexpr const char* kIntegersFunctions[] = {"add", "sub", "mul", "div", "mod", "min", "max", "and", "or", "xor"};
constexpr int kFirstOfBits = 7;

class Integers final : public PlainOp {
 public:
  explicit Integers(const Description& d) : PlainOp(d), function_(one_of(d, "function", kIntegersFunctions)) {}

  Dims infer(const std::vector<Dims>& inputs) const override {
    check_inputs(inputs, 2);
    return broadcast(inputs[0], inputs[1]);
  }
  ValueType infer_type(const Description& d, const std::vector<ValueType>& inputs) const override {
    check_equal_types(d, inputs, 0);
    const DType type = inputs[0].dtype;
    const bool fits = type == DType::boolean ? function_ >= kFirstOfBits : type != DType::float32 && type != DType::float16;
    if (!fits) d.reject("input 0", function_ >= kFirstOfBits ? "an integer type or bool" : "an integer type", name_of(type));
    return {type};
  }

  void run(Team& team, const Operands& o, Scratch) const noexcept override {
    CombineRow combine = nullptr;
    with_type(o.output.dtype, [&](auto element) { combine = combine_rows<decltype(element)>; });
    for_each_row(team, o, [&](const void* a, std::int64_t a_step, const void* b, std::int64_t b_step, void* y, std::int64_t n) {
      combine(static_cast<IntegerFunction>(function_), {a, a_step}, {b, b_step}, y, n);
    });
  }

 private:
  int function_;
};

constexpr AttributeSchema kCompareAttributes[] = {{"function", AttributeType::choice, Presence::required, kComparisons}};
constexpr AttributeSchema kIntegersAttributes[] = {{"function", AttributeType::choice, Presence::required, kIntegersFunctions}};
constexpr OpSchema kCompareOps[] = {{"compare", make<Compare>, 2, 2, kCompareAttributes},
                                    {"where", make<Where>, 3, 3},
                                    {"integers", make<Integers>, 2, 2, kIntegersAttributes}};

}  // namespace

ConstSpan<OpSchema> compare_ops() { return kCompareOps; }

}  // namespace dwsep::runtime
