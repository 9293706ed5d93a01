// Packed weights of recurrent layers.
//
// The gates of a block of units are adjacent columns, so that a thread that has some blocks has all gates of their units. Blocks are whole
// panels of any instruction set; units that do not exist have zeros.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/network/description.hpp"

namespace dwsep::runtime {

enum class Cell { plain, gru, lstm };
inline constexpr const char* kCells[] = {"plain", "gru", "lstm"};

/// Gates that one product computes: columns are [block][gate][unit of the block].
struct Gates {
  int first, count;  ///< in the order of the unpacked weights
  PackedMatrix input, recurrent;
};

struct RecurrentWeights {
  Cell cell;
  std::int64_t directions, inputs, units;
  std::int64_t block;  ///< units of one
  std::int64_t blocks;
  std::vector<Gates> groups;  ///< those of the first direction, then those of the second

  int groups_each() const { return cell == Cell::gru ? 2 : 1; }  // the new state of a GRU needs its other gates first
  int gates() const { return cell == Cell::lstm ? 4 : cell == Cell::gru ? 3 : 1; }
  std::int64_t padded() const { return blocks * block; }
  const Gates& group(std::int64_t direction, int g) const { return groups[static_cast<std::size_t>(direction * groups_each() + g)]; }
  std::vector<NamedWeights> named() const;
};

RecurrentWeights recurrent_weights_of(const Description& d, Cell cell, std::int64_t directions);

}  // namespace dwsep::runtime
