// The CPU quota that the Linux control groups of this process impose.
#pragma once

#include <optional>
#include <string>

namespace dwsep::runtime {

/// The quota in CPUs (1.5 is one and a half), the tightest of this process's cgroup and its ancestors, version 1
/// or 2; nothing when there is no limit or no cgroup. `root` replaces "/" so that a test can lay out its own files.
std::optional<double> cgroup_cpu_quota(const std::string& root = "");

}  // namespace dwsep::runtime
