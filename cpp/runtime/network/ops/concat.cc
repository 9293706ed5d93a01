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

  int concatenated_axis() const override { return axis_; }
  double flops(const std::vector<Dims>&, const Dims&) const override { return 0; }

  /// Never called: an ExecutionPlan computes the inputs in place, and copies those that it cannot.
  void run(Team&, const Operands&, Scratch) const noexcept override {}

 private:
  int axis_;
};

constexpr AttributeSchema kAttributes[] = {{"axis", AttributeType::integer}};
constexpr OpSchema kOps[] = {{"concat", make<Concat>, 1, kAnyNumber, kAttributes}};

}  // namespace

ConstSpan<OpSchema> concat_ops() { return kOps; }

}  // namespace dwsep::runtime
