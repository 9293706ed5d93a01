// The processor's features: which it has, and what they are called.
#pragma once

#include <string>
#include <vector>

#include "kernels/features.hpp"

namespace dwsep::runtime {

constexpr bool has_all(Features features, Features needed) { return (features & needed) == needed; }

/// What this processor has and its system lets programs use.
Features detected_features();

/// Without those that stand on one that is missing.
Features supported(Features features);

/// The bit of that name; 0 if there is none.
Features feature_named(const std::string& name);

std::vector<std::string> names_of(Features features);
std::vector<std::string> all_feature_names();

}  // namespace dwsep::runtime
