#include "runtime/layers/phases.hpp"

#include <algorithm>
#include <numeric>

#include "runtime/sizes.hpp"

namespace dwsep::runtime {
namespace {

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a >= 0 ? a / b : -ceil_div(-a, b); }

/// q of the first pixel of a phase in the output.
std::int64_t first_q(const TransposedAxis& axis, std::int64_t phase) { return -floor_div(phase - axis.pad_before, axis.stride); }

/// Behind q of the last.
std::int64_t last_q(const TransposedAxis& axis, std::int64_t phase, std::int64_t output) {
  return floor_div(output - 1 + axis.pad_before - phase, axis.stride) + 1;
}

}  // namespace

std::vector<PhaseGroup> phase_groups(const TransposedAxis& axis, bool exact) {
  const std::int64_t common = std::gcd(axis.stride, axis.dilation), tap_step = axis.stride / common;
  std::vector<PhaseGroup> single;
  for (std::int64_t k = 0; k < std::min(axis.taps, tap_step); ++k) {
    const std::int64_t phase = k * axis.dilation % axis.stride, taps = ceil_div(axis.taps - k, tap_step);
    const std::int64_t last = k + (taps - 1) * tap_step;
    single.push_back({phase, {last}, taps, tap_step, (last * axis.dilation - phase) / axis.stride, axis.dilation / common});
  }
  std::sort(single.begin(), single.end(), [](const PhaseGroup& a, const PhaseGroup& b) { return a.first < b.first; });
  // Sizes of the output differ by multiples of the stride, which move the ends of all phases alike.
  const auto range_differs = [&](std::int64_t a, std::int64_t b) {
    const std::int64_t output = axis.output(1);
    return first_q(axis, a) != first_q(axis, b) || last_q(axis, a, output) != last_q(axis, b, output);
  };
  std::vector<PhaseGroup> groups;
  for (PhaseGroup& g : single) {
    PhaseGroup* const last = groups.empty() ? nullptr : &groups.back();
    const bool joins = last != nullptr && last->first + last->phases() == g.first && last->taps == g.taps && last->shift == g.shift &&
                       !(exact && range_differs(last->first, g.first));
    if (joins) {
      last->tap.push_back(g.tap.front());
    } else {
      groups.push_back(std::move(g));
    }
  }
  return groups;
}

PhaseGroup all_phases(const TransposedAxis& axis) {
  const std::int64_t taps = ceil_div(axis.taps, axis.stride), phases = std::min(axis.taps, axis.stride);
  PhaseGroup all{0, {}, taps, axis.stride, taps - 1, 1, taps * phases - axis.taps};
  for (std::int64_t p = 0; p < phases; ++p) all.tap.push_back(p + (taps - 1) * axis.stride);
  return all;
}

PhaseRange phase_range(const TransposedAxis& axis, const PhaseGroup& group, std::int64_t output) {
  const std::int64_t last = group.first + group.phases() - 1;
  return {first_q(axis, last), std::max(last_q(axis, group.first, output), first_q(axis, last))};
}

}  // namespace dwsep::runtime
