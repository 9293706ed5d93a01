// Maximum and average over windows of an image.
#include "runtime/dispatch.hpp"
#include "runtime/layers/stages.hpp"
#include "runtime/memory/buffer.hpp"
#include "runtime/network/ops/int8_tensors.hpp"

namespace dwsep::runtime {
namespace {

constexpr const char* kPoolFunctions[] = {"max", "average"};

class Pool : public PlainOp {
 public:
  explicit Pool(const Description& d)
      : PlainOp(d),
        max_(one_of(d, "function", kPoolFunctions) == 0),
        include_padding_(d.has("include_padding") && d.flag("include_padding") && !max_),
        kernel_(d.dims("kernel", 2, 1, kMaxPixels)),
        options_(d.conv_options()) {}

  Dims infer(const std::vector<Dims>& inputs) const override {
    check_inputs(inputs, 1);
    const Dims& x = inputs[0];
    check_rank(x, 4);
    const Padding& p = options_.padding;
    return checked({x[0], size("height", x[1] + p.top + p.bottom, kernel_[0], options_.stride_h, options_.dilation_h),
                    size("width", x[2] + p.left + p.right, kernel_[1], options_.stride_w, options_.dilation_w), x[3]});
  }

  void run(Team& team, const Operands& o, Scratch) const noexcept override {
    PoolWork w{};
    w.max = max_;
    w.include_padding = include_padding_;
    run_with<float>(team, o, w, active_kernels().tensor.pool);
  }

  double flops(const std::vector<Dims>&, const Dims& y) const override {
    return static_cast<double>(y.count()) * static_cast<double>(kernel_[0] * kernel_[1]);
  }

 protected:
  /// Windows of all images, whose rows and channels threads divide.
  template <class T, class Work>
  void run_with(const Team& team, const Operands& o, Work w, const Kernel<Work>& kernel) const noexcept {
    const Array &x = o.inputs[0], &y = o.output;
    w.x_row = x.strides[1];
    w.x_pixel = x.strides[2];
    w.height = x.shape[1];
    w.width = x.shape[2];
    w.kh = kernel_[0];
    w.kw = kernel_[1];
    w.stride_h = options_.stride_h;
    w.stride_w = options_.stride_w;
    w.dilation_h = options_.dilation_h;
    w.dilation_w = options_.dilation_w;
    w.pad_top = options_.padding.top;
    w.pad_left = options_.padding.left;
    w.y_row = y.strides[1];
    w.y_pixel = y.strides[2];
    w.out_width = y.shape[2];
    // Channels in whole cache lines.
    constexpr std::int64_t line = kLineElements<T>;
    for_each_rows(y.shape[0], y.shape[1], ceil_div(y.shape[3], line), team.rank(), team.size(),
                  [&](std::int64_t image, Range rows, Range part) {
                    const std::int64_t first = part.begin * line;
                    w.channels = std::min(part.end * line, y.shape[3]) - first;
                    w.x = x.as<const T>() + image * x.strides[0] + first;
                    w.y = static_cast<decltype(w.y)>(y.at(image * y.strides[0] + first));
                    w.y_begin = rows.begin;
                    w.y_end = rows.end;
                    kernel(w);
                  });
  }

  bool max_, include_padding_;
  Dims kernel_;
  ConvOptions options_;

 private:
  std::int64_t size(const char* what, std::int64_t padded, std::int64_t taps, std::int64_t stride, std::int64_t dilation) const {
    // Fits 64 bits: taps and dilation are at most 2^31.
    const std::int64_t extent = (taps - 1) * dilation + 1;
    if (padded < extent) reject(std::string(what) + " of the padded input", std::to_string(extent) + " or more", std::to_string(padded));
    return (padded - extent) / stride + 1;
  }
};

constexpr const char* kTies[] = {"even", "away", "zero_first"};  // in the order of Ties

class Int8Pool final : public Pool {
 public:
  explicit Int8Pool(const Description& d) : Pool(d) {
    if (max_) {
      if (d.has("to") || d.has("ties")) d.reject("to and ties", "none for a maximum, which keeps the type of x", "one");
      type_ = d.inputs[0];
      work_.x_flip = work_.y_flip = int8_input(d, 0).flip;
    } else {
      const Int8Output y(d);
      type_ = y.type;
      set_mean(d, y, &work_);
      if (d.has("ties")) work_.ties = static_cast<Ties>(one_of(d, "ties", kTies));
      if (work_.ties == Ties::away && !equal(type_, d.inputs[0]))
        d.reject("ties", "'even' where x and y stand for different numbers", "'away'");
      if (work_.ties == Ties::zero_first) {
        if (y.real()) d.reject("ties", "'even' where the result is not quantized", "'zero_first'");
        work_.scale = int8_input(d, 0).scale;
        work_.per = y.tensor.scale;
        work_.first = static_cast<float>(work_.zero + work_.y_flip);
        work_.zero = -std::int32_t{work_.y_flip};
      }
    }
    work_.max = max_;
    work_.include_padding = include_padding_;
  }

  Dims infer(const std::vector<Dims>& inputs) const override {
    const Dims y = Pool::infer(inputs);
    if (!max_) {
      const bool away = work_.ties == Ties::away;
      const std::int64_t most = away ? kMostInTies : kMostInMean;
      const std::int64_t pixels =
          away && include_padding_ ? kernel_[0] * kernel_[1] : std::min(inputs[0][1], kernel_[0]) * std::min(inputs[0][2], kernel_[1]);
      if (pixels > most) reject("kernel", "at most " + std::to_string(most) + " pixels of int8", std::to_string(pixels));
    }
    return y;
  }
  ValueType infer_type(const Description&, const std::vector<ValueType>&) const override { return type_; }

  void run(Team& team, const Operands& o, Scratch) const noexcept override {
    run_with<std::int8_t>(team, o, work_, active_kernels().int8.pool);
  }

 private:
  Int8PoolWork work_{};
  ValueType type_;
};

std::unique_ptr<const Op> make_pool(const Description& d) {
  if (computes_int8(d)) return std::make_unique<Int8Pool>(d);
  if (d.has("ties")) one_of(d, "ties", kTies);  // floats have none
  return std::make_unique<Pool>(d);
}

constexpr AttributeSchema kPoolAttributes[] = {{"function", AttributeType::choice, Presence::required, kPoolFunctions},
                                               {"kernel", AttributeType::pair},
                                               {"stride", AttributeType::pair},
                                               {"dilation", AttributeType::pair},
                                               {"padding", AttributeType::sides},
                                               {"include_padding", AttributeType::flag, Presence::optional},
                                               {"ties", AttributeType::choice, Presence::optional, kTies},
                                               kOutputType,
                                               kOutputScale,
                                               kOutputZero};
constexpr OpSchema kPoolOps[] = {{"pool", make_pool, 1, 1, kPoolAttributes}};

}  // namespace

ConstSpan<OpSchema> pool_ops() { return kPoolOps; }

}  // namespace dwsep::runtime
