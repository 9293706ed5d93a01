// The processor's features and their names.
#pragma once

#include <string>
#include <vector>

#include "kernels/features.hpp"

namespace dwsep::runtime {

constexpr bool has_all(Features features, Features needed) { return (features & needed) == needed; }

/// The features that the processor has and the system enables.
Features detected_features();

/// Without those that require a missing one.
Features supported(Features features);

/// The bit of that name; 0 if there is none.
Features feature_named(const std::string& name);

std::vector<std::string> names_of(Features features);
std::vector<std::string> all_feature_names();

}  // namespace dwsep::runtime
