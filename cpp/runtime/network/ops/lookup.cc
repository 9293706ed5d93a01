// Elements at computed places.
#include <algorithm>

#include "runtime/network/ops/axis_op.hpp"
#include "runtime/network/ops/copy.hpp"

namespace dwsep::runtime {
namespace {

constexpr const char* kScatters[] = {"last", "sum", "prod", "max", "min"};
constexpr std::int64_t kPlaces = 64;

/// places[i] = index i times `x_step`, plus i times `x_next`. Computed indices: negative ones count from the end, and one out of range
/// becomes the nearest that is in it.
template <class T>
void put_places(const T* indices, std::int64_t step, std::int64_t count, std::int64_t size, std::int64_t x_step, std::int64_t x_next,
                std::int64_t* places) {
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t index = indices[i * step];
    places[i] = std::clamp<std::int64_t>(index < 0 ? index + size : index, 0, size - 1) * x_step + i * x_next;
  }
}
void put_places(const Array& indices, std::int64_t offset, std::int64_t step, std::int64_t count, std::int64_t size, std::int64_t x_step,
                std::int64_t x_next, std::int64_t* places) {
  if (indices.dtype == DType::int64) {
    return put_places(indices.as<const std::int64_t>() + offset, step, count, size, x_step, x_next, places);
  }
  put_places(indices.as<const std::int32_t>() + offset, step, count, size, x_step, x_next, places);
}

/// Rows of `length` elements at `places` of x, to those of y that are `y_step` apart.
void copy_places(const Array& x, std::int64_t from, const std::int64_t* places, const Array& y, std::int64_t to, std::int64_t y_step,
                 std::int64_t count, std::int64_t length) {
  with_size(y.dtype, [&](auto element) {
    using T = decltype(element);
    copy_rows_at(x.as<const T>() + from, places, y.as<T>() + to, y_step, count, length);
  });
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
    // Places first, then elements, along the axis or along lines that lie side by side: 37,824 took 195 us one by one (Zen 3).
    for_adjacent_lines<3>(
        team, y.shape, axis_, {x.strides, indices.strides, y.strides}, [&](const std::array<std::int64_t, 3>& at, std::int64_t lines) {
          const bool along = lines == 1;
          const std::int64_t inner = along ? count : lines, outer = along ? 1 : count;
          const std::int64_t index_step = along ? indices.strides[axis_] : 1, y_step = along ? y.strides[axis_] : 1;
          std::int64_t places[kPlaces];
          for (std::int64_t row = 0; row < outer; ++row) {
            for (std::int64_t i = 0, n; i < inner; i += n) {
              n = std::min(kPlaces, inner - i);
              put_places(indices, at[1] + row * indices.strides[axis_] + i * index_step, index_step, n, size, x.strides[axis_],
                         along ? 0 : 1, places);
              copy_places(x, at[0] + (along ? 0 : i), places, y, at[2] + row * y.strides[axis_] + i * y_step, y_step, n, 1);
            }
          }
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
    // Rows of a table, which one copy moves: divided among threads, and 400 of 64 numbers took 34 us where each was a copy of an array, 19
    // so (Zen 3).
    std::int64_t length = 1;
    bool row = true;
    for (int i = rest.rank() - 1; i >= 0; length *= rest[i--]) {
      row = row && (rest[i] == 1 || (i >= axis_ && x_strides[i] == length && y_strides[i] == length));
    }
    const Range mine = row ? part_of(indices.shape.count(), team.rank(), team.size()) : Range{0, indices.shape.count()};
    std::int64_t places[kPlaces];
    for (std::int64_t i = mine.begin, n; i < mine.end; i += n) {
      std::int64_t at = 0, to = 0, left = i;
      for (int k = taken - 1; k >= 0; --k) {
        at += left % indices.shape[k] * indices.strides[k];
        to += left % indices.shape[k] * y.strides[axis_ + k];
        left /= indices.shape[k];
      }
      // As many as lie along the last axis of the indices: 3,136 of three numbers took 27 us one by one.
      const std::int64_t along = taken == 0 ? 1 : indices.shape[taken - 1], y_step = taken == 0 ? 0 : y.strides[axis_ + taken - 1];
      n = std::min({kPlaces, along - i % along, mine.end - i});
      put_places(indices, at, taken == 0 ? 0 : indices.strides[taken - 1], n, x.shape[axis_], x.strides[axis_], 0, places);
      if (row) {
        copy_places(x, 0, places, y, to, y_step, n, length);
        continue;
      }
      for (std::int64_t k = 0; k < n; ++k) {
        with_size(y.dtype, [&](auto element) {
          using T = decltype(element);
          copy_elements(team, rest, x.as<const T>() + places[k], x_strides, y.as<T>() + to + k * y_step, y_strides);
        });
      }
    }
  }
};

/// x with elements replaced: y[i][indices[i][j][k]][k] = updates[i][j][k], where the axis is 1; of equal places the last counts, or what a
/// function makes of all and the element of x.
class Scatter final : public AxisOp {
 public:
  explicit Scatter(const Description& d) : AxisOp(d), function_(one_of(d, "function", kScatters)) {}

  Dims infer(const std::vector<Dims>& inputs) const override {
    const Dims& x = checked_input(inputs, 3);
    bool fits = inputs[1].rank() == x.rank();
    for (int i = 0; fits && i < x.rank(); ++i) fits = i == axis_ ? x[i] > 0 || inputs[1][i] == 0 : inputs[1][i] <= x[i];
    if (!fits) reject("indices", "no more than the input " + to_string(x) + " has on other axes", to_string(inputs[1]));
    if (inputs[2] != inputs[1]) reject("updates", to_string(inputs[1]), to_string(inputs[2]));
    return x;
  }
  ValueType infer_type(const Description& d, const std::vector<ValueType>& inputs) const override {
    check_indices(d, inputs[1]);
    if (inputs[2].dtype != inputs[0].dtype) d.reject("input 2", name_of(inputs[0].dtype), name_of(inputs[2].dtype));
    if (function_ != 0) check_number(d, inputs[0]);
    return moved(inputs[0]);
  }
  double flops(const std::vector<Dims>&, const Dims&) const override { return 0; }

  void run(Team& team, const Operands& o, Scratch) const noexcept override {
    const Array &indices = o.inputs[1], &updates = o.inputs[2], &y = o.output;
    copy_view(team, o.inputs[0], o.inputs[0].strides, 0, y);
    team.barrier();
    for_each_line<3>(team, indices.shape, axis_, {indices.strides, updates.strides, y.strides}, [&](const std::array<std::int64_t, 3>& at) {
      std::int64_t places[kPlaces];
      const std::int64_t all = indices.shape[axis_], step = indices.strides[axis_];
      for (std::int64_t i = 0; i < all; i += kPlaces) {
        const std::int64_t count = std::min(kPlaces, all - i);
        put_places(indices, at[0] + i * step, step, count, y.shape[axis_], y.strides[axis_], 0, places);
        for (std::int64_t k = 0; k < count; ++k) put(y, at[2] + places[k], updates, at[1] + (i + k) * updates.strides[axis_]);
      }
    });
  }

 private:
  void put(const Array& y, std::int64_t to, const Array& updates, std::int64_t from) const {
    if (function_ == 0) return static_cast<void>(std::memcpy(y.at(to), updates.at(from), static_cast<std::size_t>(size_of(y.dtype))));
    with_number(y.dtype, [&](auto element) {
      using T = decltype(element);
      T& a = y.as<T>()[to];
      const T b = updates.as<const T>()[from];
      a = function_ == 1 ? sum_of(a, b) : function_ == 2 ? product_of(a, b) : function_ == 3 ? largest_of(a, b) : least_of(a, b);
    });
  }

  int function_;
};

constexpr AttributeSchema kAxis[] = {{"axis", AttributeType::integer}};
constexpr AttributeSchema kScatterAttributes[] = {{"function", AttributeType::choice, Presence::required, kScatters},
                                                  {"axis", AttributeType::integer}};
constexpr OpSchema kLookupOps[] = {{"gather_elements", make<GatherElements>, 2, 2, kAxis},
                                   {"take", make<Take>, 2, 2, kAxis},
                                   {"scatter", make<Scatter>, 3, 3, kScatterAttributes}};

}  // namespace

ConstSpan<OpSchema> lookup_ops() { return kLookupOps; }

}  // namespace dwsep::runtime
