// Steps in a row, computed part by part: what one of them leaves is still in a cache when the next one reads it. They are elementwise, or
// two products of matrices, as of attention, with such steps or softmax between them.
#pragma once

#include <algorithm>
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

/// Rows of a part between products: 128 KB, but whole tiles that pay for reading the other matrix. 64 KB take 1.01 to 1.02 of the time on
/// Zen 3 (2026-11-29, least times in turns on a busy machine), 256 KB 1.03 to 1.6.
inline std::int64_t product_rows(const Dims& scores) {
  return std::min(std::max<std::int64_t>(4 * kChainPart / scores.back() / 12 * 12, 24), scores[scores.rank() - 2]);
}

/// A step of a chain. All have outputs of one shape, but for a last product.
struct ChainStep {
  const Op* op;
  const Array* inputs;
  int input_count;
  const Array* output;
  std::array<int, kChainInputs> slots;  ///< of scratch, where earlier steps left the inputs; or -1
  int slot;                             ///< of scratch, for the output; or -1
  float* packed;                        ///< this thread's, of a product
  double* seconds;                      ///< the time it takes is added here, where not null
};

/// A thread's part of all steps. Slots are so many floats of this thread's scratch.
void run_chain(int thread, int threads, const ChainStep* steps, int count, float* slots, std::int64_t slot_floats) noexcept;

}  // namespace dwsep::runtime
