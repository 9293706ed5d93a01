// The matrix products of quads in the registry.
#pragma once

#include "kernels/entry.hpp"
#include "kernels/int8/quad_gemm.hpp"
#include "kernels/int8/quad_gemm_pack.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr Problem int8_quad_pointwise_takes() {
  Problem p{};
  p.weight_zeros = 1;
  return p;
}
constexpr KernelEntry kInt8QuadPointwise[] = {
    packing_entry<int8::quad_gemm<std::int8_t>, int8::pack_quad_gemm<std::int8_t>>("int8_gemm_quads", Family::pointwise,
                                                                                   int8_quad_pointwise_takes(), kInt8),
    packing_entry<int8::quad_gemm<float>, int8::pack_quad_gemm<float>>("int8_gemm_quads", Family::pointwise, int8_quad_pointwise_takes(),
                                                                       kInt8ToFloat),
};
extern constexpr KernelList unit_int8_quad_pointwise = list_of(kInt8QuadPointwise);

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
