#include "runtime/cgroup_quota.hpp"

#include <fstream>
#include <sstream>

namespace dwsep::runtime {
namespace {

// Version 2 holds "<quota> <period>" in one file, and "max" for the quota when there is none.
std::optional<double> read_v2(const std::string& folder) {
  std::ifstream file(folder + "/cpu.max");
  double quota = 0, period = 0;
  if (!(file >> quota >> period) || quota <= 0 || period <= 0) return std::nullopt;
  return quota / period;
}

// Version 1 holds them in two files, and a quota of -1 when there is none.
std::optional<double> read_v1(const std::string& folder) {
  std::ifstream quota_file(folder + "/cpu.cfs_quota_us");
  std::ifstream period_file(folder + "/cpu.cfs_period_us");
  double quota = 0, period = 0;
  if (!(quota_file >> quota) || !(period_file >> period) || quota <= 0 || period <= 0) return std::nullopt;
  return quota / period;
}

void keep_least(std::optional<double>& least, std::optional<double> other) {
  if (other && (!least || *other < *least)) least = other;
}

// The least quota from `path` up to the mount point. In a container the path may name folders that only the
// host sees: those reads fail and the walk ends at the mount point, which is then the container's own cgroup.
std::optional<double> tightest(std::optional<double> (*read)(const std::string&), const std::string& mount, std::string path) {
  std::optional<double> least;
  while (!path.empty() && path != "/") {
    keep_least(least, read(mount + path));
    path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
  }
  keep_least(least, read(mount));
  return least;
}

bool lists_cpu(const std::string& controllers) {
  std::istringstream names(controllers);
  for (std::string name; std::getline(names, name, ',');) {
    if (name == "cpu") return true;
  }
  return false;
}

}  // namespace

// The mount points are the conventional ones: a full parse of mountinfo would also find others, but takes
// milliseconds on hosts with thousands of mounts.
std::optional<double> cgroup_cpu_quota(const std::string& root) {
  std::optional<double> least;
  std::ifstream groups(root + "/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {  // hierarchy:controllers:path
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    const std::string mounts = root + "/sys/fs/cgroup";
    if (controllers.empty()) {
      keep_least(least, tightest(read_v2, mounts, path));
    } else if (lists_cpu(controllers)) {
      std::string together = mounts;
      together.append("/").append(controllers);
      keep_least(least, tightest(read_v1, together, path));
      keep_least(least, tightest(read_v1, mounts + "/cpu", path));
    }
  }
  return least;
}

}  // namespace dwsep::runtime
