// Dot products of quads by an instruction of the processor, for the folders that have one.
#pragma once

#include "simd/vec.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// Flip is what x is xored with for the instruction: 0x80 where it takes x as unsigned, which is 128 more.
template <std::uint8_t Flip, I32 (*dot_quads)(I32 sums, I8 x, I8 weights)>
struct DotInstruction {
  static constexpr std::uint8_t kFlip = Flip;
  static constexpr int kWeightVectors = 1, kSumRegisters = 1, kExtraRegisters = 0;
  using Weights = I8;
  using Sums = I32;

  [[gnu::always_inline]] static inline Weights load(const std::int8_t* p) { return DWSEP_ISA_NAMESPACE::load(p); }
  [[gnu::always_inline]] static inline Weights load_once(const std::int8_t* p) { return in_register(load(p)); }
  [[gnu::always_inline]] static inline Sums start(I32 v) { return v; }
  [[gnu::always_inline]] static inline I32 finish(Sums s) { return s; }
  [[gnu::always_inline]] static inline Sums add(Sums s, I8 x, Weights w) { return dot_quads(s, x, w); }
  [[gnu::always_inline]] static inline Weights split(I8 w, I8) { return w; }
  static constexpr std::uint8_t flip(std::uint8_t x_flip) { return static_cast<std::uint8_t>(x_flip ^ Flip); }
  static constexpr std::int32_t correction(std::int8_t w) { return -static_cast<std::int32_t>(Flip) * w; }
};

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
