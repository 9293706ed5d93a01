// Concatenation.
#include "runtime/network/ops/plain_op.hpp"

namespace dwsep::runtime {
namespace {

class Concat final : public PlainOp {
 public:
  explicit Concat(const Description& d) : PlainOp(d), axis_(static_cast<int>(d.integer("axis", 0, Dims::kMaxRank - 1))) {}

  Dims infer(const std::vector<Dims>& inputs) const override {
    if (inputs.empty()) reject("inputs", "one array or more", "none");
    check_inputs(inputs, inputs.size());
    Dims y = inputs[0];
    axis_of(axis_, y.rank());
    for (std::size_t k = 1; k < inputs.size(); ++k) {
      Dims x = inputs[k];
      if (x.rank() != y.rank()) reject("inputs", "equal rank", to_string(y) + " and " + to_string(x));
      const std::int64_t size = y[axis_] + x[axis_];
      y[axis_] = x[axis_];
      if (x != y) reject("inputs", "equal sizes on all axes but " + std::to_string(axis_), to_string(inputs[0]) + " and " + to_string(x));
      y[axis_] = size;
      checked(y);
    }
    return y;
  }

  /// Integers of different scales are joined as they are, and then stand for nothing.
  ValueType infer_type(const Description& d, const std::vector<ValueType>& inputs) const override {
    bool one = true;
    for (const ValueType& type : inputs) {
      if (type.dtype != inputs[0].dtype) d.reject("inputs", std::string("one type, ") + name_of(inputs[0].dtype), name_of(type.dtype));
      one = one && equal(type, inputs[0]);
    }
    return one && !inputs.empty() ? moved(inputs[0]) : ValueType{inputs.empty() ? DType::float32 : inputs[0].dtype};
  }

  int concatenated_axis() const override { return axis_; }
  double flops(const std::vector<Dims>&, const Dims&) const override { return 0; }

  /// Never called: an ExecutionPlan computes the inputs in place, and copies those that it cannot.
  void run(Team&, const Operands&, Scratch) const noexcept override {}

 private:
  int axis_;
};

constexpr AttributeSchema kConcatAttributes[] = {{"axis", AttributeType::integer}};
constexpr OpSchema kConcatOps[] = {{"concat", make<Concat>, 1, kAnyNumber, kConcatAttributes}};

}  // namespace

ConstSpan<OpSchema> concat_ops() { return kConcatOps; }

}  // namespace dwsep::runtime
