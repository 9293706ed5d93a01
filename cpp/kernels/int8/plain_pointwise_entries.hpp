// The plain matrix products of int8 in the registry.
#pragma once

#include "kernels/entry.hpp"
#include "kernels/int8/dot_chain.hpp"
#include "kernels/int8/plain_gemm.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr KernelEntry kInt8PlainPointwise[] = {
    packing_entry<int8::plain_gemm<std::int8_t>, int8::pack_gemm>("int8_gemm_plain", Family::pointwise, {}, kInt8),
    packing_entry<int8::plain_gemm<float>, int8::pack_gemm>("int8_gemm_plain", Family::pointwise, {}, kInt8ToFloat),
#if !defined(__AVX2__) && !defined(__aarch64__)
    entry<int8::dot_chain>("int8_chain", Family::fma_chain, {}, kInt8),
#endif
};
extern constexpr KernelList unit_int8_plain_pointwise = list_of(kInt8PlainPointwise);

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
