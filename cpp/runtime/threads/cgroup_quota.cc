#include "runtime/threads/cgroup_quota.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <stdexcept>
#include <string_view>
#include <system_error>

namespace dwsep::runtime {
namespace {

class Descriptor {
 public:
  explicit Descriptor(const std::string& path) : number_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const { return number_; }

 private:
  int number_;
};

/// The content of a file; nothing if it cannot be read. Throws if descriptors or memory are exhausted. (Streams
/// would treat both as end of file.)
std::optional<std::string> contents(const std::string& path) {
  const Descriptor file(path);
  if (file.number() < 0) {
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) throw std::runtime_error("cannot open " + path);
    return std::nullopt;
  }
  std::string text;
  std::array<char, 1024> part;
  for (ssize_t count; (count = ::read(file.number(), part.data(), part.size())) > 0;) {
    text.append(part.data(), static_cast<std::size_t>(count));
  }
  return text;
}

/// Parses a positive integer off the front of a text; nothing if there is none.
std::optional<double> take_number(std::string_view& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number <= 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return static_cast<double>(number);
}

std::optional<double> ratio(std::optional<double> quota, std::optional<double> period) {
  if (!quota || !period) return std::nullopt;
  return *quota / *period;
}

// Version 2 holds "<quota> <period>" in one file, and "max" for the quota when there is none.
std::optional<double> read_v2(const std::string& folder) {
  const std::optional<std::string> both = contents(folder + "/cpu.max");
  if (!both) return std::nullopt;
  std::string_view text = *both;
  const std::optional<double> quota = take_number(text);
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return ratio(quota, take_number(text));
}

// Version 1 holds them in two files, and a quota of -1 when there is none.
std::optional<double> read_v1(const std::string& folder) {
  const auto number = [&](const char* name) -> std::optional<double> {
    const std::optional<std::string> content = contents(folder + name);
    std::string_view text = content ? std::string_view(*content) : std::string_view();
    return take_number(text);
  };
  return ratio(number("/cpu.cfs_quota_us"), number("/cpu.cfs_period_us"));
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

/// Whether a comma-separated list has the name.
bool lists(std::string_view names, std::string_view name) {
  while (!names.empty()) {
    const std::size_t comma = std::min(names.find(','), names.size());
    if (names.substr(0, comma) == name) return true;
    names.remove_prefix(std::min(comma + 1, names.size()));
  }
  return false;
}

}  // namespace

// The mount points are the conventional ones: a full parse of mountinfo would also find others, but takes
// milliseconds on hosts with thousands of mounts.
std::optional<double> cgroup_cpu_quota(const std::string& root) {
  std::optional<double> least;
  const std::optional<std::string> groups = contents(root + "/proc/self/cgroup");
  std::string_view rest = groups ? std::string_view(*groups) : std::string_view();
  while (!rest.empty()) {  // hierarchy:controllers:path
    const std::string line(rest.substr(0, rest.find('\n')));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    const std::string mounts = root + "/sys/fs/cgroup";
    if (controllers.empty()) {
      keep_least(least, tightest(read_v2, mounts, path));
    } else if (lists(controllers, "cpu")) {
      std::string together = mounts;
      together.append("/").append(controllers);
      keep_least(least, tightest(read_v1, together, path));
      keep_least(least, tightest(read_v1, mounts + "/cpu", path));
    }
  }
  return least;
}

}  // namespace dwsep::runtime
