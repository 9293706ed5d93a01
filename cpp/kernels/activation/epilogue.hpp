// The epilogue of kernels: clips in registers, any other activation in place on what was just written.
#pragma once

#include "dwsep/options.hpp"
#include "simd/math.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// The bounds that a micro-kernel clips to: none where activate_block follows.
[[gnu::always_inline]] inline float epilogue_lo(const Activation& a) { return a.kind == ActivationKind::clip ? a.lo : -__builtin_inff(); }
[[gnu::always_inline]] inline float epilogue_hi(const Activation& a) { return a.kind == ActivationKind::clip ? a.hi : __builtin_inff(); }

/// Applies any activation in place to a block that was just written and is still in cache. Clips are cheap enough for registers: the
/// micro-kernels do those themselves. For the others a second pass costs a load and a store next to some twenty operations. It is in the
/// translation unit of the elementwise kernels only: inlined into every kernel, it would be compiled a hundred times.
void activate_block(float* y, std::int64_t rows, std::int64_t row_stride, std::int64_t columns, const Activation& a);

/// Adds x first: y[row][column] = a(y[row][column] + x[row][column]).
void add_block(const float* x, std::int64_t x_row, float* y, std::int64_t rows, std::int64_t row_stride, std::int64_t columns,
               const Activation& a);

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
