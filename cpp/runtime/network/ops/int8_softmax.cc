// Softmax of int8. A row's numbers are 256 at most: exponentials come from a table, which is made once.
#include <algorithm>
#include <array>
#include <cmath>

#include "runtime/network/ops/int8_tensors.hpp"
#include "runtime/network/ops/lines.hpp"

namespace dwsep::runtime {
namespace {

class Int8Softmax final : public PlainOp {
 public:
  explicit Int8Softmax(const Description& d) : PlainOp(d), axis_(d.integer("axis", -Dims::kMaxRank, Dims::kMaxRank - 1)) {
    if (d.has("log") && d.flag("log")) d.reject("log", "0 where inputs are integers", "1");
    const Int8Tensor x = int8_input(d, 0);
    const Int8Output y(d);
    type_ = y.type;
    flip_ = x.flip;
    out_ = y.tensor;
    // In double and rounded once, so that the bits do not depend on the libm.
    for (int below = 0; below < 256; ++below) {
      power_[static_cast<std::size_t>(below)] = static_cast<float>(std::exp(-static_cast<double>(x.scale) * below));
    }
  }

  Dims infer(const std::vector<Dims>& inputs) const override {
    check_inputs(inputs, 1);
    axis_of(axis_, inputs[0].rank());
    return inputs[0];
  }
  ValueType infer_type(const Description&, const std::vector<ValueType>&) const override { return type_; }
  double flops(const std::vector<Dims>&, const Dims& y) const override { return 4.0 * static_cast<double>(y.count()); }

  void run(Team& team, const Operands& o, Scratch) const noexcept override {
    const Array &x = o.inputs[0], &y = o.output;
    const int axis = static_cast<int>(axis_ < 0 ? axis_ + x.shape.rank() : axis_);
    const std::int64_t x_step = x.strides[axis], y_step = y.strides[axis], n = x.shape[axis];
    // Adjacent values, as of pixels, in a loop of their own.
    for_each_line<2>(team, x.shape, axis, {x.strides, y.strides}, [&](const std::array<std::int64_t, 2>& at) {
      const auto* const from = x.as<const std::uint8_t>() + at[0];
      if (x_step == 1 && y_step == 1) return line(from, 1, y.at(at[1]), 1, n);
      line(from, x_step, y.at(at[1]), y_step, n);
    });
  }

 private:
  /// All in order: the same bits everywhere.
  [[gnu::always_inline]] void line(const std::uint8_t* x, std::int64_t x_step, void* y, std::int64_t y_step, std::int64_t n) const {
    const std::uint8_t flip = flip_, out_flip = out_.flip;  // bytes that are stored could be its own
    const auto value = [&](std::int64_t i) { return static_cast<std::int8_t>(x[i * x_step] ^ flip); };
    int most = -128;
    for (std::int64_t i = 0; i < n; ++i) most = std::max<int>(most, value(i));
    const float* const powers = power_.data();
    const auto power = [&](std::int64_t i) { return static_cast<double>(powers[most - value(i)]); };
    double sum = 0;
    for (std::int64_t i = 0; i < n; ++i) sum += power(i);
    const double factor = 1 / (sum * static_cast<double>(out_.scale)), zero = out_.zero;
    if (type_.dtype == DType::float32) {
      for (std::int64_t i = 0; i < n; ++i) static_cast<float*>(y)[i * y_step] = static_cast<float>(power(i) * factor);
      return;
    }
    // Half to even by the bits of a double, without std::nearbyint, a call in libm: all that exceeds 255 is 127.
    constexpr double kRounding = 0x1.8p52;
    for (std::int64_t i = 0; i < n; ++i) {
      const double rounded = std::min(power(i) * factor, 256.0) + kRounding - kRounding;
      const double stored = std::min(rounded + zero, 127.0);
      static_cast<std::uint8_t*>(y)[i * y_step] = static_cast<std::uint8_t>(static_cast<std::int32_t>(stored)) ^ out_flip;
    }
  }

  std::int64_t axis_;
  ValueType type_;
  std::uint8_t flip_ = 0;
  Int8Tensor out_{};
  std::array<float, 256> power_{};
};

}  // namespace

std::unique_ptr<const Op> make_int8_softmax(const Description& d) { return std::make_unique<Int8Softmax>(d); }

}  // namespace dwsep::runtime
