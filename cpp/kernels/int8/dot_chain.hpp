// The inner loop of the matrix product on operands of a level-1 cache: the peak that shares are measured against.
#pragma once

#include "kernels/memory_work.hpp"
#if defined(__AMX_INT8__)
#include "simd/matrix_tiles.hpp"
#elif defined(__AVX2__) || defined(__aarch64__)
#include "kernels/int8/quad_gemm_tile.hpp"
#else
#include "kernels/int8/plain_gemm.hpp"
#endif

namespace dwsep::DWSEP_ISA_NAMESPACE::int8 {

#if defined(__AMX_INT8__)
inline void dot_chain(const FmaChainWork& w) {
  constexpr int kRows = MatrixTiles::kRows, kBytes = MatrixTiles::kBytes;
  alignas(64) std::int8_t x[2 * kRows * kBytes], weights[2 * kRows * kBytes];
  alignas(64) std::int32_t sums[2 * kRows * 2 * kLanes];
  for (int i = 0; i < 2 * kRows * kBytes; ++i) x[i] = weights[i] = static_cast<std::int8_t>(i % 127);
  for (std::int32_t& sum : sums) sum = 0;
  MatrixTiles::configure(kRows, kRows);
  MatrixTiles::fence();
  MatrixTiles::start<2, true>(sums);
  for (std::int64_t n = 0; n < w.iterations; ++n) MatrixTiles::add<2, true, false>(x, x + kRows * kBytes, kBytes, weights);
  MatrixTiles::store<2, true>(sums, sums + kRows * 2 * kLanes, 2 * kLanes);
  MatrixTiles::release();
  MatrixTiles::fence();
  *w.sink = static_cast<float>(sums[0]);
  *w.flops = 2 * 4 * kRows * kRows * kBytes * w.iterations;
}
#else
#if defined(__AVX2__) || defined(__aarch64__)
constexpr int kPeakRows = max_quad_rows(4) < 6 ? max_quad_rows(4) : 6, kPeakVectors = group_of(4), kPeakProducts = 4;
constexpr int kPeakSteps = 64, kPeakWeights = kPeakSteps * kPeakVectors * Dot::kWeightVectors * I8::kLanes;
constexpr std::int64_t kPeakRow = kPeakSteps * kPeakProducts;
using PeakValue = std::int8_t;
[[gnu::flatten, gnu::noinline]] inline void multiply_peak(const PeakValue* x, std::int64_t row, std::int64_t steps,
                                                          const PeakValue* weights, std::int32_t* sums) {
  multiply_quads<kPeakRows, kPeakVectors, true>(x, row, steps, weights, 0, sums, kPeakVectors * kLanes, sums, kPeakVectors * kLanes);
}
#else
constexpr int kPeakRows = kTileRows, kPeakVectors = kPanelVectors, kPeakProducts = 2;
constexpr int kPeakSteps = 64, kPeakWeights = kPeakSteps * kPeakVectors * kLanes * kPeakProducts;
constexpr std::int64_t kPeakRow = kChunk;
using PeakValue = std::int16_t;
[[gnu::flatten, gnu::noinline]] inline void multiply_peak(const PeakValue* x, std::int64_t, std::int64_t steps, const PeakValue* weights,
                                                          std::int32_t* sums) {
  multiply<kPeakRows>(x, weights, steps, sums);
}
#endif

inline void dot_chain(const FmaChainWork& w) {
  alignas(64) PeakValue x[kPeakRows * kPeakRow] = {}, weights[kPeakWeights] = {};
  alignas(64) std::int32_t sums[kPeakRows * kPeakVectors * kLanes] = {};
  for (std::int64_t n = 0; n < w.iterations; ++n) {
    multiply_peak(opaque(&x[0]), opaque(kPeakRow), opaque(std::int64_t{kPeakSteps}), opaque(&weights[0]), opaque(&sums[0]));
  }
  *w.sink = static_cast<float>(sums[0]);
  *w.flops = std::int64_t{2 * kPeakProducts} * kPeakSteps * kPeakRows * kPeakVectors * kLanes * w.iterations;
}
#endif

}  // namespace dwsep::DWSEP_ISA_NAMESPACE::int8
