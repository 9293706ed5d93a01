// Minimal test support: a check with a name, and child processes for what may crash.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>

namespace dwsep::test {

inline std::atomic<int> failures{0};

inline void check(bool passed, const char* what) {
  if (passed) return;
  failures.fetch_add(1);
  std::fprintf(stderr, "FAILED: %s\n", what);
}

/// The exit code for main.
inline int summary(const char* name) {
  std::printf("%s: %d failed\n", name, failures.load());
  return failures.load() == 0 ? 0 : 1;
}

/// Whether body() returns true in a forked child. One that hangs is ended after ten minutes: emulators and sanitizers are slow, and a busy
/// machine makes them slower.
template <class Body>
bool in_child(const Body& body) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    failures.store(0);
    alarm(600);
    _exit(body() && failures.load() == 0 ? 0 : 1);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) return false;
  if (WIFSIGNALED(status)) std::fprintf(stderr, "a child was ended by signal %d\n", WTERMSIG(status));
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/// The same, but here where there will be no second child: emulators of other processors cannot start threads in one.
template <class Body>
bool in_child_if(bool many, const Body& body) {
  return many ? in_child(body) : body();
}

}  // namespace dwsep::test
