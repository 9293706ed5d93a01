// DepthwiseConv2D: one stage, its output pixels divided among threads.
#include <algorithm>
#include <utility>

#include "runtime/dispatch.hpp"
#include "runtime/layers/cache_blocks.hpp"
#include "runtime/layers/families.hpp"
#include "runtime/layers/int8_layers.hpp"
#include "runtime/layers/stages.hpp"
#include "runtime/memory/buffer.hpp"
#include "runtime/memory/out_of_cache.hpp"

namespace dwsep {
namespace {

using namespace runtime;

template <class T>
auto row_of(const T& t, std::int64_t image, std::int64_t row) {
  return t.template as<float>() + image * t.stride_n + row * t.stride_h;
}

class Depthwise final : public PackedLayer {
 public:
  Depthwise(PackedDepthwise filter, const ConvOptions& options, const Activation& activation)
      : stage_(std::move(filter), options, activation) {}

  Shape output_shape(const Shape& x) const override {
    check_channels("x", stage_.packed().channels, x.c);
    const Geometry g = stage_.geometry(x);
    return {x.n, g.out_h, g.out_w, stage_.packed().outputs()};
  }

  int useful_threads(const Shape& x, int threads) const override {
    const Geometry g = stage_.geometry(x);
    return worthwhile_threads(threads, {0, stage_.flops(g, x.n) * taps_inside(g, x)}, {0, 0}, bytes(g, x));
  }

  std::int64_t scratch_bytes(const Shape& x, int threads) const override {
    const Geometry g = stage_.geometry(x);
    return may_stream(g, bytes(g, x)) ? measure([&](Scratch& s) { staged_rows(g, threads, s); }) : 0;
  }

  void run(Team& team, const ConstTensor& x, const Tensor& y, const ConstTensor* residual, Scratch scratch) const noexcept override {
    const Geometry g = stage_.geometry(x.shape);
    const double all_bytes = bytes(g, x.shape);
    const bool streams = may_stream(g, all_bytes) && exceeds_caches(all_bytes, x, y, kStreamedShare);
    StoreTrial trial(all_bytes, x.shape.n * ceil_div(g.out_h, rows_at_a_time(g)) / team.size(), votes_);
    float* const staging = streams ? staged_rows(g, team.size(), scratch)[team.rank()] : nullptr;
    const std::int64_t all = stage_.packed().vectors, all_rows = x.shape.n * g.out_h;
    const Work work_done{0, stage_.flops(g, x.shape.n) * taps_inside(g, x.shape)};
    share_rows(
        team, x.shape.n, g.out_h, all, streams ? all_rows : worthwhile_piece(work_done, {0, 0}, all_rows),
        [&](std::int64_t image, Range rows, Range vectors) {
          if (streams && vectors.end - vectors.begin == all) return run_streamed(g, x, y, residual, image, rows, staging, trial);
          run_rows(g, x, residual, image, rows, vectors, {row_of(y, image, rows.begin), y.stride_h, y.stride_w});
        },
        is_low(g));
  }

  std::unique_ptr<PreparedCall> prepare(const ConstTensor& x, const Tensor& y, const ConstTensor* residual,
                                        Scratch /*scratch*/) const override {
    const Geometry g = stage_.geometry(x.shape);
    if (x.shape.n != 1 || may_stream(g, bytes(g, x.shape))) return nullptr;
    const Target target{row_of(y, 0, 0), y.stride_h, y.stride_w};
    return prepared(work(g, x, residual, 0, {0, g.out_h}, {0, stage_.packed().vectors}, target),
                    [this](const DepthwiseWork& w) { stage_.run(w); });
  }

  Plan plan(const Shape& x, int threads) const override {
    const Geometry g = stage_.geometry(x);
    return {may_stream(g, bytes(g, x)) ? "depthwise, streamed" : "depthwise",  // if contiguous, and if a trial finds it faster
            stage_.kernel_name(),
            "rows",
            useful_threads(x, threads),
            stage_.flops(g, x.n),
            bytes(g, x)};
  }

 private:
  double bytes(const Geometry& g, const Shape& x) const {
    return tensor_bytes(x) + tensor_bytes({x.n, g.out_h, g.out_w, stage_.packed().outputs()}) + stage_.weight_bytes();
  }

  /// Whole rows of one image, to `y`.
  void run_rows(const Geometry& g, const ConstTensor& x, const ConstTensor* residual, std::int64_t image, Range rows, Range vectors,
                const Target& y) const {
    stage_.run(work(g, x, residual, image, rows, vectors, y));
  }
  DepthwiseWork work(const Geometry& g, const ConstTensor& x, const ConstTensor* residual, std::int64_t image, Range rows, Range vectors,
                     const Target& y) const {
    DepthwiseWork w = stage_.work(g, image_of(x, image), y);
    set_area(w, {rows, {0, g.out_w}, vectors}, y.data);
    if (residual != nullptr) set_residual(w, row_of(*residual, image, rows.begin), residual->stride_h, residual->stride_w);
    return w;
  }

  /// Of the last cache, from which on calls try whether to stream.
  static constexpr double kStreamedShare = 0.125;

  /// Output rows computed at a time when streaming; kernels do not gain from more, and what rows of stride 2 read leaves a small cache.
  static std::int64_t rows_at_a_time(const Geometry& g) { return (g.stride_h > 1 ? 2 : 4) * g.dilation_h; }
  PerThread<float> staged_rows(const Geometry& g, int threads, Scratch& s) const {
    return s.take_each<float>(threads, product({std::min(rows_at_a_time(g), g.out_h), g.out_w, stage_.packed().outputs()}));
  }
  /// Whether such rows are worth their scratch: with a large dilation they are many, and would be in main memory themselves.
  bool may_stream(const Geometry& g, double all_bytes) const {
    return may_exceed_caches(all_bytes, kStreamedShare) && measure([&](Scratch& s) { staged_rows(g, 1, s); }) <= 16 * cache_budget();
  }

  /// Rows of one image whose input and output are, or may be, in main memory: a few rows are fetched, computed to scratch, and stored past
  /// the caches, which need not read the output's lines then. 147x147x128 took 2250 us directly, 1650 with its input fetched, 1040 with
  /// both.
  void run_streamed(const Geometry& g, const ConstTensor& x, const Tensor& y, const ConstTensor* residual, std::int64_t image, Range rows,
                    float* scratch, StoreTrial& trial) const {
    const std::int64_t row = g.out_w * stage_.packed().outputs(), most = rows_at_a_time(g);
    RowsToFetch next{};  // but for what is fetched already
    bool ahead = false;
    for (Range part = rows; part.begin < rows.end; part.begin = part.end) {
      const bool past = trial.past_caches();
      // Each sub-grid of a dilation walks all rows of a call: of few, which stay in a cache.
      part.end = std::min({part.begin + trial.rows(most), rows.end, g.dilation_h > 1 ? part.begin + 4 * most : rows.end});
      trial.measure(part.end - part.begin, [&] {
        float* const to = row_of(y, image, part.begin);
        const Range all{0, stage_.packed().vectors};
        if (!std::exchange(ahead, past) && past) next = rows_to_fetch(g, x, image, part, part.begin > rows.begin);
        if (!past) return run_rows(g, x, residual, image, part, all, {to, y.stride_h, y.stride_w});
        fetch(next);
        run_rows(g, x, residual, image, part, all, {scratch, row, stage_.packed().outputs()});
        const std::int64_t count = (part.end - part.begin) * row;
        const Range following{part.end, std::min(part.end + most, rows.end)};
        next = following.begin < following.end ? rows_to_fetch(g, x, image, following, true) : RowsToFetch{};
        const std::int64_t meanwhile = std::min(next.end - next.begin, count);
        active_kernels().copy_nontemporal({scratch, count, to, next.begin, meanwhile});
        next.begin += meanwhile;
      });
    }
  }

  DepthwiseStage stage_;
  mutable StoreVotes votes_;  ///< no result depends on them
};

}  // namespace

namespace runtime {

std::shared_ptr<const PackedLayer> make_depthwise(PackedDepthwise filter, const ConvOptions& options, const Activation& activation) {
  return std::make_shared<Depthwise>(std::move(filter), options, activation);
}

}  // namespace runtime

DepthwiseConv2D::DepthwiseConv2D(const DepthwiseFilter& filter, const ConvOptions& options, const Activation& activation,
                                 const TensorTypes& types)
    : Layer(is_int8(types) ? make_int8_depthwise(filter, options, activation, types)
                           : (check_float_types(types), make_depthwise(checked_pack(filter, options), options, activation))) {}

}  // namespace dwsep
