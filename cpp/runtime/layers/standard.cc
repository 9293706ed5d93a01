// Standard convolutions of float32: implicit matrix products, one for each group.
#include <algorithm>
#include <optional>
#include <vector>

#include "runtime/dispatch.hpp"
#include "runtime/layers/families.hpp"
#include "runtime/layers/grouped.hpp"
#include "runtime/layers/stages.hpp"
#include "runtime/layers/standard_areas.hpp"
#include "runtime/layers/standard_padded.hpp"
#include "runtime/layers/standard_pixels.hpp"
#include "runtime/memory/buffer.hpp"

namespace dwsep {
namespace {

using namespace runtime;

class Standard final : public PackedLayer {
 public:
  Standard(std::vector<PackedMatrix> groups, std::int64_t kh, std::int64_t kw, std::int64_t in, std::int64_t out,
           const ConvOptions& options, const Activation& activation)
      : kh_(kh), kw_(kw), in_(in), out_(out), options_(options), activation_(activation), groups_(std::move(groups)) {
    check_options(options, kh, kw);
    check_activation(activation);
    const std::int64_t count = static_cast<std::int64_t>(groups_.size());
    check_groups(count, in, out);
    for (const PackedMatrix& p : groups_) {
      check_lanes(p.lanes);
      const auto text = [](std::int64_t k, std::int64_t columns) { return std::to_string(k) + " x " + std::to_string(columns); };
      const std::int64_t k = kh * kw * (in / count), columns = out / count;
      if (p.k != k || p.columns != columns) reject("weights of a group", text(k, columns), text(p.k, p.columns));
    }
    if (lanes_are_groups(groups_, kh * kw, options)) by_groups_.emplace(groups_, kh * kw);
    zeros_ = !by_groups_ && kh * kw > 1 && zeros_change_nothing(groups_);
    for (const PackedMatrix& p : groups_) weights_.push_back({p.weights.get(), p.bias.get()});
  }

  Shape output_shape(const Shape& x) const override {
    check_channels("x", in_, x.c);
    const Geometry g = resolve(options_, kh_, kw_, x);
    return {x.n, g.out_h, g.out_w, out_};
  }

  int useful_threads(const Shape& x, int threads) const override {
    const Geometry g = resolve(options_, kh_, kw_, x);
    return worthwhile_threads(threads, {flops(g, x) * taps_inside(g, x), 0}, {0, 0}, bytes(g, x));
  }

  std::int64_t scratch_bytes(const Shape& shape, int threads) const override {
    const View x = turned(shape);
    if (by_groups_) {
      return measure([&](Scratch& s) {
        s.take_each<Segment>(threads, product({kh_, kw_}));
        s.take_each<float>(threads, grouped_areas(x).floats);
      });
    }
    if (gathers(x)) {
      return measure([&](Scratch& s) { s.take_each<float>(threads, gathered_floats(x.geometry, channels())); });
    }
    return measure([&](Scratch& s) {
      const StandardAreas a = areas(x);
      standard_scratch(x.geometry, a, groups_.front(), false, threads, s);
      s.take_each<float>(threads, copied_floats(x, a));
    });
  }

  bool takes_planes(const Shape& x) const override {
    const View v = turned(x);
    return !by_groups_ && !v.column && !gathers(v) && areas(v).planes > 0 && groups_.front().slopes == nullptr;
  }

  void run(Team& team, const ConstTensor& x, const Tensor& y, const ConstTensor* residual, Scratch scratch) const noexcept override {
    run_channels(team, x, y, residual, {1, 1}, scratch);
  }
  void run_planes(Team& team, const ConstTensor& x, const Tensor& y, ChannelSteps steps, Scratch scratch) const noexcept override {
    run_channels(team, x, y, nullptr, steps, scratch);
  }

  void run_channels(Team& team, const ConstTensor& x, const Tensor& y, const ConstTensor* residual, ChannelSteps steps,
                    Scratch scratch) const noexcept {
    const View v = turned(x.shape);
    const Geometry& g = v.geometry;
    if (by_groups_) {
      const GroupedAreas a = grouped_areas(v);
      Segment* const segments = scratch.take_each<Segment>(team.size(), product({kh_, kw_}))[team.rank()];
      float* const own = scratch.take_each<float>(team.size(), a.floats)[team.rank()];
      return for_each_rows(x.shape.n, g.out_h, by_groups_->vectors, team.rank(), team.size(),
                           [&](std::int64_t image, Range rows, Range vectors) {
                             StandardWork w = work(v, x, y, residual, 0, image);
                             w.segments = segments;
                             run_grouped(w, *by_groups_, a, rows, vectors, own);
                           });
    }
    const std::int64_t all_rows = x.shape.n * g.out_h, panels = groups_.front().panels;
    const bool by_panels = by_panels_of_all(all_rows * g.out_w, all_rows, team.size());
    const Range rows = by_panels ? Range{0, all_rows} : part_of(all_rows, team.rank(), team.size());
    const Range mine = by_panels ? part_of(panels_of_all(), team.rank(), team.size()) : Range{0, panels_of_all()};
    const bool gathered = gathers(v);
    StandardAreas a = gathered ? StandardAreas{} : areas(v);
    StandardScratch own{};
    if (!gathered) own = standard_scratch(g, a, groups_.front(), false, team.size(), scratch);
    const std::int64_t floats = gathered ? gathered_floats(g, channels()) : copied_floats(v, a);
    float* const pixels = scratch.take_each<float>(team.size(), floats)[team.rank()];
    const std::int64_t at_once = gathered ? 0 : groups_at_once(v, a), count = static_cast<std::int64_t>(groups_.size());
    if (at_once > 0 && activation_.kind != ActivationKind::clip) {  // which follow on rows that are in a cache
      a.rows = std::clamp<std::int64_t>(cached_floats() / product({a.columns, out_}), 1, a.rows);
    }
    const std::int64_t apart = a.planes + a.padded > 0 || at_once == count ? 0 : apart_rows(v);
    const bool late = a.planes == 0 && activates_late();
    const std::int64_t most = late ? std::max<std::int64_t>(cached_floats() / product({g.out_w, out_}), 1) : g.out_h;
    for_each_piece(rows, g.out_h, apart > 0 ? std::min(apart, most) : most, [&](std::int64_t image, Range piece) {
      for (std::int64_t first = mine.begin / panels * panels, some = 1; first < mine.end; first += some * panels) {
        const auto group = static_cast<std::size_t>(first / panels);
        some = first < mine.begin ? 1 : std::clamp<std::int64_t>((mine.end - first) / panels, 1, std::max<std::int64_t>(at_once, 1));
        StandardWork w = work(v, x, y, residual, group, image);
        if (late) w.gemm.activation = Activation::none();
        w.x_channel = steps.x;
        w.y_channel = steps.y;
        w.gemm.a += static_cast<std::int64_t>(group) * channels() * (steps.x - 1);
        w.gemm.y += static_cast<std::int64_t>(group) * groups_.front().columns * (steps.y - 1);
        if (at_once > 0) {
          w.groups = &weights_[group];
          w.group_count = some;
          w.x_group = channels();
        }
        w.channels *= some;
        if (apart > 0) put_apart(w, piece, pixels);
        w.channels = channels();
        if (a.padded > 0) put_zeros_around(w, piece, some, pixels);
        w.gemm.panel_begin = std::max<std::int64_t>(mine.begin - first, 0);
        w.gemm.panel_end = std::min(mine.end - first, panels);
        if (gathered) {
          run_gathered(w, piece, groups_[group], pixels);
          continue;
        }
        w.segments = own.segments[team.rank()];
        w.sums = own.sums[team.rank()];
        w.planes = own.planes[team.rank()];
        run_rows(w, a, piece, groups_[group].slopes.get());
      }
      if (late) activate(work(v, x, y, nullptr, 0, image), piece, {column_of(mine.begin), column_of(mine.end)});
    });
  }

  Plan plan(const Shape& x, int threads) const override {
    const Geometry g = turned(x).geometry;
    const int team = useful_threads(x, threads);
    if (by_groups_) return {"standard, lanes are groups", "grouped", "rows", team, flops(g, x), bytes(g, x)};
    const bool by_panels = by_panels_of_all(product({x.n, g.out_h, g.out_w}), product({x.n, g.out_h}), team);
    return {"standard, implicit matrix product",
            gemm_name(groups_.front().panel_vectors),
            by_panels ? "output channels" : "rows",
            team,
            flops(g, x),
            bytes(g, x)};
  }

  std::int64_t packed_bytes() const override { return by_groups_ ? by_groups_->bytes : 0; }

 private:
  /// An image and the geometry of its convolution. A column of pixels under filters one wide is a row: `column` says that axes are
  /// exchanged.
  struct View {
    Geometry geometry;
    Shape x;
    bool column;
  };

  /// Threads share the panels of all groups where those divide more evenly than rows: 7x7x256 in 16 groups with stride 3 has three.
  std::int64_t panels_of_all() const { return groups_.front().panels * static_cast<std::int64_t>(groups_.size()); }
  bool by_panels_of_all(std::int64_t pixels, std::int64_t rows, int threads) const {
    const PanelSizes each = columns_of(groups_.front());
    const PanelSizes all{panels_of_all(), each.width, panels_of_all() * each.width};
    return split_by_panels(each, pixels, rows, threads) || (groups_.size() > 1 && split_by_panels(all, all.columns, rows, threads));
  }
  /// The output channel that a panel of all groups begins at.
  std::int64_t column_of(std::int64_t panel) const {
    const PackedMatrix& p = groups_.front();
    return panel / p.panels * p.columns + panel % p.panels * p.panel_vectors * p.lanes;
  }

  /// Activations that are no clips wait for all panels where columns of one do not fill vectors: of six they took a third of 28x28x24 in 4
  /// groups. Not before slopes, which come after them.
  bool activates_late() const {
    const PackedMatrix& p = groups_.front();
    return activation_.kind != ActivationKind::clip && p.slopes == nullptr && p.columns % p.lanes != 0;
  }
  void activate(const StandardWork& w, Range rows, Range columns) const {
    if (columns.end <= columns.begin) return;
    const std::int64_t count = rows.end - rows.begin, step = w.y_row == w.out_width * w.y_pixel ? count : 1;
    for (std::int64_t row = rows.begin; row < rows.end; row += step) {
      float* const y = w.gemm.y + (row * w.y_row + columns.begin);
      active_kernels().tensor.map({y, y, w.y_pixel, w.y_pixel, step * w.out_width, columns.end - columns.begin, activation_});
    }
  }

  /// Output rows of a group, and slopes on some of them as soon as they are computed.
  void run_rows(const StandardWork& w, const StandardAreas& a, Range rows, const float* slopes) const {
    const auto run_some = [&](Range some) {
      (w.groups == nullptr) && pixel_by_pixel(w, some) ? run_pixels(w, some) : run_standard(w, a, some);
    };
    if (slopes == nullptr) return run_some(rows);
    const Range part = columns_of(w.gemm, groups_.front().lanes);
    const std::int64_t first = part.begin, columns = part.end - part.begin;
    if (columns < 1) return;  // of few panels a thread may have none
    const std::int64_t step = std::clamp<std::int64_t>(slope_rows(columns) / w.out_width, 1, a.rows);
    for (std::int64_t row = rows.begin; row < rows.end; row += step) {
      const Range some{row, std::min(row + step, rows.end)};
      run_some(some);
      for (std::int64_t r = some.begin; r < some.end; ++r) {
        apply_slopes(slopes + first, w.gemm.y + r * w.y_row + first, w.y_pixel, w.out_width, columns);
      }
    }
  }

  std::int64_t apart_rows(const View& v) const { return groups_.size() == 1 ? 0 : runtime::apart_rows(v.geometry, v.x, channels()); }
  std::int64_t apart_floats(const View& v) const {
    const std::int64_t rows = apart_rows(v);
    return rows == 0 ? 0 : product({input_span(rows, v.geometry.kh, v.geometry.stride_h, v.geometry.dilation_h, v.x.h), v.x.w, channels()});
  }

  std::int64_t groups_at_once(const View& v, const StandardAreas& a) const {
    return runtime::groups_at_once(v.geometry, a, groups_.front(), static_cast<std::int64_t>(groups_.size()), in_);
  }
  std::int64_t copied_floats(const View& v, const StandardAreas& a) const {
    return std::max<std::int64_t>(groups_at_once(v, a), 1) * (apart_floats(v) + a.padded);
  }
  bool gathers(const View& v) const { return gathering_pays(v.geometry, v.x, channels(), groups_.front().panels); }
  View turned(const Shape& x) const {
    const Geometry g = resolve(options_, kh_, kw_, x);
    if (x.w != 1 || g.out_w != 1 || g.kw != 1 || g.pad_left != 0) return {g, x, false};
    return {{1, g.kh, g.stride_w, g.stride_h, g.dilation_w, g.dilation_h, 0, g.pad_top, 1, g.out_h}, {x.n, 1, x.h, x.c}, true};
  }
  std::int64_t channels() const { return in_ / static_cast<std::int64_t>(groups_.size()); }
  StandardAreas areas(const View& v) const { return standard_areas(v.geometry, v.x, channels(), groups_.front(), false, zeros_); }

  GroupedAreas grouped_areas(const View& v) const { return {v.geometry, v.x, *by_groups_}; }

  double flops(const Geometry& g, const Shape& x) const { return 2.0 * magnitude(x.n, g.out_h, g.out_w, groups_.front().k, out_); }

  double bytes(const Geometry& g, const Shape& x) const {
    return tensor_bytes(x) + tensor_bytes({x.n, g.out_h, g.out_w, out_}) +
           static_cast<double>(bytes_of<float>((groups_.front().k + 1) * out_));
  }

  /// All of one image.
  StandardWork work(const View& v, const ConstTensor& x, const Tensor& y, const ConstTensor* residual, std::size_t group,
                    std::int64_t image) const {
    const PackedMatrix& p = groups_[group];
    const std::int64_t first = static_cast<std::int64_t>(group) * p.columns;
    StandardWork w{};
    w.gemm = p.work();
    w.gemm.activation = activation_;
    w.gemm.a = x.as<float>() + image * x.stride_n + static_cast<std::int64_t>(group) * channels();
    w.gemm.y = y.as<float>() + image * y.stride_n + first;
    if (residual != nullptr) {
      w.gemm.residual = residual->as<float>() + image * residual->stride_n + first;
      w.residual_row = v.column ? 0 : residual->stride_h;
      w.residual_pixel = v.column ? residual->stride_h : residual->stride_w;
    }
    w.x_row = v.column ? 0 : x.stride_h;
    w.x_pixel = v.column ? x.stride_h : x.stride_w;
    w.height = v.x.h;
    w.width = v.x.w;
    w.channels = channels();
    set_filter(w, v.geometry);
    w.y_row = v.column ? 0 : y.stride_h;
    w.y_pixel = v.column ? y.stride_h : y.stride_w;
    return w;
  }

  std::int64_t kh_, kw_, in_, out_;
  ConvOptions options_;
  Activation activation_;
  std::vector<PackedMatrix> groups_;
  std::optional<PackedGroups> by_groups_;
  std::vector<GroupWeights> weights_;  ///< of each group
  bool zeros_;                         ///< there may be some around an image
};

}  // namespace

namespace runtime {

std::shared_ptr<const PackedLayer> make_standard(std::vector<PackedMatrix> groups, std::int64_t kh, std::int64_t kw, std::int64_t in,
                                                 std::int64_t out, const ConvOptions& options, const Activation& activation) {
  return std::make_shared<Standard>(std::move(groups), kh, kw, in, out, options, activation);
}

}  // namespace runtime

}  // namespace dwsep
