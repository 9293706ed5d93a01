// The translation units of one instruction set, in order: the first entry of a family that fits is chosen.
#pragma once

#include "isa/sets.hpp"
#include "simd/vec.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

extern const KernelList unit_depthwise_3x3, unit_depthwise_5x5_s1, unit_depthwise_5x5_s2, unit_depthwise_7x7_s1, unit_depthwise_7x7_s2,
    unit_depthwise_generic, unit_pointwise, unit_standard, unit_elementwise, unit_normalise, unit_pool, unit_reduce, unit_resize,
    unit_transpose, unit_memory, unit_int8_quad_pointwise, unit_int8_quad_depthwise, unit_int8_row_depthwise, unit_int8_plain_pointwise,
    unit_int8_plain_depthwise, unit_int8_tensor;
namespace unfused {
extern const KernelList unit_int8_finish;
}

constexpr const KernelList* kUnits[] = {
    &unit_depthwise_3x3,
    &unit_depthwise_5x5_s1,
    &unit_depthwise_5x5_s2,
    &unit_depthwise_7x7_s1,
    &unit_depthwise_7x7_s2,
    &unit_depthwise_generic,
    &unit_pointwise,
    &unit_standard,
    &unit_elementwise,
    &unit_normalise,
    &unit_pool,
    &unit_reduce,
    &unit_resize,
    &unit_transpose,
    &unit_memory,
#if defined(__AVX2__) || defined(__aarch64__)
    &unit_int8_quad_pointwise,
#if defined(__AVX2__) && !defined(__AVX512F__)
    &unit_int8_row_depthwise,
#endif
    &unit_int8_quad_depthwise,
#endif
    &unit_int8_plain_pointwise,
    &unit_int8_plain_depthwise,
    &unit_int8_tensor,
    &unfused::unit_int8_finish,
};

constexpr KernelSet make_set(const char* isa) {
  return {isa, kCompiledFeatures, true, kLanes, kHalfPanels, kUnits, sizeof(kUnits) / sizeof(kUnits[0])};
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
