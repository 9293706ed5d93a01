// The matrix products of quads in the registry, and the loop that measures their peak.
#pragma once

#include "kernels/entry.hpp"
#include "kernels/int8/dot_chain.hpp"
#include "kernels/int8/quad_gemm_pack.hpp"
#if defined(__AMX_INT8__)
#include "kernels/int8/amx_gemm.hpp"
#else
#include "kernels/int8/quad_gemm.hpp"
#endif

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr Problem int8_quad_pointwise_takes() {
  Problem p{};
  p.weight_zeros = 1;
  return p;
}
#if defined(__AMX_INT8__)
constexpr char kInt8QuadGemm[] = "int8_gemm_tiles";
template <class Out>
constexpr void (*kQuadGemmOf)(const Int8GemmWork&) = int8::amx_gemm<Out>;
#else
constexpr char kInt8QuadGemm[] = "int8_gemm_quads";
template <class Out>
constexpr void (*kQuadGemmOf)(const Int8GemmWork&) = int8::quad_gemm<Out>;
#endif
constexpr KernelEntry kInt8QuadPointwise[] = {
    packing_entry<kQuadGemmOf<std::int8_t>, int8::pack_quad_gemm<std::int8_t>>(kInt8QuadGemm, Family::pointwise,
                                                                               int8_quad_pointwise_takes(), kInt8),
    packing_entry<kQuadGemmOf<float>, int8::pack_quad_gemm<float>>(kInt8QuadGemm, Family::pointwise, int8_quad_pointwise_takes(),
                                                                   kInt8ToFloat),
    entry<int8::dot_chain>("int8_chain", Family::fma_chain, {}, kInt8),
};
extern constexpr KernelList unit_int8_quad_pointwise = list_of(kInt8QuadPointwise);

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
