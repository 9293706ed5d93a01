// Weights of a description, packed for the instruction set in use.
#pragma once

#include <string>

#include "runtime/network/description.hpp"

namespace dwsep::runtime {

/// Parameters of a packing.
struct Packing {
  int lanes;
  HalfPanel half_panel;

  friend bool operator==(const Packing& a, const Packing& b) { return a.lanes == b.lanes && a.half_panel == b.half_panel; }
};
Packing packing_in_use();
/// Throws std::invalid_argument unless some version of the library packs like this.
void check_packing(const Packing& p);

/// The same weights for the instruction set in use.
PackedMatrix repacked(const PackedMatrix& p);
PackedDepthwise repacked(const PackedDepthwise& p);

/// `key` as a builder gave it, or null where it is packed or missing. Throws std::invalid_argument unless it has so many axes, none empty.
const RawWeights* unpacked(const Description& d, const std::string& key, int rank);
/// `key` as a matrix (k, columns) with the bias `bias_key`, which may be absent. Given packed, the bias is in it.
PackedMatrix matrix_of(const Description& d, const std::string& key, const std::string& bias_key);
/// `key` as depthwise filters (kh, kw, channels, multiplier).
PackedDepthwise depthwise_of(const Description& d, const std::string& key, const std::string& bias_key);

/// Number of parameters, and bytes stored.
std::int64_t logical_parameters(const Weights& w);
std::int64_t stored_bytes(const Weights& w);
/// Bytes of the parameters.
double logical_bytes(const Weights& w);

}  // namespace dwsep::runtime
