// Chosen elements of one axis.
#include "runtime/layer.hpp"
#include "runtime/network/ops/copy.hpp"
#include "runtime/network/ops/plain_op.hpp"

namespace dwsep::runtime {
namespace {

class Gather final : public PlainOp {
 public:
  explicit Gather(const Description& d)
      : PlainOp(d), axis_(static_cast<int>(d.integer("axis", 0, Dims::kMaxRank - 1))), indices_(d.integers("indices")) {}

  Dims infer(const std::vector<Dims>& inputs) const override {
    check_inputs(inputs, 1);
    Dims y = inputs[0];
    std::int64_t& size = y[axis_of(axis_, y.rank())];
    for (const std::int64_t i : indices_) {
      if (i < -size || i >= size) {
        reject("indices", "from " + std::to_string(-size) + " to " + std::to_string(size - 1) + " for an input " + to_string(inputs[0]),
               std::to_string(i));
      }
    }
    size = static_cast<std::int64_t>(indices_.size());
    return checked(y);
  }

  double flops(const std::vector<Dims>&, const Dims&) const override { return 0; }

  void run(Team& team, const Operands& o, float*) const noexcept override {
    const Array &x = o.inputs[0], &y = o.output;
    if (axis_ + 1 == y.shape.rank()) return gather_last(team, x, y);
    Dims one = y.shape;
    one[axis_] = 1;
    for (std::size_t i = 0; i < indices_.size(); ++i) {
      copy_elements(team, one, x.data + place(i, x) * x.strides[axis_], x.strides, y.data + static_cast<std::int64_t>(i) * y.strides[axis_],
                    y.strides);
    }
  }

 private:
  std::int64_t place(std::size_t i, const Array& x) const { return indices_[i] < 0 ? indices_[i] + x.shape[axis_] : indices_[i]; }

  void gather_last(const Team& team, const Array& x, const Array& y) const noexcept {
    const std::int64_t width = y.shape.back();
    if (width == 0) return;
    const Range rows = part_of(y.shape.count() / width, team.rank(), team.size());
    for (std::int64_t row = rows.begin; row < rows.end; ++row) {
      const float* from = x.data;
      float* to = y.data;
      std::int64_t rest = row;
      for (int i = axis_ - 1; i >= 0; --i) {
        from += rest % y.shape[i] * x.strides[i];
        to += rest % y.shape[i] * y.strides[i];
        rest /= y.shape[i];
      }
      for (std::size_t i = 0; i < indices_.size(); ++i) to[i] = from[place(i, x)];
    }
  }

  int axis_;
  std::vector<std::int64_t> indices_;
};

}  // namespace

std::unique_ptr<const Op> make_gather_op(const Description& d) { return std::make_unique<Gather>(d); }

}  // namespace dwsep::runtime
