// How kernels end: clips in registers, any other activation in place on what was just written.
#pragma once

#include "kernels/activation/functions.hpp"
#include "kernels/elementwise/map_block.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// The bounds that a micro-kernel clips to: none where activate_block follows.
[[gnu::always_inline]] inline float epilogue_lo(const Activation& a) { return a.kind == ActivationKind::clip ? a.lo : -__builtin_inff(); }
[[gnu::always_inline]] inline float epilogue_hi(const Activation& a) { return a.kind == ActivationKind::clip ? a.hi : __builtin_inff(); }

/// Applies any activation in place to a block that was just written and is still in cache. Clips are cheap enough for registers: the
/// micro-kernels do those themselves. For the others a second look costs a load and a store beside some twenty operations.
[[gnu::flatten, gnu::noinline]] inline void activate_block(float* y, std::int64_t rows, std::int64_t row_stride, std::int64_t columns,
                                                           const Activation& a) {
  with_activation(a, [&](const auto& f) { map_block(y, row_stride, y, row_stride, rows, columns, f); });
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
