// How a translation unit of cpp/isa declares its entries of the registry.
#pragma once

#include "kernels/registry.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

template <auto Kernel>
struct Erased;
template <class Work, void (*Kernel)(const Work&)>
struct Erased<Kernel> {
  static void run(const void* work) { Kernel(*static_cast<const Work*>(work)); }
};

/// A kernel's entry. It needs the features that its unit is compiled for.
template <auto Kernel>
constexpr KernelEntry entry(const char* name, Family family, const Problem& takes = {}, const OperandTypes& types = kFloat32,
                            bool (*also)(const Problem&) = nullptr) {
  return {name, family, types, kCompiledFeatures, takes, also, Erased<Kernel>::run};
}

template <int N>
constexpr KernelList list_of(const KernelEntry (&entries)[N]) {
  return {entries, N};
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
