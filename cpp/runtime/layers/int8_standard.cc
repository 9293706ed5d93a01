// Conv2D of int8: the inputs of some output pixels are gathered, then a matrix product for each group, or for several of few channels.
#include <algorithm>
#include <cstring>
#include <vector>

#include "runtime/dispatch.hpp"
#include "runtime/layers/int8_layers.hpp"
#include "runtime/layers/int8_windows.hpp"
#include "runtime/layers/stages.hpp"
#include "runtime/memory/buffer.hpp"

namespace dwsep::runtime {
namespace {

/// Groups that are computed as one, with zeros for each other's inputs: two vectors of sums. With one sum for each of few channels most
/// lanes are idle, and a few bytes at a time are gathered and rounded (28x28x256, 3x3 in 64 groups: 980 us, together 190).
std::int64_t groups_together(const StandardFilter& f) {
  constexpr std::int64_t kMostRows = 2048, kMost = 16;  // of weights, most of which are zeros; they grow as many times
  const std::int64_t columns = f.out / f.groups, rows = f.kh * f.kw * (f.in / f.groups);
  for (std::int64_t n = std::min({2 * active_kernels().lanes / columns, kMostRows / rows, f.groups, kMost}); n > 1; --n) {
    if (f.groups % n == 0) return n;
  }
  return 1;
}

/// The weights of so many groups after each other as those of one: rows are taps of the inputs of all, of which each output has weights for
/// its own.
std::vector<std::uint8_t> block_diagonal(const StandardFilter& f, std::int64_t together) {
  const Affine w = checked_affine(f.dtype, f.quantization, "weight", f.out, Scales::one_or_each);
  const std::int64_t in = f.in / f.groups, columns = f.out / f.groups;
  const auto* const from = static_cast<const std::uint8_t*>(f.weight);
  std::vector<std::uint8_t> all;
  for (std::int64_t row = 0; row < f.kh * f.kw * in * together; ++row) {
    const std::int64_t tap = row / (in * together), group = row / in % together, source = tap * in + row % in;
    for (std::int64_t c = 0; c < f.out; ++c) {
      const bool own = c / columns % together == group;
      all.push_back(own ? from[source * f.out + c] : static_cast<std::uint8_t>(w.zero(c) ^ w.flip()));
    }
  }
  return all;
}

class Int8Standard final : public PackedLayer {
 public:
  Int8Standard(const StandardFilter& f, const ConvOptions& options, const Activation& activation, const TensorTypes& types)
      : kh_(f.kh), kw_(f.kw), in_(f.in), out_(f.out), group_k_(f.kh * f.kw * (f.in / f.groups)), options_(options), types_(types) {
    const Int8Tensors tensors = checked_tensors(types, f.in, f.out, Scales::one);
    const std::int64_t together = groups_together(f), k = group_k_ * together, columns = f.out / f.groups * together;
    const std::vector<std::uint8_t> joined = together > 1 ? block_diagonal(f, together) : std::vector<std::uint8_t>();
    const void* const weight = together > 1 ? joined.data() : f.weight;
    for (std::int64_t first = 0; first < f.out; first += columns) {
      const Int8Filter filter{
          "weight", Family::pointwise, weight, f.dtype, f.bias_dtype, f.quantization, f.bias, k, columns, 1, 1, 1, first, f.out};
      groups_.emplace_back(filter, tensors, activation);
    }
  }

  Shape output_shape(const Shape& x) const override {
    check_channels("x", in_, x.c);
    const Geometry g = geometry(x);
    return {x.n, g.out_h, g.out_w, out_};
  }

  const LayerTypes& types() const noexcept override { return types_; }

  int useful_threads(const Shape& x, int threads) const override {
    const Geometry g = geometry(x);
    return worthwhile_threads(threads, {0, 0}, {flops(g, x), 0}, bytes(g, x));
  }

  std::int64_t scratch_bytes(const Shape&, int threads) const override {
    return measure([&](Scratch& s) { place(threads, s); });
  }

  void run(Team& team, const ConstTensor& x, const Tensor& y, const ConstTensor* residual, Scratch scratch) const noexcept override {
    const Geometry g = geometry(x.shape);
    const Pieces mine = place(team.size(), scratch);
    const std::int64_t pixels = g.out_h * g.out_w;
    const bool in_place = reads_in_place(g, x), one_run = is_one_run(y, residual);
    const std::int64_t all = x.shape.n * pixels, block = in_place ? pixels : block_pixels();
    if (!in_place && k() < k_padded()) {
      std::memset(mine.windows[team.rank()], 0, static_cast<std::size_t>(std::min(ceil_div(all, team.size()), block) * k_padded()));
    }
    std::int8_t* const windows = in_place ? nullptr : mine.windows[team.rank()];
    const std::int64_t least = worthwhile_piece({0, 0}, {flops(g, x.shape), 0}, all);
    share_pixels(team, all, least, [&](std::int64_t begin, std::int64_t stop) {
      for_each_piece({begin, stop}, pixels, block, [&](std::int64_t image, Range piece) {
        for (std::int64_t first = piece.begin; first < piece.end;) {
          const std::int64_t end = one_run ? piece.end : std::min(piece.end, (first / g.out_w + 1) * g.out_w);
          for (std::size_t group = 0; group < groups_.size(); ++group) {
            groups_[group].run(work(g, x, y, residual, group, image, {first, end}, windows), mine.floats[team.rank()]);
          }
          first = end;
        }
      });
    });
  }

  std::unique_ptr<PreparedCall> prepare(const ConstTensor& x, const Tensor& y, const ConstTensor* residual,
                                        Scratch scratch) const override {
    const Geometry g = geometry(x.shape);
    if (x.shape.n != 1 || !reads_in_place(g, x) || !is_one_run(y, residual)) return nullptr;
    float* const floats = place(1, scratch).floats[0];
    return prepared(work(g, x, y, residual, 0, 0, {0, g.out_h * g.out_w}, nullptr),
                    [this, floats](const Int8GemmWork& w) { groups_.front().run(w, floats); });
  }

  Plan plan(const Shape& x, int threads) const override {
    const Geometry g = geometry(x);
    return {"standard, gathered windows and matrix product",
            groups_.front().kernel_name(),
            "pixels",
            useful_threads(x, threads),
            flops(g, x),
            bytes(g, x)};
  }

  std::int64_t packed_bytes() const override {
    std::int64_t bytes = 0;
    for (const Int8Stage& stage : groups_) bytes += stage.packed_bytes();
    return bytes;
  }

 private:
  struct Pieces {
    PerThread<std::int8_t> windows;
    PerThread<float> floats;
  };

  Geometry geometry(const Shape& x) const { return resolve(options_, kh_, kw_, x); }
  std::int64_t k() const { return groups_.front().k(); }
  std::int64_t k_padded() const { return groups_.front().k_padded(); }

  Pieces place(int threads, Scratch& s) const {
    return {s.take_each<std::int8_t>(threads, product({block_pixels(), k_padded()})),
            s.take_each<float>(threads, groups_.front().finish_floats(1))};
  }

  /// Pixels whose windows are gathered at a time: they stay in the level-1 cache, and are enough for whole register tiles.
  std::int64_t block_pixels() const {
    constexpr std::int64_t kBlockBytes = 24 * 1024;
    return std::clamp<std::int64_t>(kBlockBytes / k_padded(), 24, 480);
  }

  double flops(const Geometry& g, const Shape& x) const { return 2.0 * magnitude(x.n, g.out_h, g.out_w, group_k_, out_); }
  double bytes(const Geometry& g, const Shape& x) const {
    return tensor_bytes(x, types_.x.dtype) + tensor_bytes({x.n, g.out_h, g.out_w, out_}, types_.y.dtype) + magnitude(k() + 8, out_);
  }

  /// Whether all windows lie in x as they are, evenly spaced: each a row of pixels next to each other, none of them padding.
  bool reads_in_place(const Geometry& g, const ConstTensor& x) const {
    const auto inside = [](std::int64_t pad, std::int64_t out, std::int64_t stride, std::int64_t taps, std::int64_t size) {
      return pad == 0 && (out - 1) * stride + taps <= size;
    };
    return groups_.size() == 1 && g.kh == 1 && (g.kw == 1 || (g.dilation_w == 1 && x.stride_w == in_)) &&
           inside(g.pad_top, g.out_h, g.stride_h, 1, x.shape.h) && inside(g.pad_left, g.out_w, g.stride_w, g.kw, x.shape.w) &&
           (g.out_h == 1 || x.stride_h * g.stride_h == g.out_w * g.stride_w * x.stride_w);
  }
  /// Outputs of several rows are one run where rows follow each other as pixels do.
  static bool is_one_run(const ConstTensor& y, const ConstTensor* residual) {
    const auto even = [](const ConstTensor& t) { return t.shape.h == 1 || t.stride_h == t.shape.w * t.stride_w; };
    return even(y) && (residual == nullptr || even(*residual));
  }

  /// Output pixels of a group, whose windows are gathered unless they are read in place.
  Int8GemmWork work(const Geometry& g, const ConstTensor& x, const Tensor& y, const ConstTensor* residual, std::size_t group,
                    std::int64_t image, Range pixels, std::int8_t* gathered) const {
    const Int8Stage& stage = groups_[group];
    const auto channels = in_ / static_cast<std::int64_t>(groups_.size()), first = static_cast<std::int64_t>(group) * stage.columns();
    Int8Source source = image_of_int8(x, image);
    source.data += static_cast<std::int64_t>(group) * channels;
    const std::int64_t row = pixels.begin / g.out_w, column = pixels.begin % g.out_w;
    const auto offset = [&](const ConstTensor& t) { return image * t.stride_n + row * t.stride_h + column * t.stride_w + first; };
    Int8GemmWork w = stage.gemm();
    if (gathered == nullptr) {
      w.a = source.data + row * g.stride_h * source.row + column * g.stride_w * source.pixel;
      w.a_row = g.stride_w * source.pixel;
    } else {
      Windows(g, source, channels, *stage.x_zero(), k_padded()).gather(pixels, gathered);
      w.a = gathered;
      w.a_row = w.k = k_padded();
    }
    w.y = y.as<std::byte>() + offset(y) * stage.y_size();
    w.y_row = y.stride_w;
    if (residual != nullptr) {
      w.residual.data = residual->as<std::int8_t>() + offset(*residual);
      w.residual.row = residual->stride_w;
    }
    w.rows = pixels.end - pixels.begin;
    return w;
  }

  std::int64_t kh_, kw_, in_, out_, group_k_;
  ConvOptions options_;
  LayerTypes types_;
  std::vector<Int8Stage> groups_;
};

}  // namespace

std::shared_ptr<const PackedLayer> make_int8_standard(const StandardFilter& f, const ConvOptions& options, const Activation& activation,
                                                      const TensorTypes& types) {
  check_options(options, f.kh, f.kw);
  check_weights(f.weight, {f.kh, f.kw, f.in / f.groups, f.out});
  return std::make_shared<Int8Standard>(f, options, activation, types);
}

}  // namespace dwsep::runtime
