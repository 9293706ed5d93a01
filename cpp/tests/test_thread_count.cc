// Thread counts: the setting, the environment, the affinity mask and the cgroup quota.
#include <sched.h>
#include <sys/resource.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

#include "check.hpp"
#include "runtime/threads/cgroup_quota.hpp"
#include "runtime/threads/cpu_count.hpp"
#include "runtime/threads/thread_count.hpp"

namespace {

using dwsep::test::check;
using dwsep::test::in_child;
using namespace dwsep::runtime;

void setting() {
  set_num_threads(3);
  check(num_threads() == 3 && resolve_threads(0) == 3, "the setting is the default");
  check(resolve_threads(5) == 5, "a request is taken as it is");
  check(resolve_threads(1 << 30) == kMaxThreads, "a request is limited");
  set_num_threads(1 << 30);
  check(num_threads() == kMaxThreads, "the setting is limited");
  const auto refused = [](auto call) {
    try {
      call(-1);
    } catch (const std::invalid_argument&) {
      return true;
    }
    return false;
  };
  check(refused(set_num_threads) && num_threads() == kMaxThreads, "a negative setting is refused");
  check(refused(resolve_threads), "a negative request is refused");
  set_num_threads(0);
  check(num_threads() == available_cpus(), "0 returns to the default");
}

// Each in a child, because the variable is read once.
int threads_with(const char* value) {
  int result = 0;
  for (const int guess : {available_cpus(), 1, 7, kMaxThreads}) {
    const bool equal = in_child([&] {
      setenv("DWSEP_NUM_THREADS", value, 1);
      return num_threads() == guess;
    });
    if (equal) result = guess;
  }
  return result;
}

void environment() {
  check(threads_with("7") == 7 && threads_with("1") == 1, "the environment sets the default");
  check(threads_with("1000000") == kMaxThreads, "the environment is limited");
  check(threads_with("") == available_cpus(), "an empty environment sets nothing");
  check(threads_with("99999999999999999999") == kMaxThreads, "the environment is limited however large");
  for (const char* bad : {" ", "0", "-4", "-99999999999999999999", "four", "7x", "2.5"}) {
    const bool refused = in_child([&] {
      setenv("DWSEP_NUM_THREADS", bad, 1);
      try {
        static_cast<void>(num_threads());
      } catch (const std::invalid_argument& error) {
        return std::string(error.what()).find(bad) != std::string::npos && resolve_threads(3) == 3;
      }
      return false;
    });
    check(refused, "a bad value in the environment is refused where it is needed");
  }
  check(in_child([] {
          setenv("DWSEP_NUM_THREADS", "7", 1);
          set_num_threads(2);
          const bool set = num_threads() == 2;
          set_num_threads(0);
          return set && num_threads() == 7;
        }),
        "the setting is stronger than the environment");
}

/// OpenMP's variable belongs to OpenMP: it can lower the default, and errors in it are not reported.
void openmp() {
  const auto with = [](const char* limit, const char* threads, int expected) {
    return in_child([&] {
      setenv("OMP_NUM_THREADS", limit, 1);
      setenv("DWSEP_NUM_THREADS", threads, 1);
      return num_threads() == expected && resolve_threads(5) == 5;
    });
  };
  check(with("1", "", 1) && with(" 1,7", "", 1), "OpenMP's variable lowers the default");
  check(with("1", "3", 3), "dwsep's own variable is stronger");
  const int cpus = available_cpus();
  for (const char* no_limit : {"", "0", "-2", "many", "100000", "99999999999999999999"}) {
    check(with(no_limit, "", cpus), "OpenMP's variable never raises the default");
  }
  check(in_child([] {
          setenv("OMP_NUM_THREADS", "1", 1);
          set_num_threads(4);
          return num_threads() == 4;
        }),
        "the setting is stronger than OpenMP's variable");
}

// In threads of their own: the answer is kept for a second, and the mask belongs to the thread.
void affinity() {
  check(available_cpus() >= 1, "at least one CPU");
  std::thread([] {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<unsigned>(sched_getcpu()), &one);
    check(sched_setaffinity(0, sizeof(one), &one) == 0, "pin a thread");
    check(available_cpus() == 1, "one CPU in the affinity mask");
  }).join();
}

/// A directory that stands for the root of the file system.
class FakeRoot {
 public:
  FakeRoot() : path_(std::filesystem::temp_directory_path() / ("dwsep_test_" + std::to_string(getpid()))) {}
  ~FakeRoot() { std::filesystem::remove_all(path_); }
  FakeRoot(const FakeRoot&) = delete;
  FakeRoot& operator=(const FakeRoot&) = delete;

  void write(const std::string& file, const std::string& text) const {
    const std::filesystem::path full = path_.string() + file;
    std::filesystem::create_directories(full.parent_path());
    std::ofstream(full) << text;
  }
  bool quota_is(std::optional<double> expected) const { return cgroup_cpu_quota(path_.string()) == expected; }

 private:
  std::filesystem::path path_;
};

void quota_version_2() {
  const FakeRoot root;
  check(root.quota_is(std::nullopt), "no cgroup");
  root.write("/proc/self/cgroup", "0::/a/b\n");
  check(root.quota_is(std::nullopt), "no cpu.max");
  root.write("/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
  check(root.quota_is(std::nullopt), "no limit");
  root.write("/sys/fs/cgroup/a/b/cpu.max", "150000 100000\n");
  check(root.quota_is(1.5), "one and a half CPUs");
  root.write("/sys/fs/cgroup/a/cpu.max", "50000 100000\n");
  check(root.quota_is(0.5), "the parent is tighter");
  root.write("/sys/fs/cgroup/a/cpu.max", "400000 100000\n");
  check(root.quota_is(1.5), "the child is tighter");
  root.write("/sys/fs/cgroup/a/b/cpu.max", "rubbish\n");
  check(root.quota_is(4.0), "an unreadable file is passed over");
}

/// Whether new fails, as it does where there is no memory.
bool starving = false;

}  // namespace

void* operator new(std::size_t bytes) {
  void* const memory = starving ? nullptr : std::malloc(bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

void nothing_to_ask_with() {
  check(in_child([] {
          starving = true;
          const bool counted = available_cpus() >= 1;
          starving = false;
          return counted;
        }),
        "without memory the last answer stands");
  const FakeRoot root;
  root.write("/proc/self/cgroup", "0::/\n");
  root.write("/sys/fs/cgroup/cpu.max", "50000 100000\n");
  check(in_child([&] {
          const rlimit none{0, 0};
          if (setrlimit(RLIMIT_NOFILE, &none) != 0) return false;
          try {
            static_cast<void>(root.quota_is(0.5));
          } catch (const std::runtime_error&) {
            return available_cpus() >= 1;
          }
          return false;
        }),
        "no descriptors are not taken for no quota");
}

void quota_version_1() {
  const FakeRoot root;
  root.write("/proc/self/cgroup", "12:cpuset:/x\n4:cpu,cpuacct:/docker/0123\nbroken\n0::/\n");
  root.write("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  root.write("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  check(root.quota_is(std::nullopt), "no limit, version 1");
  root.write("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "200000\n");
  check(root.quota_is(2.0), "the path of the host is not in the container");
  root.write("/sys/fs/cgroup/cpu/docker/0123/cpu.cfs_quota_us", "25000\n");
  root.write("/sys/fs/cgroup/cpu/docker/0123/cpu.cfs_period_us", "50000\n");
  check(root.quota_is(0.5), "the hierarchy named cpu");
}

}  // namespace

int main() {
  unsetenv("DWSEP_NUM_THREADS");
  unsetenv("OMP_NUM_THREADS");
  environment();
  openmp();
  setting();
  affinity();
  quota_version_2();
  quota_version_1();
  nothing_to_ask_with();
  return dwsep::test::summary("thread count");
}
