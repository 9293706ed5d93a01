// How a vector of outputs reads its input channels, for any channel multiplier. kShares: worth code for outputs that share inputs; what is
// not is copied to windows first, but for filters too large for that. kRepeats: each vector has an order of its own; kOne: it reads one
// channel.
#pragma once

#include "kernels/depthwise/rows.hpp"
#include "simd/permute_four.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

// `same`: how many vectors from v on read the same input channels in the same order.

/// Multiplier 1, all lanes exist.
struct WholeChannels {
  static constexpr bool kShares = true, kRepeats = false, kOne = false;
  WholeChannels(const DepthwiseWork&, std::int64_t) {}
  static std::int64_t offset(const DepthwiseWork& w, std::int64_t v) { return v * w.x_vector; }
  static std::int64_t same(const DepthwiseWork&, std::int64_t) { return 1; }
  [[gnu::always_inline]] inline F32 operator()(const float* p) const { return load(p); }
};

/// The last vector, of which only some lanes exist.
struct FirstChannels {
  static constexpr bool kShares = false;
  int lanes;
  FirstChannels(const DepthwiseWork& w, std::int64_t v) : lanes(valid_lanes(w, v)) {}
  static std::int64_t offset(const DepthwiseWork& w, std::int64_t v) { return v * w.x_vector; }
  static std::int64_t same(const DepthwiseWork&, std::int64_t) { return 1; }
  [[gnu::always_inline]] inline F32 operator()(const float* p) const { return load_first(p, lanes); }
};

/// Output channel o reads input channel o / multiplier.
struct RepeatedChannels {
  static constexpr bool kShares = false, kRepeats = true, kOne = false;
  int inputs;
  std::int32_t index[kLanes];
  std::int64_t first;
  RepeatedChannels() = default;
  RepeatedChannels(const DepthwiseWork& w, std::int64_t v) : RepeatedChannels(w, v, offset(w, v)) {}
  static std::int64_t offset(const DepthwiseWork& w, std::int64_t v) { return v * kLanes / w.multiplier; }
  static std::int64_t same(const DepthwiseWork&, std::int64_t) { return 1; }
  [[gnu::always_inline]] inline F32 operator()(const float* p) const { return permute(load_first(p, inputs), index); }

 protected:
  /// Of inputs from channel `from` on.
  [[gnu::noinline]] RepeatedChannels(const DepthwiseWork& w, std::int64_t v, std::int64_t from) : first(from) {
    std::int64_t channel = offset(w, v), next = (channel + 1) * w.multiplier - v * kLanes;
    const int lanes = valid_lanes(w, v);
    for (int i = 0; i < kLanes; ++i) {
      if (i == next && i < lanes) {
        next += w.multiplier;
        ++channel;
      }
      index[i] = static_cast<std::int32_t>(channel - from);
    }
    inputs = index[kLanes - 1] + 1;
  }
};

/// The same where an image has four channels or more: eight lanes read four at most, the last four of a pixel at its end.
struct FourChannels : RepeatedChannels {
  FourChannels() = default;
  FourChannels(const DepthwiseWork& w, std::int64_t v) : RepeatedChannels(w, v, offset(w, v)) {}
  static std::int64_t offset(const DepthwiseWork& w, std::int64_t v) {
    return at_most(RepeatedChannels::offset(w, v), w.channels / w.multiplier - 4);
  }
  [[gnu::always_inline]] inline F32 operator()(const float* p) const { return permute_four(p, index); }
};

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
