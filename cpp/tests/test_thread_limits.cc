// Limits that change at run time: calls follow the affinity mask of their caller and the cgroup's quota within a second.
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

#include "check.hpp"
#include "runtime/threads/cpu_count.hpp"
#include "runtime/threads/thread_pool.hpp"

namespace {

using dwsep::runtime::available_cpus;
using dwsep::runtime::parallel;
using dwsep::runtime::Team;
using dwsep::test::check;
using dwsep::test::in_child;

cpu_set_t mask_of(pid_t thread) {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  sched_getaffinity(thread, sizeof(mask), &mask);
  return mask;
}

/// The mask without all but its first or its second CPU.
cpu_set_t only(const cpu_set_t& mask, int wanted) {
  cpu_set_t one;
  CPU_ZERO(&one);
  for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &mask) && wanted-- == 0) CPU_SET(cpu, &one);
  }
  return one;
}

void change(const cpu_set_t& mask, pid_t thread = 0) { check(sched_setaffinity(thread, sizeof(mask), &mask) == 0, "change a mask"); }

void wait_until_noticed() { std::this_thread::sleep_for(std::chrono::milliseconds(1100)); }

/// Whether there is a team of two, and the worker may run where `mask` says.
bool worker_has(const cpu_set_t& mask) {
  std::atomic<bool> right{false};
  parallel(2, [&](Team& team) {
    if (team.rank() == 0) return;
    const cpu_set_t own = mask_of(0);
    right = CPU_EQUAL(&own, &mask) != 0;
  });
  return right;
}

bool workers_follow(const cpu_set_t& both) {
  const cpu_set_t first = only(both, 0), second = only(both, 1);
  change(first);
  check(available_cpus() == 1 && worker_has(first), "the pool starts where its first caller is");
  change(both);
  wait_until_noticed();
  check(available_cpus() == 2 && worker_has(both), "the caller may use both again, and its worker");
  change(second);
  wait_until_noticed();
  check(available_cpus() == 1 && worker_has(second), "and now only the other");
  // Each caller brings its own mask, and takes nothing from others.
  std::thread([&] {
    change(both);
    check(available_cpus() == 2 && worker_has(both), "a caller with another mask");
  }).join();
  check(worker_has(second) && available_cpus() == 1, "and the first one again");
  check(in_child([&] {
          std::thread([&] {
            change(first);
            check(worker_has(first), "another mask in a forked child");
          }).join();
          return worker_has(second);
        }),
        "a forked child");
  return true;
}

/// The mask of a thread is changed by another while its regions run.
bool changes_during_calls(const cpu_set_t& both) {
  std::atomic<pid_t> caller{0};
  std::atomic<bool> stop{false}, followed{false};
  std::atomic<int> wrong{0};
  std::thread thread([&] {
    caller = static_cast<pid_t>(syscall(SYS_gettid));
    while (!stop) {
      std::atomic<int> arrived{0};
      parallel(2, [&](Team& team) {
        arrived.fetch_add(1);
        team.barrier();
        if (arrived.load() != 2) wrong.fetch_add(1);
      });
    }
    followed = worker_has(only(both, 0));
  });
  while (caller == 0) std::this_thread::yield();
  for (int i = 0; i < 50; ++i) {
    change(i % 3 == 2 ? both : only(both, i % 2), caller);
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
  }
  change(only(both, 0), caller);
  wait_until_noticed();
  stop = true;
  thread.join();
  check(wrong == 0, "regions are whole whatever the mask");
  check(followed, "calls follow the last change");
  return true;
}

void write(const std::string& file, const std::string& text) { std::ofstream("/sys/fs/cgroup" + file) << text; }

void set_quota(int hundredths) {
  const std::string quota = std::to_string(hundredths * 1000);
  write("/cpu.max", quota + " 100000\n");
  write("/cpu/cpu.cfs_quota_us", quota + "\n");
  write("/cpu/cpu.cfs_period_us", "100000\n");
}

/// Our own files in the place of the cgroup's, seen by this child alone. False where that needs rights that we lack.
bool hide_cgroup() {
  if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return false;
  return mount("none", "/sys/fs/cgroup", "tmpfs", 0, nullptr) == 0 && mkdir("/sys/fs/cgroup/cpu", 0755) == 0;
}

bool quota_is_followed() {
  if (!hide_cgroup() || std::ifstream("/proc/self/cgroup").peek() == EOF) {
    std::fprintf(stderr, "quota: skipped, needs the right to mount\n");
    return true;
  }
  set_quota(150);
  check(available_cpus() == 2, "one CPU and a half are two");
  set_quota(100);
  check(available_cpus() == 2, "kept for a second");
  wait_until_noticed();
  check(available_cpus() == 1, "a quota that was lowered");
  set_quota(400);
  wait_until_noticed();
  check(available_cpus() == 2, "a quota that was raised");
  return true;
}

}  // namespace

int main() {
  if (std::getenv("DWSEP_TEST_NO_FORK") != nullptr) {
    std::printf("limits that change: skipped, DWSEP_TEST_NO_FORK is set\n");
    return 0;
  }
  const cpu_set_t all = mask_of(0);
  if (CPU_COUNT(&all) < 2) {
    std::printf("skipped: needs two CPUs\n");
    return 77;
  }
  cpu_set_t both = only(all, 0);
  const cpu_set_t second = only(all, 1);
  CPU_OR(&both, &both, &second);
  change(both);
  // In children, where neither pool nor answers exist yet.
  check(in_child([&] { return workers_follow(both); }), "workers follow");
  check(in_child([&] { return changes_during_calls(both); }), "changes during calls");
  check(in_child(quota_is_followed), "quota");
  return dwsep::test::summary("limits that change");
}
