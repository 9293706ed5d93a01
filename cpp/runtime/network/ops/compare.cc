// Comparisons, choices between two arrays, and arithmetic on integers; all broadcast.
#include <algorithm>
#include <type_traits>

#include "runtime/network/ops/cast.hpp"
#include "runtime/network/ops/loop_nest.hpp"
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
template <class T, class Y, class F>
void for_each_row(const Team& team, const Operands& o, const F& f) {
  const Array &a = o.inputs[0], &b = o.inputs[1], &y = o.output;
  const LoopNest<3> nest(y.shape, {y.strides, broadcast_strides(a, y.shape), broadcast_strides(b, y.shape)});
  const auto row = nest.row_strides(), column = nest.column_strides();
  nest.part(team, [&](const std::array<std::int64_t, 3>& at, std::int64_t rows, std::int64_t columns) {
    for (std::int64_t r = 0; r < rows; ++r) {
      f(a.as<const T>() + at[1] + r * row[1], column[1], b.as<const T>() + at[2] + r * row[2], column[2], y.as<Y>() + at[0] + r * row[0],
        columns);
    }
  });
}

/// y = f(a, b) for one thread's part.
template <class T, class Y, class F>
void for_each_pair(const Team& team, const Operands& o, const F& f) {
  for_each_row<T, Y>(team, o, [&](const T* p, std::int64_t a, const T* q, std::int64_t b, Y* to, std::int64_t columns) {
    for (std::int64_t c = 0; c < columns; ++c) to[c] = f(p[c * a], q[c * b]);
  });
}

/// What is compared.
template <class T>
auto value_of(T x) {
  if constexpr (std::is_same_v<T, Half>) {
    return to_float(x);
  } else if constexpr (std::is_same_v<T, Bool>) {
    return x.byte != 0;
  } else {
    return x;
  }
}

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
    with_type(o.inputs[0].dtype, [&](auto element) {
      using T = decltype(element);
      if constexpr (std::is_same_v<T, float>) {
        return for_each_row<T, std::uint8_t>(
            team, o, [&](const float* p, std::int64_t a, const float* q, std::int64_t b, std::uint8_t* to, std::int64_t n) {
              compare_floats(static_cast<Comparison>(function_), p, a, q, b, to, n);
            });
      }
      const auto compare = [&](const auto& f) {
        for_each_pair<T, std::uint8_t>(team, o, [&](T a, T b) { return static_cast<std::uint8_t>(f(value_of(a), value_of(b))); });
      };
      switch (function_) {
        case 0:
          return compare([](auto a, auto b) { return a == b; });
        case 1:
          return compare([](auto a, auto b) { return a != b; });
        case 2:
          return compare([](auto a, auto b) { return a < b; });
        case 3:
          return compare([](auto a, auto b) { return a <= b; });
        case 4:
          return compare([](auto a, auto b) { return a > b; });
        default:
          return compare([](auto a, auto b) { return a >= b; });
      }
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

constexpr const char* kIntegersFunctions[] = {"add", "sub", "mul", "div", "mod", "min", "max", "and", "or", "xor"};
constexpr int kDiv = 3, kMod = 4, kAnd = 7;

/// As C does it, but what overflows loses its upper bits, a quotient of nothing is 0, and a remainder has the divisor's sign.
template <class T>
T combined(int function, T a, T b) {
  using U = std::make_unsigned_t<T>;
  using Wide = std::conditional_t<(sizeof(T) < 4), std::uint32_t, U>;
  const auto p = static_cast<Wide>(static_cast<U>(a)), q = static_cast<Wide>(static_cast<U>(b));
  switch (function) {
    case 0:
      return static_cast<T>(p + q);
    case 1:
      return static_cast<T>(p - q);
    case 2:
      return static_cast<T>(p * q);
    case kDiv:
    case kMod: {
      if (b == 0) return 0;
      if constexpr (std::is_signed_v<T>) {
        if (b == T{-1}) return function == kDiv ? static_cast<T>(Wide{0} - p) : T{0};
      }
      const T quotient = static_cast<T>(a / b), rest = static_cast<T>(a % b);
      if (function == kDiv) return quotient;
      return rest != 0 && (rest < 0) != (b < 0) ? static_cast<T>(rest + b) : rest;
    }
    case 5:
      return std::min(a, b);
    case 6:
      return std::max(a, b);
    case kAnd:
      return static_cast<T>(a & b);
    case 8:
      return static_cast<T>(a | b);
    default:
      return static_cast<T>(a ^ b);
  }
}

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
    const bool fits = type == DType::boolean ? function_ >= kAnd : type != DType::float32 && type != DType::float16;
    if (!fits) d.reject("input 0", function_ >= kAnd ? "an integer type or bool" : "an integer type", name_of(type));
    return {type};
  }

  void run(Team& team, const Operands& o, Scratch) const noexcept override {
    with_type(o.output.dtype, [&](auto element) {
      using T = decltype(element);
      if constexpr (std::is_same_v<T, Bool>) {
        for_each_pair<T, std::uint8_t>(
            team, o, [&](Bool a, Bool b) { return combined<std::uint8_t>(function_, a.byte != 0 ? 1 : 0, b.byte != 0 ? 1 : 0); });
      } else if constexpr (std::is_integral_v<T>) {
        for_each_pair<T, T>(team, o, [&](T a, T b) { return combined(function_, a, b); });
      }
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
