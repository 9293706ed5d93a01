// The translation units of an instruction set that adds int8 kernels to others and has none of floats: those that it names.
#pragma once

#include "isa/sets.hpp"
#include "simd/vec.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

extern const KernelList unit_int8_quad_pointwise, unit_int8_quad_depthwise, unit_int8_table;

constexpr const KernelList* kUnits[] = {DWSEP_ISA_ADDS};

constexpr KernelSet make_adding_set(const char* isa) {
  return {isa, kCompiledFeatures, false, kLanes, false, kUnits, sizeof(kUnits) / sizeof(kUnits[0])};
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
