// Calls with several images of a network whose file fixes the batch at one: each image is a call of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include "runtime/network/network_impl.hpp"

namespace dwsep::runtime {

/// How a call is divided.
struct Batch {
  std::int64_t images = 1;    ///< calls
  std::vector<bool> divided;  ///< for each input, whether a call takes its part of it; empty where the call is taken as it is
};

/// Divides a call where all its inputs fit but for first axes, of 1 in the network and of one other size here; `inputs` then become the
/// shapes of a single call. Throws where an output has no such axis: then there is nowhere to put the others' results.
Batch divide(const NetworkDraft& network, std::vector<Dims>& inputs);

/// Calls `run` for each image, and `next` after each; asks `proceed`, where there is one, as a run asks it between two steps. False where
/// `run` or `proceed` has ended the call.
template <class Run, class Next>
bool for_each_image(std::int64_t images, const std::function<bool()>& proceed, const Run& run, const Next& next) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::milliseconds longest{80};
  Clock::time_point asked = Clock::now();
  for (std::int64_t image = 0; image < images; ++image) {
    if (!run()) return false;
    if (proceed && Clock::now() - asked > longest) {
      if (!proceed()) return false;
      asked = Clock::now();
    }
    next();
  }
  return true;
}

}  // namespace dwsep::runtime
