// Resizing. Coordinates are computed in float32, as in every other implementation of these formulas: if a coordinate falls on a pixel,
// floor and ceil would choose another one by more digits. Ties between two pixels are decided exactly.
#include <algorithm>
#include <array>
#include <cmath>

#include "runtime/dispatch.hpp"
#include "runtime/layers/layer.hpp"
#include "runtime/memory/buffer.hpp"
#include "runtime/network/ops/plain_op.hpp"
#include "runtime/network/ops/rows.hpp"

namespace dwsep::runtime {
namespace {

enum class Function { nearest, linear, cubic };
constexpr const char* kResizeFunctions[] = {"nearest", "linear", "cubic"};
enum class Coordinates { half_pixel, pytorch_half_pixel, asymmetric, align_corners };
constexpr const char* kCoordinates[] = {"half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners"};
enum class Rounding { prefer_floor, prefer_ceil, floor, ceil };
constexpr const char* kRounding[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};

class Resize final : public PlainOp {
 public:
  explicit Resize(const Description& d)
      : PlainOp(d),
        function_(static_cast<Function>(one_of(d, "function", kResizeFunctions))),
        coordinates_(static_cast<Coordinates>(one_of(d, "coordinates", kCoordinates))),
        rounding_(d.has("rounding") ? static_cast<Rounding>(one_of(d, "rounding", kRounding)) : Rounding::prefer_floor),
        size_(d.dims("size", 2, 1, kMaxPixels - 1)) {
    const std::vector<double>& scale = d.floats("scale");
    if (scale.size() != 2) d.reject("scale", "2 numbers", std::to_string(scale.size()));
    for (std::size_t i = 0; i < 2; ++i) {
      scale_[i] = static_cast<float>(scale[i]);
      if (!(scale_[i] > 0.0F) || std::isinf(scale_[i])) d.reject("scale", "positive finite numbers", std::to_string(scale[i]));
    }
  }

  Dims infer(const std::vector<Dims>& inputs) const override {
    check_inputs(inputs, 1);
    const Dims& x = inputs[0];
    check_rank(x, 4);
    for (int i = 1; i < 3; ++i) {
      if (x[i] < 1 || x[i] >= kMaxPixels) reject("input", "an image of 1 to 2**31 - 1 rows and columns", to_string(x));
    }
    return checked({x[0], size_[0], size_[1], x[3]});
  }

  /// Bytes keep what they stand for.
  ValueType infer_type(const Description& d, const std::vector<ValueType>& inputs) const override {
    const bool bytes = inputs[0].quantization != nullptr && size_of(inputs[0].dtype) == 1;
    if (!bytes || function_ == Function::cubic || inputs[0].quantization->axis >= 0) return Op::infer_type(d, inputs);
    return inputs[0];
  }

  std::int64_t scratch_bytes(const std::vector<Dims>&, const Dims& y, int threads) const override {
    return measure([&](Scratch& scratch) { Pieces(scratch, y, rows(), threads); });
  }

  void run(Team& team, const Operands& o, Scratch scratch) const noexcept override {
    const Array &x = o.inputs[0], &y = o.output;
    const Pieces pieces(scratch, y.shape, rows(), team.size());
    const Range mine = part_of(y.shape[2] + y.shape[1], team.rank(), team.size());
    for (std::int64_t i = mine.begin; i < mine.end; ++i) {
      const bool column = i < y.shape[2];
      const int axis = column ? 1 : 0;
      const ResizeTaps t = taps_of(axis, column ? i : i - y.shape[2], x.shape[axis + 1], y.shape[axis + 1]);
      pieces.columns[i] = x.dtype == DType::float32 ? t : with_whole_weights(t);
    }
    team.barrier();
    const Range part = part_of(y.shape[0] * y.shape[1], team.rank(), team.size());
    ResizeWork w{};
    w.taps = taps();
    w.x_pixel = x.strides[2];
    w.columns = pieces.columns;
    w.out_width = y.shape[2];
    w.channels = y.shape[3];
    if (x.dtype != DType::float32) return of_bytes(x, y, part, w.columns, pieces.wide[team.rank()]);
    if (function_ == Function::nearest) return nearest(x, y, part, w);
    w.y_pixel = y.shape[3];
    blended(x, y, part, w, pieces.wide[team.rank()], row_elements(y.shape));
  }

  double flops(const std::vector<Dims>&, const Dims& y) const override {
    const double taps = function_ == Function::nearest ? 0 : function_ == Function::linear ? 2 : 4;
    return 2 * taps * (taps + 1) * static_cast<double>(y.count());
  }

 private:
  int taps() const { return function_ == Function::nearest ? 1 : function_ == Function::linear ? 2 : 4; }
  /// Rows of the new width that each thread keeps.
  int rows() const { return function_ == Function::nearest ? 0 : taps(); }
  static std::int64_t row_elements(const Dims& y) { return round_up(y[2] * y[3], kLineElements<float>); }

  struct Pieces {
    ResizeTaps* columns;  ///< and behind them those of rows, which each of many images wants
    PerThread<float> wide;

    Pieces(Scratch& scratch, const Dims& y, int rows, int threads)
        : columns(scratch.take<ResizeTaps>(y[2] + y[1])), wide(scratch.take_each<float>(threads, rows * row_elements(y))) {}
  };

  static const float* row_of(const Array& x, std::int64_t image, std::int64_t row) {
    return x.as<float>() + image * x.strides[0] + row * x.strides[1];
  }

  /// Rows of the same input row are copies. Pixels of one channel, as planes are, have a loop of their own.
  void nearest(const Array& x, const Array& y, Range rows, ResizeWork& w) const {
    w.y_pixel = y.strides[2];
    const bool adjacent = w.y_pixel == w.channels, numbers = w.channels == 1 && w.x_pixel == 1 && adjacent;
    const std::int64_t every = numbers ? times_wider(w.columns, x.shape[2], w.out_width) : 0;
    const float *x_before = nullptr, *y_before = nullptr;
    for (std::int64_t row = rows.begin; row < rows.end; ++row) {
      const std::int64_t image = row / y.shape[1], line = row % y.shape[1];
      w.x = row_of(x, image, w.columns[w.out_width + line].at[0]);
      w.y = y.as<float>() + image * y.strides[0] + line * y.strides[1];
      if (adjacent && w.x == x_before) {
        std::copy_n(y_before, w.out_width * w.channels, w.y);
      } else if (numbers) {
        pick(w.x, w.columns->at, sizeof(ResizeTaps) / sizeof(std::int32_t), every, w.y, w.out_width);
      } else {
        active_kernels().tensor.resize(w);
      }
      x_before = w.x;
      y_before = w.y;
    }
  }

  /// How often each pixel is there, if that is always the same; else 0.
  static std::int64_t times_wider(const ResizeTaps* columns, std::int64_t in, std::int64_t out) {
    const std::int64_t times = out / in;
    if (times * in != out) return 0;
    for (std::int64_t i = 0; i < out; ++i) {
      if (columns[i].at[0] != i / times) return 0;
    }
    return times;
  }

  /// Of int8 and uint8.
  void of_bytes(const Array& x, const Array& y, Range rows, const ResizeTaps* columns, float* wide) const {
    Int8ResizeWork w{};
    w.x_pixel = x.strides[2];
    w.columns = columns;
    w.y_pixel = y.strides[2];
    w.out_width = y.shape[2];
    w.channels = y.shape[3];
    w.flip = x.dtype == DType::uint8 ? 0x80 : 0;
    w.in_width = x.shape[2];
    // Vectors of bytes are 32 at least. The rows that floats need have room, but for images that become much narrower.
    const bool few = w.channels < 32 && w.x_pixel == w.channels && w.y_pixel == w.channels;
    const bool fits = w.in_width * w.channels + 32 <= this->rows() * row_elements(y.shape);
    if (few && fits) w.between = reinterpret_cast<std::int32_t*>(wide);
    for (std::int64_t row = rows.begin; row < rows.end; ++row) {
      const std::int64_t image = row / y.shape[1], line = row % y.shape[1];
      const ResizeTaps& t = columns[w.out_width + line];
      for (int k = 0; k < 2; ++k) w.x[k] = x.as<const std::int8_t>() + image * x.strides[0] + t.at[k] * x.strides[1];
      if (function_ == Function::nearest) {
        auto* to = y.as<std::int8_t>() + image * y.strides[0] + line * y.strides[1];
        for (std::int64_t i = 0; i < w.out_width; ++i, to += w.y_pixel) std::copy_n(w.x[0] + columns[i].at[0] * w.x_pixel, w.channels, to);
        continue;
      }
      w.down = static_cast<std::int32_t>(t.weight[1]);
      w.y = y.as<std::int8_t>() + image * y.strides[0] + line * y.strides[1];
      active_kernels().int8.resize(w);
    }
  }

  /// Weights of 11 bits.
  static ResizeTaps with_whole_weights(ResizeTaps t) {
    t.weight[1] = std::nearbyint(t.weight[1] * 2048.0F);
    return t;
  }

  /// Input rows get their new width once, and stay in `wide` while output rows need them.
  void blended(const Array& x, const Array& y, Range rows, ResizeWork& w, float* wide, std::int64_t row_size) const {
    const bool no_gaps = y.strides[2] == y.shape[3];
    BlendWork b{};
    b.taps = w.taps;
    b.y_row = y.strides[2];
    b.rows = no_gaps ? 1 : y.shape[2];
    b.columns = no_gaps ? y.shape[2] * y.shape[3] : y.shape[3];
    std::array<std::int64_t, 4> held;  // rows of the input, counted through all images
    held.fill(-1);
    for (std::int64_t row = rows.begin; row < rows.end; ++row) {
      const std::int64_t image = row / y.shape[1], line = row % y.shape[1];
      const ResizeTaps& t = w.columns[w.out_width + line];
      const auto needs = [&](std::int64_t r) {
        return std::any_of(t.at, t.at + b.taps, [&](int at) { return image * x.shape[1] + at == r; });
      };
      for (int k = 0; k < b.taps; ++k) {
        const std::int64_t wanted = image * x.shape[1] + t.at[k];
        auto* place = std::find(held.begin(), held.begin() + b.taps, wanted);
        if (place == held.begin() + b.taps) {
          place = std::find_if_not(held.begin(), held.begin() + b.taps, needs);
          *place = wanted;
          w.x = row_of(x, image, t.at[k]);
          w.y = wide + (place - held.begin()) * row_size;
          active_kernels().tensor.resize(w);
        }
        b.x[k] = wide + (place - held.begin()) * row_size;
        b.weights[k] = t.weight[k];
      }
      b.y = y.as<float>() + image * y.strides[0] + line * y.strides[1];
      active_kernels().tensor.blend(b);
    }
  }

  /// The input coordinate of output i of an axis.
  float coordinate(int axis, std::int64_t i, std::int64_t in, std::int64_t out) const {
    const auto at = static_cast<float>(i);
    const float scale = scale_[static_cast<std::size_t>(axis)];
    switch (coordinates_) {
      case Coordinates::pytorch_half_pixel:
        if (out == 1) return 0.0F;
        [[fallthrough]];
      case Coordinates::half_pixel:
        return (at + 0.5F) / scale - 0.5F;
      case Coordinates::asymmetric:
        return at / scale;
      case Coordinates::align_corners:
        break;
    }
    return out == 1 ? 0.0F : at * static_cast<float>(in - 1) / static_cast<float>(out - 1);
  }

  static std::int32_t within(float i, std::int64_t in) {
    return static_cast<std::int32_t>(std::fmin(std::fmax(static_cast<double>(i), 0.0), static_cast<double>(in - 1)));
  }

  /// The nearest of the pixels. With the scale that the sizes have, in whole numbers: 20 pixels to 6 put output 4 at 14.5, which float32
  /// takes for less.
  std::int32_t nearest_pixel(int axis, std::int64_t i, std::int64_t in, std::int64_t out) const {
    const bool prefers = rounding_ == Rounding::prefer_floor || rounding_ == Rounding::prefer_ceil;
    const bool corners = coordinates_ == Coordinates::align_corners;
    const float scale = static_cast<float>(static_cast<double>(out) / static_cast<double>(in));
    if (!prefers || (corners && out == 1) || (coordinates_ == Coordinates::pytorch_half_pixel && out == 1) ||
        (!corners && scale != scale_[static_cast<std::size_t>(axis)])) {
      return within(rounded(coordinate(axis, i, in, out)), in);
    }
    // The output lies at above / (2 * below).
    const std::int64_t below = corners ? out - 1 : out;
    const std::int64_t above = corners ? 2 * i * (in - 1) : coordinates_ == Coordinates::asymmetric ? 2 * i * in : (2 * i + 1) * in - out;
    const std::int64_t pixel = rounding_ == Rounding::prefer_ceil ? (above + below) / (2 * below)
                               : above <= below                   ? 0
                                                                  : (above - below - 1) / (2 * below) + 1;
    return static_cast<std::int32_t>(std::clamp<std::int64_t>(pixel, 0, in - 1));
  }

  float rounded(float at) const {
    switch (rounding_) {
      case Rounding::prefer_floor:
        return std::ceil(at - 0.5F);
      case Rounding::prefer_ceil:
        return std::floor(at + 0.5F);
      case Rounding::floor:
        return std::floor(at);
      case Rounding::ceil:
        break;
    }
    return std::ceil(at);
  }

  /// The cubic convolution kernel (Keys, 1981) with a = -0.75.
  static float cubic_near(float s) { return (1.25F * s - 2.25F) * s * s + 1.0F; }
  static float cubic_far(float s) { return ((-0.75F * s + 3.75F) * s - 6.0F) * s + 3.0F; }

  ResizeTaps taps_of(int axis, std::int64_t i, std::int64_t in, std::int64_t out) const {
    if (function_ == Function::nearest) return {{nearest_pixel(axis, i, in, out)}, {1.0F}};
    const float at = coordinate(axis, i, in, out);
    if (function_ == Function::linear) {
      const float inside = std::fmin(std::fmax(at, 0.0F), static_cast<float>(in - 1));
      const std::int32_t first = within(std::floor(inside), in), second = within(static_cast<float>(first) + 1.0F, in);
      const float part = inside - static_cast<float>(first);
      return {{first, second}, {1.0F - part, part}};
    }
    const float first = std::floor(at), s = at - first;
    return {{within(first - 1.0F, in), within(first, in), within(first + 1.0F, in), within(first + 2.0F, in)},
            {cubic_far(s + 1.0F), cubic_near(s), cubic_near(1.0F - s), cubic_far(2.0F - s)}};
  }

  Function function_;
  Coordinates coordinates_;
  Rounding rounding_;
  Dims size_;
  std::array<float, 2> scale_{};
};

constexpr AttributeSchema kResizeAttributes[] = {{"function", AttributeType::choice, Presence::required, kResizeFunctions},
                                                 {"coordinates", AttributeType::choice, Presence::required, kCoordinates},
                                                 {"rounding", AttributeType::choice, Presence::optional, kRounding},
                                                 {"size", AttributeType::pair},
                                                 {"scale", AttributeType::real_pair}};
constexpr OpSchema kResizeOps[] = {{"resize", make<Resize>, 1, 1, kResizeAttributes}};

}  // namespace

ConstSpan<OpSchema> resize_ops() { return kResizeOps; }

}  // namespace dwsep::runtime
