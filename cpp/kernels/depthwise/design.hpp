// Which design computes a depthwise convolution of 3x3, 5x5 or 7x7.
//
// Tiles load least for a multiply-add and walk the channels of a pixel before the next, as they lie in memory. A slide needs nothing in the
// cache but what it is at and is called once a row: it wins where channels are few, where they lie in planes, and with 32 registers, where
// 3x3 keeps its weights in them, as long as the image comes from the level-2 cache. Strips of channels leave in the level-1 cache what the
// next tile reads again: 19x19x728 82 us instead of 91.
//
// us of one thread on Xeon, Emerald Rapids (L2 2 MB), 2026-11-28, input and output at cache lines, sliding / tiles:
//   AVX2     3x3     28x28x256 58 / 51, 56x56x128 202 / 137, 14x14x576 30 / 29, 7x7x1152 17 / 15; 61x61x20 31 / 41, 112x112x8 30 / 51
//            3x3 s2  112x112x64 209 / 143, 20x20x1024 77 / 65, 28x28x192 14 / 12; 61x61x20 8 / 11, 56x56x48 12 / 13; planes 7.3 / 9.1
//            5x5     7x7x960 29 / 23, 56x56x120 331 / 271, 14x14x672 79 / 76
//            5x5 s2  28x28x240 30 / 33, 28x28x256 34 / 46; 150x150x40 245 / 199
//            7x7     56x56x96 412 / 347;  s2  28x28x96 24 / 30
//   AVX-512  3x3     56x56x128 162 / 119, 64x64x256 538 / 323, 33x33x384 192 / 137; 14x14x576 17 / 19, 19x19x728 59 / 81
//            3x3 s2  112x112x64 228 / 143, 28x28x192 14 / 9, 20x20x1024 64 / 51; 61x61x20 9 / 11
//            5x5     (tiles that load a weight for each output / these) 14x14x672 68 / 48, 56x56x120 191 / 192;  s2  28x28x240 28 / 20
//            7x7     56x56x96 214 / 189;  s2  28x28x96 18 / 14
//
// Zen 3 (L1 32 KB of 8 ways, L2 512 KB), 2026-11-29, in turns: "a / b" is us with inputs at lines and 16 bytes past them. 3x3, where strips
// do not fit or gain, 4x2 tiles of one vector -> 2x2 of two, which read whole lines: 28x28x512 287 / 392 -> 212 / 257; pixels 1 KB apart
// gain nothing (74x74x256 856 -> 1415). 3x3 of up to 32 channels, tiles -> sliding: 28x28x32 8.0 -> 7.1, 28x28x26 10.2 -> 8.3, 7x7x24 0.45
// -> 0.51. 3x3 s2, tiles -> sliding: where pixels are an odd number of lines apart 75x75x240 153 -> 137, 58x58x432 177 -> 160, 56x56x144 60
// / 60 -> 60 / 54, but 61x61x80 28 -> 29, 112x112x48 50 -> 57; else 112x112x96 116 / 157 -> 133 / 221, 112x112x64 73 -> 100, 56x56x128 43
// -> 74; 61x61x20 19 / 21 -> 11 / 12. Copies of strips of channels against the above: 3x3 7x7x1024 25 / 35 -> 19 / 20, 14x14x512 45 / 57 ->
// 39 / 42, 28x28x256 68 / 96 -> 91 / 97, 56x56x256 293 -> 508; 3x3 s2 20x20x1024 89 / 185 -> 91 / 99, 14x14x512 24 / 34 -> 28 / 32; 5x5
// 14x14x512 130 / 96 -> 71 / 73, 28x28x256 215 / 301 -> 150 / 166, 14x14x480 72 / 80 -> 83 / 85, 56x56x256 1221 -> 4000; 7x7 14x14x512 197
// / 132 -> 117 / 120, 28x28x256 382 / 454 -> 295 / 304; 5x5 s2 28x28x512 180 / 225 -> 138 / 195, 28x28x256 89 -> 103.
#pragma once

#include "kernels/depthwise/square.hpp"
#include "kernels/depthwise/strips.hpp"
#include "kernels/depthwise/walk.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// What the choice depends on.
template <class F>
struct Shape {
  const DepthwiseWork& w;

  bool planes() const { return w.x_vector != kLanes; }
  std::int64_t channels() const { return (w.v_end - w.v_begin) * kLanes; }
  /// Whether image and output together take more than `factor` times the level-2 cache.
  bool exceeds_l2(double factor) const {
    const double values = static_cast<double>(w.height * w.width * w.channels) * (1 + 1.0 / (F::SH * F::SW));
    return values * sizeof(float) > factor * static_cast<double>(w.l2_bytes);
  }
  /// Whether pixels are a multiple of `bytes` apart, and sets of the level-1 cache have 8 ways, too few for a tile of them. With 12 ways
  /// such pixels were seen to cost nothing.
  bool thrashes(std::int64_t bytes) const { return !planes() && w.l1_bytes <= 32 * 1024 && pixel_step() >= bytes; }
  bool at_line() const { return reinterpret_cast<std::uintptr_t>(w.x) % 64 == 0; }
  /// Whether copies of strips of channels gain, by rings: us before -> so, Zen 3, 2026-11-30, 3x3 28x28x512 166 -> 139; s2 14x14x1024
  /// 50 -> 38, but 28x28x512 66 -> 69; 5x5 56x56x256 (12 L2) 934 -> 633. Far beyond the level-2 cache parts of pixels are read too
  /// slowly: 5x5 112x112x256 5,335 -> 5,448.
  bool gains_from_strips() const {
    if (w.y_end - w.y_begin < 2) return false;
    if constexpr (F::KH > 3) return thrashes(F::SH == 1 ? 1024 : 2048) && (pixel_step() >= 2048 || !exceeds_l2(16));
    return thrashes(F::SH == 1 ? 2048 : 4096) && !exceeds_l2(8);
  }
  /// The largest power of two of bytes that pixels are a multiple of apart.
  std::int64_t pixel_step() const {
    const std::int64_t pixel = w.x_pixel * static_cast<std::int64_t>(sizeof(float));
    return pixel & -pixel;
  }
};

/// Without fused multiply-adds, where it is not worth the code: 3x3 alone.
template <class F>
inline void plain(const DepthwiseWork& w) {
  if constexpr (F::KH > 3) {
    depthwise_generic(w);
  } else {
    LeanTiled<F, F::SH == 1 ? 4 : 2, 2, F::SH>::run(w);
  }
}

/// Few registers, pixels where they are.
template <class F>
[[gnu::noinline]] inline void few_registers_in_place(const DepthwiseWork& w) {
  const Shape<F> shape{w};
  if constexpr (F::KH == 3 && F::SH == 1) {
    if (shape.channels() <= 32 && w.out_width > 8) return LeanSliding<F, 2, 2>::run(w);
    if (shape.thrashes(2048)) return LeanTiled<F, 2, 2, 2>::run(w);
    LeanTiled<F, 4, 2, 1>::run(w);
  } else if constexpr (F::KH == 3) {
    const std::int64_t step = shape.pixel_step();
    const bool begins_at_lines = shape.at_line() || shift_to_lines(w) > 0;
    const bool large = begins_at_lines && step == 64 && shape.channels() >= 128;
    const bool slides = shape.channels() < 32 || large || (shape.channels() <= 48 && !shape.exceeds_l2(0.5));
    if (shape.planes() || slides) return LeanSliding<F, 2, 2>::run(w);
    LeanTiled<F, 2, 2, 2>::run(w);
  } else if constexpr (F::SH == 1) {
    LeanTiled<F, 4, 2, 1>::run(w);
  } else if constexpr (F::KH == 5) {
    LeanSliding<F, 2, 2>::run(w);
  } else {
    LeanSliding<F, 2, 1>::run(w);
  }
}

template <class F>
[[gnu::noinline]] inline void few_registers(const DepthwiseWork& w) {
  const Shape<F> shape{w};
  if (!shape.gains_from_strips() || !StripSize::whole_lines(w)) return few_registers_in_place<F>(w);
  constexpr int kRows = F::SH == 1 ? 4 : 2;
  by_rings(w, (kRows - 1) * F::SH + F::KH, F::KH == 3 ? LeanTiled<F, kRows, 2, F::SH>::run : few_registers_in_place<F>);
}

template <class F>
inline void many_registers(const DepthwiseWork& w) {
  const Shape<F> shape{w};
  if constexpr (F::KH == 3) {
    // With 2 MB of L2: 2.8 MB of 37x37x256 164 us sliding, 115 by tiles, of 75x75x64 155 and 121; 2.1 MB of 19x19x728 66 and 94.
    const bool tiles = F::SH == 1 ? shape.exceeds_l2(1.2) : shape.channels() > 48;
    if (w.out_width < 3 || (kMasks && tiles && !shape.planes())) return LeanTiled<F, 4, 2, 1>::run(w);
    // Four rows with stride 1 need 25 registers; GCC 12 has them on NEON and yet spills two vectors for each multiply-add.
    Sliding<F, F::SH == 1 && !kMasks ? 3 : 4>::run(w);
  } else {
    LeanTiled<F, F::SH == 1 ? 7 : F::KH == 5 ? 5 : 4, 2, 1>::run(w);
  }
}

template <int Size, int Stride>
inline void depthwise(const DepthwiseWork& w) {
  using F = Filter<Size, Size, Stride, Stride>;
  if (kRegisters < 16 || (Size > 3 && w.height < Size - 1)) return depthwise_generic(w);
  if constexpr (kRegisters >= 32) {
    many_registers<F>(w);
  } else if constexpr (kRegisters >= 16 && !kFusedMultiplyAdd) {
    plain<F>(w);
  } else if constexpr (kRegisters >= 16) {
    few_registers<F>(w);
  }
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
