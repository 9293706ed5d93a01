// Ranges of lanes.
#pragma once

namespace dwsep::DWSEP_ISA_NAMESPACE {

/// Lanes [first, last) of a vector. Without mask registers only whole leading parts are used: first is 0.
struct Lanes {
  int first, last;
};

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
