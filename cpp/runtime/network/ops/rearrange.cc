// Ops whose output can be a view of their input: identity, reshape, transpose, slice, expand.
#include <algorithm>
#include <limits>

#include "runtime/network/ops/copy.hpp"
#include "runtime/network/ops/plain_op.hpp"

namespace dwsep::runtime {
namespace {

class MoveOp : public PlainOp {
 public:
  using PlainOp::PlainOp;
  ValueType infer_type(const Description&, const std::vector<ValueType>& inputs) const override { return moved(inputs[0]); }
  double flops(const std::vector<Dims>&, const Dims&) const final { return 0; }
};

class Identity final : public MoveOp {
 public:
  using MoveOp::MoveOp;
  ValueType infer_type(const Description&, const std::vector<ValueType>& inputs) const override { return inputs[0]; }
  Dims infer(const std::vector<Dims>& inputs) const override {
    check_inputs(inputs, 1);
    return inputs[0];
  }
  bool view(const Array& x, const Dims&, Dims* strides, std::int64_t* offset) const override {
    *strides = x.strides;
    *offset = 0;
    return true;
  }
  void run(Team& team, const Operands& o, Scratch) const noexcept override {
    copy_view(team, o.inputs[0], o.inputs[0].strides, 0, o.output);
  }
};

/// Strides that make `shape` a view of x's elements in order, if there are any.
bool reshaped_strides(const Array& x, const Dims& shape, Dims* strides) {
  *strides = dense_strides(shape);
  int i = x.shape.rank() - 1, j = shape.rank() - 1;
  // Blocks of axes of equal size, innermost first; within a block the axes of x must join to one.
  while (i >= 0 || j >= 0) {
    if (i >= 0 && x.shape[i] == 1) {
      --i;
      continue;
    }
    if (j >= 0 && shape[j] == 1) {
      --j;
      continue;
    }
    if (i < 0 || j < 0) return false;
    std::int64_t a = x.shape[i], b = shape[j], stride = x.strides[i];
    int inner = i--;
    (*strides)[j--] = stride;
    std::int64_t below = stride * b;
    while (a != b) {
      if (a < b) {
        while (i >= 0 && x.shape[i] == 1) --i;
        if (i < 0 || x.strides[i] != x.strides[inner] * x.shape[inner]) return false;
        a *= x.shape[i];
        inner = i--;
      } else {
        while (j >= 0 && shape[j] == 1) --j;
        if (j < 0) return false;
        b *= shape[j];
        (*strides)[j] = below;
        below *= shape[j--];
      }
    }
  }
  return shape.rank() == 0 || shape.back() == 1 || strides->back() == 1;
}

class Reshape final : public MoveOp {
 public:
  explicit Reshape(const Description& d) : MoveOp(d), shape_(d.dims("shape", -1, -1, kMaxCount)) {
    int unknown = 0;
    for (const std::int64_t size : shape_) unknown += size == -1 ? 1 : 0;
    if (unknown > 1) d.reject("shape", "sizes with one -1 at most", to_string(shape_));
  }
  Dims infer(const std::vector<Dims>& inputs) const override {
    check_inputs(inputs, 1);
    const Dims& x = inputs[0];
    Dims y = shape_;
    int unknown = -1;
    for (int i = 0; i < y.rank(); ++i) {
      if (y[i] == 0 && i >= x.rank()) reject("shape", "no 0 for an axis that the input lacks", to_string(shape_));
      if (y[i] == 0) y[i] = x[i];
      if (y[i] == -1) unknown = i;
    }
    if (unknown >= 0) {
      y[unknown] = 1;
      const std::int64_t known = checked(y).count();
      if (known == 0 || x.count() % known != 0) reject("shape", "a shape that divides an input " + to_string(x), to_string(shape_));
      y[unknown] = x.count() / known;
    }
    if (checked(y).count() != x.count()) reject("shape", "a shape as large as the input, " + to_string(x), to_string(shape_));
    return y;
  }
  bool view(const Array& x, const Dims& output, Dims* strides, std::int64_t* offset) const override {
    *offset = 0;
    return reshaped_strides(x, output, strides);
  }
  void run(Team& team, const Operands& o, Scratch) const noexcept override { copy_in_order(team, o.inputs[0], o.output); }

 private:
  Dims shape_;
};

class Transpose final : public MoveOp {
 public:
  explicit Transpose(const Description& d) : MoveOp(d), perm_(d.dims("perm", -1, 0, Dims::kMaxRank - 1)) {
    for (int i = 0; i < perm_.rank(); ++i) {
      int times = 0;
      for (const std::int64_t axis : perm_) times += axis == i ? 1 : 0;
      if (times != 1) d.reject("perm", "each axis once", to_string(perm_));
    }
  }
  Dims infer(const std::vector<Dims>& inputs) const override {
    check_inputs(inputs, 1);
    check_rank(inputs[0], perm_.rank());
    return permuted(inputs[0]);
  }
  bool view(const Array& x, const Dims& output, Dims* strides, std::int64_t* offset) const override {
    *offset = 0;
    *strides = permuted(x.strides);
    return output.rank() == 0 || output.back() <= 1 || strides->back() == 1;
  }
  Dims permutation() const override { return perm_; }
  void run(Team& team, const Operands& o, Scratch) const noexcept override {
    copy_view(team, o.inputs[0], permuted(o.inputs[0].strides), 0, o.output);
  }

 private:
  Dims permuted(const Dims& d) const {
    Dims y;
    for (const std::int64_t axis : perm_) y.push_back(d[static_cast<int>(axis)]);
    return y;
  }
  Dims perm_;
};

/// Begin and length of a slice of one axis, by Python's rules.
struct Span {
  std::int64_t first, count;
  Span(std::int64_t start, std::int64_t stop, std::int64_t step, std::int64_t size) {
    // Before the first element and behind the last one, for either direction.
    const std::int64_t least = step > 0 ? 0 : -1, most = step > 0 ? size : size - 1;
    const auto within = [&](std::int64_t i) { return std::clamp(i < 0 ? std::max(i, -size - 1) + size : i, least, most); };
    first = within(start);
    const bool to_front = step < 0 && stop == std::numeric_limits<std::int64_t>::min();
    const std::int64_t last = to_front ? -1 : within(stop);
    const std::int64_t length = step > 0 ? last - first : first - last, pace = step > 0 ? step : -step;
    count = length > 0 && pace > 0 ? (length - 1) / pace + 1 : 0;
  }
};

class Slice final : public MoveOp {
 public:
  explicit Slice(const Description& d)
      : MoveOp(d),
        starts_(d.dims("starts", -1, std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max())),
        stops_(d.dims("stops", starts_.rank(), std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max())),
        steps_(d.dims("steps", starts_.rank(), -kMaxCount, kMaxCount)) {
    for (const std::int64_t step : steps_) {
      if (step == 0) d.reject("steps", "steps other than 0", to_string(steps_));
    }
  }
  Dims infer(const std::vector<Dims>& inputs) const override {
    check_inputs(inputs, 1);
    check_rank(inputs[0], starts_.rank());
    Dims y;
    for (int i = 0; i < starts_.rank(); ++i) y.push_back(span(inputs[0], i).count);
    return y;
  }
  bool view(const Array& x, const Dims& output, Dims* strides, std::int64_t* offset) const override {
    place(x, output, strides, offset);
    return output.rank() == 0 || output.back() <= 1 || strides->back() == 1;
  }
  void run(Team& team, const Operands& o, Scratch) const noexcept override {
    Dims strides;
    std::int64_t offset = 0;
    place(o.inputs[0], o.output.shape, &strides, &offset);
    copy_view(team, o.inputs[0], strides, offset, o.output);
  }

 private:
  Span span(const Dims& x, int axis) const { return {starts_[axis], stops_[axis], steps_[axis], x[axis]}; }
  void place(const Array& x, const Dims& output, Dims* strides, std::int64_t* offset) const {
    *strides = x.strides;
    *offset = 0;
    for (int i = 0; i < output.rank(); ++i) {
      // The stride of a single element is never used, and its product may overflow.
      (*strides)[i] = output[i] > 1 ? x.strides[i] * steps_[i] : 1;
      if (output[i] > 0) *offset += span(x.shape, i).first * x.strides[i];
    }
  }

  Dims starts_, stops_, steps_;
};

class Expand final : public MoveOp {
 public:
  explicit Expand(const Description& d) : MoveOp(d), shape_(d.dims("shape", -1, 0, kMaxCount)) {}
  Dims infer(const std::vector<Dims>& inputs) const override {
    check_inputs(inputs, 1);
    const Dims& x = inputs[0];
    Dims wanted = shape_;
    for (int i = 0; i < wanted.rank(); ++i) {
      const int axis = i - (wanted.rank() - x.rank());
      if (wanted[i] == 0) wanted[i] = axis < 0 ? 1 : x[axis];
    }
    return broadcast(x, wanted);
  }
  bool view(const Array& x, const Dims& output, Dims* strides, std::int64_t* offset) const override {
    *offset = 0;
    *strides = broadcast_strides(x, output);
    return output.rank() == 0 || output.back() <= 1 || strides->back() == 1;
  }
  void run(Team& team, const Operands& o, Scratch) const noexcept override {
    copy_view(team, o.inputs[0], broadcast_strides(o.inputs[0], o.output.shape), 0, o.output);
  }

 private:
  Dims shape_;
};

constexpr AttributeSchema kShape[] = {{"shape", AttributeType::integers}};
constexpr AttributeSchema kPerm[] = {{"perm", AttributeType::integers}};
constexpr AttributeSchema kSliceAttributes[] = {
    {"starts", AttributeType::integers}, {"stops", AttributeType::integers}, {"steps", AttributeType::integers}};
constexpr OpSchema kRearrangeOps[] = {{"identity", make<Identity>, 1, 1},
                                      {"reshape", make<Reshape>, 1, 1, kShape},
                                      {"transpose", make<Transpose>, 1, 1, kPerm},
                                      {"slice", make<Slice>, 1, 1, kSliceAttributes},
                                      {"expand", make<Expand>, 1, 1, kShape}};

}  // namespace

ConstSpan<OpSchema> rearrange_ops() { return kRearrangeOps; }

}  // namespace dwsep::runtime
