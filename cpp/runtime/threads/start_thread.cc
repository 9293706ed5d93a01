#include "runtime/threads/start_thread.hpp"

#include <pthread.h>
#include <signal.h>

#include <cstddef>
#include <initializer_list>

namespace dwsep::runtime {
namespace {

// The same on every system: the default is 8 MB on Linux, 512 KB on macOS and 128 KB with musl.
constexpr std::size_t kStackBytes = 1 << 20;

/// Blocks signals in this thread for a scope; a thread started within inherits the mask.
///
/// Signals are for the threads of the program that handles them. Faults stay open: they belong to the thread that
/// causes them, and a blocked one would kill the process before a crash handler could report it.
class SignalsBlocked {
 public:
  SignalsBlocked() noexcept {
    sigset_t all;
    sigfillset(&all);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT}) sigdelset(&all, fault);
    pthread_sigmask(SIG_BLOCK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

bool start_thread(void* (*main)(void*), void* argument) noexcept {
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return false;
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  const SignalsBlocked blocked;
  pthread_t thread;
  const bool started = pthread_create(&thread, &attributes, main, argument) == 0;
#if defined(__linux__)
  if (started) pthread_setname_np(thread, "dwsep");
#endif
  pthread_attr_destroy(&attributes);
  return started;
}

}  // namespace dwsep::runtime
