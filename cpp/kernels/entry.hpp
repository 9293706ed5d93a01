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

template <auto Pack>
struct ErasedPack;
template <class Work, void (*Pack)(Work&)>
struct ErasedPack<Pack> {
  static void pack(void* work) { Pack(*static_cast<Work*>(work)); }
};

/// A kernel's entry. It needs the features that its unit is compiled for.
template <auto Kernel>
constexpr KernelEntry entry(const char* name, Family family, const Problem& takes = {}, const OperandTypes& types = kFloat32,
                            bool (*also)(const Problem&) = nullptr) {
  return {name, family, types, kCompiledFeatures, takes, also, Erased<Kernel>::run};
}

/// One that packs its own weights.
template <auto Kernel, auto Pack>
constexpr KernelEntry packing_entry(const char* name, Family family, const Problem& takes, const OperandTypes& types,
                                    bool (*also)(const Problem&) = nullptr) {
  KernelEntry e = entry<Kernel>(name, family, takes, types, also);
  e.pack = ErasedPack<Pack>::pack;
  return e;
}

template <int N>
constexpr KernelList list_of(const KernelEntry (&entries)[N]) {
  return {entries, N};
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
