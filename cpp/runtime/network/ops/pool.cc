// Maximum and average over windows of an image.
#include "runtime/dispatch.hpp"
#include "runtime/layers/stages.hpp"
#include "runtime/memory/buffer.hpp"
#include "runtime/network/ops/plain_op.hpp"

namespace dwsep::runtime {
namespace {

constexpr const char* kFunctions[] = {"max", "average"};

class Pool final : public PlainOp {
 public:
  explicit Pool(const Description& d)
      : PlainOp(d),
        max_(one_of(d, "function", kFunctions) == 0),
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
    const Array &x = o.inputs[0], &y = o.output;
    PoolWork w{};
    w.max = max_;
    w.include_padding = include_padding_;
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
    const std::int64_t lines = ceil_div(y.shape[3], kLineElements<float>);
    for_each_rows(y.shape[0], y.shape[1], lines, team.rank(), team.size(), [&](std::int64_t image, Range rows, Range part) {
      const std::int64_t first = part.begin * kLineElements<float>;
      w.channels = std::min(part.end * kLineElements<float>, y.shape[3]) - first;
      w.x = x.as<float>() + image * x.strides[0] + first;
      w.y = y.as<float>() + image * y.strides[0] + first;
      w.y_begin = rows.begin;
      w.y_end = rows.end;
      active_kernels().tensor.pool(w);
    });
  }

  double flops(const std::vector<Dims>&, const Dims& y) const override {
    return static_cast<double>(y.count()) * static_cast<double>(kernel_[0] * kernel_[1]);
  }

 private:
  std::int64_t size(const char* what, std::int64_t padded, std::int64_t taps, std::int64_t stride, std::int64_t dilation) const {
    // Fits 64 bits: taps and dilation are at most 2^31.
    const std::int64_t extent = (taps - 1) * dilation + 1;
    if (padded < extent) reject(std::string(what) + " of the padded input", std::to_string(extent) + " or more", std::to_string(padded));
    return (padded - extent) / stride + 1;
  }

  bool max_, include_padding_;
  Dims kernel_;
  ConvOptions options_;
};

constexpr AttributeSchema kAttributes[] = {{"function", AttributeType::choice, Presence::required, kFunctions},
                                           {"kernel", AttributeType::pair},
                                           {"stride", AttributeType::pair},
                                           {"dilation", AttributeType::pair},
                                           {"padding", AttributeType::sides},
                                           {"include_padding", AttributeType::flag, Presence::optional}};
constexpr OpSchema kOps[] = {{"pool", make<Pool>, 1, 1, kAttributes}};

}  // namespace

ConstSpan<OpSchema> pool_ops() { return kOps; }

}  // namespace dwsep::runtime
