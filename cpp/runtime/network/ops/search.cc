// Where the largest elements of lines lie, elements at computed places, and running sums.
#include <algorithm>
#include <type_traits>

#include "runtime/network/ops/cast.hpp"
#include "runtime/network/ops/copy.hpp"
#include "runtime/network/ops/lines.hpp"
#include "runtime/network/ops/plain_op.hpp"

namespace dwsep::runtime {
namespace {

using Offsets = std::array<std::int64_t, 2>;

/// Ops along one axis of numbers that can be ordered and added.
class AxisOp : public PlainOp {
 public:
  explicit AxisOp(const Description& d) : PlainOp(d), axis_(static_cast<int>(d.integer("axis", 0, Dims::kMaxRank - 1))) {}

 protected:
  const Dims& checked_input(const std::vector<Dims>& inputs, std::size_t count) const {
    check_inputs(inputs, count);
    axis_of(axis_, inputs[0].rank());
    return inputs[0];
  }
  static void check_number(const Description& d, const ValueType& type) {
    if (type.dtype == DType::float16 || type.dtype == DType::boolean) d.reject("input 0", "numbers", name_of(type.dtype));
  }
  /// Calls f with an element of the type.
  template <class F>
  static void with_number(DType type, const F& f) {
    with_type(type, [&](auto element) {
      using T = decltype(element);
      if constexpr (std::is_arithmetic_v<T>) f(element);
    });
  }

  int axis_;
};

constexpr const char* kExtremes[] = {"max", "min"};

/// The index of an extreme, the first of equal ones or the last; a NaN is one only where it comes first.
class Arg final : public AxisOp {
 public:
  explicit Arg(const Description& d) : AxisOp(d), min_(one_of(d, "function", kExtremes) == 1), last_(d.has("last") && d.flag("last")) {}

  Dims infer(const std::vector<Dims>& inputs) const override {
    Dims y = checked_input(inputs, 1);
    if (y[axis_] == 0) reject("input", "elements along axis " + std::to_string(axis_), to_string(y));
    y[axis_] = 1;
    return y;
  }
  ValueType infer_type(const Description& d, const std::vector<ValueType>& inputs) const override {
    check_number(d, inputs[0]);
    return {DType::int64};
  }
  double flops(const std::vector<Dims>& inputs, const Dims&) const override { return static_cast<double>(inputs[0].count()); }

  void run(Team& team, const Operands& o, Scratch) const noexcept override {
    with_number(o.inputs[0].dtype, [&](auto element) {
      using T = decltype(element);
      const auto find = [&](const auto& better) { find_extremes<T>(team, o, better); };
      if (last_) {
        min_ ? find([](T a, T b) { return a <= b; }) : find([](T a, T b) { return a >= b; });
      } else {
        min_ ? find([](T a, T b) { return a < b; }) : find([](T a, T b) { return a > b; });
      }
    });
  }

 private:
  template <class T, class Better>
  void find_extremes(const Team& team, const Operands& o, const Better& better) const {
    const Array &x = o.inputs[0], &y = o.output;
    const std::int64_t size = x.shape[axis_], step = x.strides[axis_];
    for_each_line<2>(team, x.shape, axis_, {x.strides, y.strides}, [&](const Offsets& at) {
      const T* const line = x.as<const T>() + at[0];
      std::int64_t best = 0;
      for (std::int64_t i = 1; i < size; ++i) best = better(line[i * step], line[best * step]) ? i : best;
      y.as<std::int64_t>()[at[1]] = best;
    });
  }

  bool min_, last_;
};

/// The indices of the k largest, or smallest, in order; of equal ones the first comes first.
class TopK final : public AxisOp {
 public:
  explicit TopK(const Description& d) : AxisOp(d), min_(one_of(d, "function", kExtremes) == 1), k_(d.integer("k", 0, kMaxCount)) {}

  Dims infer(const std::vector<Dims>& inputs) const override {
    Dims y = checked_input(inputs, 1);
    if (k_ > y[axis_]) reject("k", "at most " + std::to_string(y[axis_]), std::to_string(k_));
    y[axis_] = k_;
    return y;
  }
  ValueType infer_type(const Description& d, const std::vector<ValueType>& inputs) const override {
    check_number(d, inputs[0]);
    return {DType::int64};
  }
  std::int64_t scratch_bytes(const std::vector<Dims>& inputs, const Dims&, int threads) const override {
    return measure([&](Scratch& scratch) { scratch.take<std::int64_t>(inputs[0][axis_] * threads); });
  }
  double flops(const std::vector<Dims>& inputs, const Dims&) const override { return 8 * static_cast<double>(inputs[0].count()); }

  void run(Team& team, const Operands& o, Scratch scratch) const noexcept override {
    const Array &x = o.inputs[0], &y = o.output;
    const std::int64_t size = x.shape[axis_], x_step = x.strides[axis_], y_step = y.strides[axis_];
    std::int64_t* const order = scratch.take<std::int64_t>(size * team.size()) + size * team.rank();
    with_number(x.dtype, [&](auto element) {
      using T = decltype(element);
      for_each_line<2>(team, x.shape, axis_, {x.strides, y.strides}, [&](const Offsets& at) {
        const T* const line = x.as<const T>() + at[0];
        for (std::int64_t i = 0; i < size; ++i) order[i] = i;
        std::partial_sort(order, order + k_, order + size, [&](std::int64_t i, std::int64_t j) {
          const auto a = rank_of(line[i * x_step]), b = rank_of(line[j * x_step]);
          return a != b ? (a < b) == min_ : i < j;
        });
        for (std::int64_t i = 0; i < k_; ++i) y.as<std::int64_t>()[at[1] + i * y_step] = order[i];
      });
    });
  }

 private:
  /// Integers in the order of the numbers, also where some are NaN: these lie beyond infinity. (A comparison of floats is no order then,
  /// and sorting would run out of the array.)
  template <class T>
  static auto rank_of(T x) {
    if constexpr (std::is_same_v<T, float>) {
      const float v = x == 0 ? 0.0F : x;
      std::int32_t bits;
      std::memcpy(&bits, &v, sizeof(bits));
      return v != v     ? std::int32_t{0x7FFFFFFF}
             : bits < 0 ? static_cast<std::int32_t>(static_cast<std::uint32_t>(bits) ^ 0x7FFFFFFFU)
                        : bits;
    } else {
      return x;
    }
  }

  bool min_;
  std::int64_t k_;
};

/// Computed indices: negative ones count from the end, and one out of range becomes the nearest that is in it.
std::int64_t index_at(const Array& indices, std::int64_t offset, std::int64_t size) {
  const std::int64_t i =
      indices.dtype == DType::int64 ? indices.as<const std::int64_t>()[offset] : std::int64_t{indices.as<const std::int32_t>()[offset]};
  return std::clamp<std::int64_t>(i < 0 ? i + size : i, 0, size - 1);
}

void check_indices(const Description& d, const ValueType& type) {
  if (type.dtype != DType::int32 && type.dtype != DType::int64) d.reject("input 1", "type int32 or int64", name_of(type.dtype));
}

/// y[i][j][k] = x[i][indices[i][j][k]][k], where the axis is 1.
class GatherElements final : public AxisOp {
 public:
  using AxisOp::AxisOp;

  Dims infer(const std::vector<Dims>& inputs) const override {
    const Dims& x = checked_input(inputs, 2);
    bool fits = inputs[1].rank() == x.rank();
    for (int i = 0; fits && i < x.rank(); ++i) fits = i == axis_ ? x[i] > 0 || inputs[1][i] == 0 : inputs[1][i] <= x[i];
    if (!fits) reject("indices", "no more than the input " + to_string(x) + " has on other axes", to_string(inputs[1]));
    return inputs[1];
  }
  ValueType infer_type(const Description& d, const std::vector<ValueType>& inputs) const override {
    check_indices(d, inputs[1]);
    return moved(inputs[0]);
  }
  double flops(const std::vector<Dims>&, const Dims&) const override { return 0; }

  void run(Team& team, const Operands& o, Scratch) const noexcept override {
    const Array &x = o.inputs[0], &indices = o.inputs[1], &y = o.output;
    const std::int64_t size = x.shape[axis_], count = y.shape[axis_];
    with_size(y.dtype, [&](auto element) {
      using T = decltype(element);
      for_each_line<3>(team, y.shape, axis_, {x.strides, indices.strides, y.strides}, [&](const std::array<std::int64_t, 3>& at) {
        for (std::int64_t i = 0; i < count; ++i) {
          const std::int64_t place = index_at(indices, at[1] + i * indices.strides[axis_], size);
          y.as<T>()[at[2] + i * y.strides[axis_]] = x.as<const T>()[at[0] + place * x.strides[axis_]];
        }
      });
    });
  }
};

/// x[..., indices, ...] for computed indices of any shape.
class Take final : public AxisOp {
 public:
  using AxisOp::AxisOp;

  Dims infer(const std::vector<Dims>& inputs) const override {
    const Dims &x = checked_input(inputs, 2), &indices = inputs[1];
    if (x.rank() - 1 + indices.rank() > Dims::kMaxRank) reject("indices", "an output of at most 8 axes", to_string(indices));
    if (x[axis_] == 0 && indices.count() > 0) reject("input", "elements along axis " + std::to_string(axis_), to_string(x));
    Dims y;
    for (int i = 0; i < axis_; ++i) y.push_back(x[i]);
    for (const std::int64_t size : indices) y.push_back(size);
    for (int i = axis_ + 1; i < x.rank(); ++i) y.push_back(x[i]);
    return checked(y);
  }
  ValueType infer_type(const Description& d, const std::vector<ValueType>& inputs) const override {
    check_indices(d, inputs[1]);
    return moved(inputs[0]);
  }
  double flops(const std::vector<Dims>&, const Dims&) const override { return 0; }

  void run(Team& team, const Operands& o, Scratch) const noexcept override {
    const Array &x = o.inputs[0], &indices = o.inputs[1], &y = o.output;
    const int taken = indices.shape.rank();
    Dims rest, x_strides, y_strides;
    for (int i = 0; i < x.shape.rank(); ++i) {
      if (i == axis_) continue;
      rest.push_back(x.shape[i]);
      x_strides.push_back(x.strides[i]);
      y_strides.push_back(y.strides[i < axis_ ? i : i + taken - 1]);
    }
    const std::int64_t count = indices.shape.count();
    with_size(y.dtype, [&](auto element) {
      using T = decltype(element);
      for (std::int64_t i = 0; i < count; ++i) {
        std::int64_t at = 0, to = 0, left = i;
        for (int k = taken - 1; k >= 0; --k) {
          at += left % indices.shape[k] * indices.strides[k];
          to += left % indices.shape[k] * y.strides[axis_ + k];
          left /= indices.shape[k];
        }
        const std::int64_t from = index_at(indices, at, x.shape[axis_]) * x.strides[axis_];
        copy_elements(team, rest, x.as<const T>() + from, x_strides, y.as<T>() + to, y_strides);
      }
    });
  }
};

/// y[i] = x[0] + ... + x[i] along an axis, in this order; without x[i] where it is exclusive, from the end where it is reversed.
class CumulativeSum final : public AxisOp {
 public:
  explicit CumulativeSum(const Description& d)
      : AxisOp(d), exclusive_(d.has("exclusive") && d.flag("exclusive")), reverse_(d.has("reverse") && d.flag("reverse")) {}

  Dims infer(const std::vector<Dims>& inputs) const override { return checked_input(inputs, 1); }
  ValueType infer_type(const Description& d, const std::vector<ValueType>& inputs) const override {
    check_number(d, inputs[0]);
    return {inputs[0].dtype};
  }

  void run(Team& team, const Operands& o, Scratch) const noexcept override {
    const Array &x = o.inputs[0], &y = o.output;
    const std::int64_t size = x.shape[axis_], x_step = x.strides[axis_], y_step = y.strides[axis_];
    with_number(x.dtype, [&](auto element) {
      using T = decltype(element);
      for_each_line<2>(team, x.shape, axis_, {x.strides, y.strides}, [&](const Offsets& at) {
        T sum{0};
        for (std::int64_t k = 0; k < size; ++k) {
          const std::int64_t i = reverse_ ? size - 1 - k : k;
          const T before = sum;
          sum = plus(sum, x.as<const T>()[at[0] + i * x_step]);
          y.as<T>()[at[1] + i * y_step] = exclusive_ ? before : sum;
        }
      });
    });
  }

 private:
  template <class T>
  static T plus(T a, T b) {
    if constexpr (std::is_same_v<T, float>) {
      return a + b;
    } else {
      return static_cast<T>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
    }
  }

  bool exclusive_, reverse_;
};

constexpr AttributeSchema kAxis[] = {{"axis", AttributeType::integer}};
constexpr AttributeSchema kArgAttributes[] = {{"function", AttributeType::choice, Presence::required, kExtremes},
                                              {"axis", AttributeType::integer},
                                              {"last", AttributeType::flag, Presence::optional}};
constexpr AttributeSchema kTopKAttributes[] = {
    {"function", AttributeType::choice, Presence::required, kExtremes}, {"axis", AttributeType::integer}, {"k", AttributeType::integer}};
constexpr AttributeSchema kSumAttributes[] = {{"axis", AttributeType::integer},
                                              {"exclusive", AttributeType::flag, Presence::optional},
                                              {"reverse", AttributeType::flag, Presence::optional}};
constexpr OpSchema kOps[] = {{"arg", make<Arg>, 1, 1, kArgAttributes},
                             {"top_k", make<TopK>, 1, 1, kTopKAttributes},
                             {"gather_elements", make<GatherElements>, 2, 2, kAxis},
                             {"take", make<Take>, 2, 2, kAxis},
                             {"cumulative_sum", make<CumulativeSum>, 1, 1, kSumAttributes}};

}  // namespace

ConstSpan<OpSchema> search_ops() { return kOps; }

}  // namespace dwsep::runtime
