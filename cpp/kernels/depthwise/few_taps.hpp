// Depthwise filters of few taps: lists of taps, with blocks that share inputs for outputs that meet all of them where that pays.
#pragma once

#include "kernels/depthwise/generic.hpp"
#include "kernels/depthwise/taps.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// Blocks of outputs that meet all taps, those along `down` one tap apart.
template <bool kAlong>
inline void shared_blocks(const DepthwiseWork& w, const Axis& down, const Axis& across, std::int64_t i, std::int64_t i_end,
                          std::int64_t begin, std::int64_t end, std::int64_t v_begin, std::int64_t v_end) {
  for (; i < i_end; i += kTall) {
    const Steps<kTall, 1> steps(down, at_most(i, i_end - kTall));
    const BlockPlace<kTall, 1> place{&w, &down, &across, &steps};
    for (std::int64_t j = begin; j < end; j += kWide) {
      if constexpr (kAlong) {
        along_block<WholeChannels, kTall, kWide>(place, at_most(j, end - kWide), v_begin, v_end);
      } else {
        inner_block<WholeChannels, kTall, kWide>(place, at_most(j, end - kWide), v_begin, v_end);
      }
    }
  }
}

/// How filters of few taps are computed: outputs that meet all taps in blocks that share inputs, where that pays, others by lists of taps.
class FewTaps {
 public:
  explicit FewTaps(const DepthwiseWork& w) : w_(w), down_(rows_of(w)), across_(columns_of(w)) {
    const auto shares = [&](const Axis& a) { return down_.ring >= down_.size && share_of(a) == 1 && a.taps >= 3; };
    // Loads that cross cache lines count twice. A block's loops cost what some ten taps do.
    constexpr std::int64_t kBytes = kLanes * sizeof(float);
    const bool crosses = (reinterpret_cast<std::uintptr_t>(w.x) | static_cast<std::uintptr_t>(w.x_pixel) * sizeof(float)) % kBytes != 0;
    const bool pays = w.kh * w.kw >= (crosses ? 5 : 12);
    rows_share_ = pays && shares(down_);
    columns_share_ = pays && !rows_share_ && shares(across_);
  }

  /// Whether this takes the filter on this image: where blocks of any filter would share no inputs; else filters of up to 5x5, if few
  /// outputs are at an edge or lists gain more than edges lose. us, blocks of any filter / lists alone / as here, Emerald Rapids,
  /// 2026-11-28:
  ///   AVX-512, 16 bytes past a line   28x28x64 3x3 s(2, 1) 11.7 / 10.3 / 9.1, 4x4 19 / 31 / 19, 5x5 s(1, 2) 17 / 24 / 15, 3x3 s3 8.1 / 4.2
  ///   AVX2, at a line                 10x101x48 1x3 15 / 8 / 8, 28x28x64 4x4 32 / 36 / 30, 1x5 15 / 11 / 11; 3x80x512 5x5 s(1, 2) 45 / 110
  bool fits() const {
    const std::int64_t taps = w_.kh * w_.kw;
    const InsideRange rows(down_.outputs, down_.stride, down_.pad, down_.dilation, down_.taps, down_.size);
    const InsideRange columns(across_.outputs, across_.stride, across_.pad, across_.dilation, across_.taps, across_.size);
    // Narrow images of stride 2, whose columns all meet the padding: Zen 3, us, 64x10x256 9x9 470 -> 164, 14x14x1024 6x8 606 -> 387.
    const bool narrow =
        kMostTaps > kFewTaps && w_.v_end - w_.v_begin >= 4 && columns.end - columns.begin < kWide && rows.end - rows.begin > kWide;
    if (narrow && taps <= kMostTaps && share_of(down_) == 2 && down_.ring >= down_.size) return true;
    // Of more than 64 taps 56x56x64 9x9 s3 on Zen 3 288 -> 111, 60x60x32 8x9 s4 66 -> 35.
    if (share_of(w_.kh == 1 ? across_ : down_) == 0) return taps <= kMostTaps;
    if (taps > kFewTaps) return false;
    // Rows, on Zen 3 us: 14x14x480 1x7 62 -> 48, 28x28x256 1x6 115 -> 80, 1x16x512 1x7 9.9 -> 5.9; longer ones where many outputs are at an
    // edge, 1x50x256 1x15 18.4 -> 16.7, 3x40x128 1x11 18.8 -> 15.3, but 1x20x32 1x15 5.7 -> 6.6, 1x400x128 1x15 27 -> 30.
    const std::int64_t most = down_.outputs < kWide && across_.outputs <= 50 ? 15 : 7;
    if (kTapVectors > 1 && w_.kh == 1 && taps <= most && w_.v_end - w_.v_begin > taps) return true;
    if (at_least(w_.kh, w_.kw) > 5) return false;
    // Lists of pairs of vectors lose less at edges: 14x14x512 5x5 s(2, 1) on Zen 3 229 -> 93, 22x22x256 141 -> 98, 14x14x1024 s(1, 3) 583
    // -> 142, 14x14x96 5x4 17.4 -> 13.6, but 10x10x72 10.6 -> 11.5.
    if (kTapVectors > 1 && w_.v_end - w_.v_begin >= 10) return true;
    if (taps < 12 || !(rows_share_ || columns_share_)) return true;
    return (rows.end - rows.begin) / 4 * 4 * (columns.end - columns.begin) * 5 >= down_.outputs * across_.outputs * 3;
  }

  void run(std::int64_t v_begin, std::int64_t v_end) const {
    tap_tiles(w_, down_, across_, v_begin, v_end,
              [&](std::int64_t row, std::int64_t rows, std::int64_t column, std::int64_t end, std::int64_t v, std::int64_t next) {
                const std::int64_t height = rows_share_ ? kTall : kWide, whole = rows - rows % height;
                if (!(rows_share_ || columns_share_) || whole == 0 || end - column < kWide) return std::int64_t{0};
                if (rows_share_) {
                  shared_blocks<false>(w_, down_, across_, row, row + whole, column, end, v, next);
                } else if (w_.kh == 1) {
                  shared_blocks<false>(w_, across_, down_, column, end, row, row + whole, v, next);
                } else {
                  shared_blocks<true>(w_, across_, down_, column, end, row, row + whole, v, next);
                }
                return whole;
              });
  }

 private:
  const DepthwiseWork& w_;
  Axis down_, across_;
  bool rows_share_, columns_share_;
};

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
