// PointwiseConv2D of float32.
#include <algorithm>
#include <cstring>
#include <mutex>
#include <utility>

#include "dwsep/cpu.hpp"
#include "runtime/dispatch.hpp"
#include "runtime/layers/cache_blocks.hpp"
#include "runtime/layers/families.hpp"
#include "runtime/layers/int8_layers.hpp"
#include "runtime/layers/pointwise_layer.hpp"
#include "runtime/layers/stages.hpp"
#include "runtime/memory/out_of_cache.hpp"

namespace dwsep {
namespace {

using namespace runtime;

class FloatPixels {
 public:
  static constexpr bool kInt8 = false, kPlanes = true;  ///< reads and writes them as well
  FloatPixels(PackedMatrix filter, const Activation& activation) : stage_(std::move(filter), activation) {}

  std::int64_t k() const { return stage_.packed().k; }
  std::int64_t columns() const { return stage_.packed().columns; }
  std::int64_t panels() const { return stage_.packed().panels; }
  static const LayerTypes& types() { return kFloatTypes; }
  static std::int64_t scratch_floats() { return 0; }
  double flops(double pixels) const { return stage_.flops(pixels); }
  double weight_bytes() const { return stage_.weight_bytes(); }
  static std::int64_t packed_bytes() { return 0; }
  std::string kernel_name() const { return stage_.kernel_name(); }
  bool split_by_panels(std::int64_t pixels, int threads) const {
    return runtime::split_by_panels(columns_of(stage_.packed()), pixels, pixels, threads);
  }

  void run_pixels(const PixelRun& r, Range panels, double bytes, float* /*scratch*/) const {
    const GemmWork w = work(r, panels, bytes);
    if (w.far) return stage_.run(w);
    // What has more inputs than outputs to each pixel waits for them: 8x56x56 144->24 took 3700 us, fetched 2200. On Zen 3, with 32 MB of
    // level-3 cache, a quarter of it is enough, with up to twice as many outputs: 74x74 128->256 gains 2 to 19 %;
    // 4 MB of 74x74 64->128 lose 2, and 112x112 16->96 as much.
    stage_.run(w, w.columns <= 2 * w.k && exceeds_caches(bytes, r.x, r.y, kFetchedShare));
  }

  /// Of planes the product is turned: rows are output channels, and lanes pixels. Then what it stores waits for memory next to
  /// multiplications, and inputs in planes are only copied. The weights, turned as well, should stay in the level-2 cache, and packing few
  /// inputs pay for not turning many outputs. AVX-512 was not timed.
  bool takes_planes() const { return stage_.packed().lanes == 8; }
  bool makes_planes() const {
    const PackedMatrix& m = stage_.packed();
    return takes_planes() && m.slopes == nullptr && bytes_of<float>(m.k * m.columns) <= cache_sizes().l2 / 2 && m.k <= 4 * m.columns;
  }

  /// Once, when a plan is made that makes planes.
  void turn_weights() const {
    std::call_once(turn_, [&] {
      const PackedMatrix& m = stage_.packed();
      turned_ = shared_array<float>(product({turned_row(), columns()}));
      float* const rows = turned_.get();
      for_each_panel(m, {0, m.panels}, [&](std::int64_t first, std::int64_t width, std::int64_t exist) {
        active_kernels().tensor.transpose(
            {m.weights.get() + first * m.k, rows + first * turned_row() + 1, width, turned_row(), m.k, exist});
        for (std::int64_t i = first; i < first + exist; ++i) rows[i * turned_row()] = m.bias.get()[i];
      });
    });
  }

  struct PlaneScratch {
    float *bias, *block;  ///< of inputs, in pixels or panels
  };
  /// Pixels at a time: a quarter of the level-2 cache.
  std::int64_t plane_block() const {
    constexpr std::int64_t kPixels = 48;  // whole panels of any width
    return std::max<std::int64_t>(cache_sizes().l2 / 4 / bytes_of<float>(turned_row()) / kPixels, 1) * kPixels;
  }
  PerThread<float> plane_pieces(int threads, Scratch& s) const { return s.take_each<float>(threads, plane_block() * (turned_row() + 1)); }
  /// A bias is the first product of its row, by 1: added to -0 it keeps its bits.
  PlaneScratch plane_scratch(const Team& team, ChannelSteps steps, Scratch& scratch) const {
    float* const bias = plane_pieces(team.size(), scratch)[team.rank()];
    if (steps.y == 1) return {nullptr, bias};
    std::fill_n(bias, plane_block(), -0.0F);
    return {bias, bias + plane_block()};
  }

  void run_planes(const PixelRun& r, ChannelSteps steps, const PlaneScratch& own) const {
    const auto& turn = active_kernels().tensor.transpose;
    const float* const x = r.x.as<float>() + r.x_offset;
    float* const y = r.y.as<float>() + r.y_offset;
    if (steps.y == 1) {
      turn({x, own.block, steps.x, turned_row(), k(), r.pixels});
      return stage_.run(stage_.work(own.block, turned_row(), y, r.y.stride_w, r.pixels));
    }
    const PackedMatrix b = matrix_layout(k() + 1, r.pixels, stage_.packed().lanes, HalfPanel::none);
    for_each_panel(b, {0, b.panels}, [&](std::int64_t first, std::int64_t width, std::int64_t exist) {
      float* const panel = own.block + first * b.k;
      if (exist < width) std::fill_n(panel, width * b.k, 0.0F);
      std::fill_n(panel, width, 1.0F);
      if (steps.x == 1) turn({x + first * r.x.stride_w, panel + width, r.x.stride_w, width, exist, k()});
    });
    for (std::int64_t c = 0; c < k() && steps.x != 1; ++c) copy_plane(b, x + c * steps.x, own.block, c + 1);
    GemmWork w = b.work();
    w.a = turned_.get();
    w.a_row = turned_row();
    w.b = own.block;
    w.bias = own.bias;
    w.y = y;
    w.y_row = steps.y;
    w.rows = columns();
    w.block_rows = gemm_block_rows(b.k);
    w.activation = stage_.work(nullptr, 0, nullptr, 0, 0).activation;
    active_kernels().gemm(w);
  }

  std::unique_ptr<PreparedCall> prepare_pixels(const PixelRun& r, double bytes, float* /*scratch*/) const {
    if (may_exceed_caches(bytes, kFetchedShare)) return nullptr;
    return prepared(work(r, {0, panels()}, bytes), [this](const GemmWork& w) { stage_.run(w); });
  }

 private:
  static constexpr double kFetchedShare = 0.25;

  std::int64_t turned_row() const { return scratch_pixel<float>(k() + 1); }

  /// f(first column, width, columns that exist).
  template <class F>
  static void for_each_panel(const PackedMatrix& m, Range panels, const F& f) {
    for (std::int64_t p = panels.begin; p < panels.end; ++p) {
      const std::int64_t first = p * m.panel_vectors * m.lanes;
      const std::int64_t width = std::int64_t{p + 1 < m.panels ? m.panel_vectors : m.last_panel_vectors} * m.lanes;
      f(first, width, std::min(m.columns - first, width));
    }
  }

  /// Row k of panels. Not by a call for each piece.
  static void copy_plane(const PackedMatrix& b, const float* x, float* panels, std::int64_t k) {
    for_each_panel(b, {0, b.panels}, [&](std::int64_t first, std::int64_t width, std::int64_t exist) {
      float* const to = panels + first * b.k + k * width;
      std::int64_t i = 0;
      for (; i + 4 <= exist; i += 4) std::memcpy(to + i, x + first + i, 4 * sizeof(float));
      for (; i < exist; ++i) to[i] = x[first + i];
    });
  }

  GemmWork work(const PixelRun& r, Range panels, double bytes) const {
    GemmWork w = stage_.work(r.x.as<float>() + r.x_offset, r.x.stride_w, r.y.as<float>() + r.y_offset, r.y.stride_w, r.pixels);
    if (r.residual != nullptr) {
      w.residual = r.residual->as<float>() + r.residual_offset;
      w.residual_row = r.residual->stride_w;
    }
    // 56x56 192->192 takes 1.1 times as long without, 112x112 128->64 1.15 to 1.23 (AMD EPYC, Zen 3, AVX2, 2026-11-29).
    // Of fewer inputs than 64 those of more bytes, 5.6 MB and up: 224x224 16->32 1.33, 160x160 16->96 1.15, 112x112 24->144 1.09,
    // 16->96 1.03.
    w.far = stage_.fetches_far(w) && bytes > (w.k < 64 ? 8.0 : 4.0) * static_cast<double>(cache_sizes().l2);
    w.panel_begin = panels.begin;
    w.panel_end = panels.end;
    return w;
  }

  PointwiseStage stage_;
  mutable std::once_flag turn_;
  mutable std::shared_ptr<float> turned_;  ///< weights of planes: rows of columns, each after its bias
};

}  // namespace

namespace runtime {

std::shared_ptr<const PackedLayer> make_pointwise(PackedMatrix filter, const Activation& activation) {
  return std::make_shared<PointwiseLayer<FloatPixels>>(std::move(filter), activation);
}

}  // namespace runtime

PointwiseConv2D::PointwiseConv2D(const PointwiseFilter& filter, const Activation& activation, const TensorTypes& types)
    : Layer(is_int8(types) ? make_int8_pointwise(filter, activation, types)
                           : (check_float_types(types), make_pointwise(checked_pack(filter), activation))) {}

}  // namespace dwsep
