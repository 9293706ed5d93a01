// The int8 depthwise convolution of few, uneven channels by SharedWeights: rows of x, pixel after pixel, as runs of bytes, so that vectors
// of outputs have no gaps. Their quads follow each other, so that any number of channels further lie those of the next tap.
#pragma once

#include "kernels/int8/quad_depthwise_tile.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE::int8 {

constexpr std::int64_t kQuadRowBytes = 64 * 1024;  ///< of rows of quads, on the stack; a quarter of it serves most filters
constexpr std::int64_t kGroupBytes = 16 * 1024;    ///< of the rows of quads of groups that are filled before any is multiplied

/// Rows of quads of a run.
struct LinearRows {
  const Int8DepthwiseWork& w;
  const std::int8_t* zeros;          ///< a row of padding
  std::int64_t left, inside, bytes;  ///< of a run: its padding, x, all

  /// The quads that two rows of outputs share: of four rows of x from y on.
  [[gnu::noinline, gnu::cold]] void fill(std::int64_t y, std::int8_t* to) const {
    const I8 flip = broadcast(static_cast<std::int8_t>(w.x_flip ^ Dot::kFlip));
    const auto put = [&](const std::int8_t* const(&from)[4], std::int64_t at, std::int64_t place) __attribute__((always_inline)) {
      I8 rows[4], v[4];
      F32 halves[4];
      unroll<0, 4>([&](auto i) __attribute__((always_inline)) { rows[i] = bit_xor(load(from[i] + at), flip); });
      interleave_rows(rows, v);
      unroll<0, 4>([&](auto i) __attribute__((always_inline)) { halves[i] = reinterpret<float>(v[i]); });
      lane_transpose(halves);
      unroll<0, 4>([&](auto i)
                       __attribute__((always_inline)) { store(to + 4 * (place + i * kLanes), reinterpret<std::int8_t>(halves[i])); });
    };
    const auto padding = [&](std::int64_t at, std::int64_t end) __attribute__((always_inline)) {
      const std::int8_t* const from[] = {zeros, zeros, zeros, zeros};
      for (; at < end; at += I8::kLanes) put(from, at, at);
    };
    padding(0, left);
    const std::int8_t* from[4];
    std::int8_t few[4][I8::kLanes];
    for (int i = 0; i < 4; ++i) {
      const std::int64_t at = y + i * w.dilation_h;
      from[i] = at >= 0 && at < w.height ? w.x + at * w.x_row : zeros;
      if (inside < I8::kLanes) {
        __builtin_memcpy(few[i], from[i], static_cast<std::size_t>(inside));
        from[i] = few[i];
      }
    }
    std::int64_t at = 0;
    for (; at + I8::kLanes <= inside; at += I8::kLanes) put(from, at, left + at);
    if (at < inside) {
      if (at > 0) at = inside - I8::kLanes;
      put(from, at, left + at);
    }
    padding(left + inside, bytes);
  }
};

/// Tiles of `count` vectors, `to.step` from one to the next: four by four, and one by one. Three that are left are four, of which one is
/// computed again: tiles of other widths would be 1 KB.
template <class D>
[[gnu::noinline, gnu::cold]] void linear_tiles(const QuadWindow& t, std::int64_t offset, const TileBytes& to, std::int64_t count) {
  alignas(64) std::int32_t sums[2 * 4 * kQuadChannels];
  std::int64_t done = count / 4 * 4;
  if (done > 0) shared_sums<4, true>(t, offset, sums, to, done / 4);
  const bool again = count - done == 3 && done > 0;
  if (again) --done;
  if (done == count) return;
  TileBytes rest = to;
  rest.to += done * to.step;
  offset += done * t.position;
  again ? shared_sums<4, true>(t, offset, sums, rest, 1) : shared_sums<1, true>(t, offset, sums, rest, count - done);
}

/// Whether rows of y and what they read are such runs: computes them. `quads`: kQuadRowBytes.
template <class D>
[[gnu::noinline, gnu::cold]] bool linear_depthwise(const Int8DepthwiseWork& w, const QuadFilter& f, std::int64_t panels,
                                                   std::int64_t period, const PanelStore<std::int8_t, 4, Order::packed>& store,
                                                   std::int8_t* quads) {
  const std::int64_t n = w.channels, columns = w.out_width + w.kw - 1, left = w.pad_left < columns ? w.pad_left : columns,
                     inside = columns - left < w.width ? columns - left : w.width, bytes = columns * n,
                     group = (4 * bytes / 64 + 3) * 64;  // tiles read up to 31 quads more, fills write them
  // A call of tiles takes as long as three vectors' products. Parts of a single panel, whose pixels lie apart, take longer anyway.
  const bool pays = n < I8::kLanes || 3 * period + 2 * ((w.out_width * n + I8::kLanes - 1) / I8::kLanes) < 2 * w.out_width * panels;
  if (w.panel_begin > 0 || w.panel_end < panels || w.x_pixel != n || w.y_pixel != n || w.stride_w != 1 || w.dilation_w != 1 ||
      w.pad_left < 0 || group > kQuadRowBytes || !pays) {
    return false;
  }
  constexpr std::int64_t kGroups = 16;
  alignas(64) std::int8_t zeros[kQuadRowBytes / 4 + 64], last[2 * kGroups * I8::kLanes];
  const std::int64_t padding = bytes + I8::kLanes;
  __builtin_memcpy(zeros, w.x_zero, static_cast<std::size_t>(n));
  for (std::int64_t done = n; done < padding; done *= 2) {
    __builtin_memcpy(zeros + done, zeros, static_cast<std::size_t>(padding - done < done ? padding - done : done));
  }
  const LinearRows rows{w, zeros, left * n, inside * n, bytes};
  const std::int8_t* products[kFlatColumns];
  for (std::int64_t i = 0; i < w.kw; ++i) products[i] = quads + 4 * i * n;
  QuadWindow t{};
  t.panel = &store;
  t.products = products;
  t.products_end = products + w.kw;
  t.plane = I8::kLanes;
  t.position = period * 4 * I8::kLanes;
  t.group_bytes = group;
  const std::int64_t y_bytes = w.out_width * n, whole = y_bytes / I8::kLanes, rest = y_bytes % I8::kLanes,
                     most = kGroupBytes / group < kGroups ? (kGroupBytes > group ? kGroupBytes / group : 1) : kGroups;
  for (std::int64_t y = w.y_begin; y < w.y_end; y += 2 * t.groups) {
    const std::int64_t left_rows = w.y_end - y;
    t.groups = (left_rows + 1) / 2 < most ? (left_rows + 1) / 2 : most;
    const std::int64_t count = left_rows < 2 * t.groups ? left_rows : 2 * t.groups;
    t.down = count % 2 == 0 ? 2 : 1;
    for (std::int64_t g = 0; g < t.groups; ++g) rows.fill(y + 2 * g - w.pad_top, quads + g * group);
    auto* const to = static_cast<std::int8_t*>(w.y) + (y - w.y_begin) * w.y_row;
    for (std::int64_t phase = 0; phase < period; ++phase) {
      const std::int64_t panel = panels + phase, offset = phase * 4 * I8::kLanes, vectors = (whole - phase + period - 1) / period;
      t.weights = static_cast<const std::int8_t*>(w.weights) + panel * window_weight_bytes(f);
      t.initial = w.initial + panel * kQuadChannels;
      t.multiplier = w.q.multiplier + panel * kQuadChannels;
      if (vectors > 0) linear_tiles<D>(t, offset, {to + phase * I8::kLanes, w.y_row, 0, period * I8::kLanes, 0, 0}, vectors);
      if (rest == 0 || whole % period != phase) continue;
      linear_tiles<D>(t, whole * 4 * I8::kLanes, {last, I8::kLanes, 0, I8::kLanes, 0, 0}, 1);
      for (std::int64_t r = 0; r < count; ++r) {
        store_first(to + r * w.y_row + whole * I8::kLanes, load(last + r * I8::kLanes), static_cast<int>(rest));
      }
    }
  }
  return true;
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE::int8
