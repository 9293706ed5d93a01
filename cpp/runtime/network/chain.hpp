// Elementwise steps in a row, computed part by part: what one of them leaves is still in a cache when the next one reads it.
#pragma once

#include <array>
#include <cstdint>

#include "runtime/network/op.hpp"

namespace dwsep::runtime {

/// Elements of a part, 32 KB: with smaller ones the calls begin to count.
inline constexpr std::int64_t kChainPart = 8192;
/// No elementwise op has more inputs.
inline constexpr int kChainInputs = 2;

/// Longer ones are cut.
inline constexpr int kLongestChain = 16;

/// A step of a chain. All have outputs of one shape.
struct ChainStep {
  const Op* op;
  const Array* inputs;
  int input_count;
  const Array* output;
  std::array<int, kChainInputs> slots;  ///< of scratch, where earlier steps left the inputs; or -1
  int slot;                             ///< of scratch, for the output; or -1
  double* seconds;                      ///< the time it takes is added here, where not null
};

/// One thread's part of all steps. A slot is kChainPart floats of this thread's scratch.
void run_chain(const Team& team, const ChainStep* steps, int count, float* slots) noexcept;

}  // namespace dwsep::runtime
