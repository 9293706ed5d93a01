// Work without the GIL: releasing it, taking it back, and checking for signals.
#pragma once

#include <Python.h>
#include <cxxabi.h>
#include <pybind11/cast.h>
#include <unistd.h>

#include <exception>
#include <functional>

#if defined(__linux__)
#include <sys/syscall.h>
#endif

namespace dwsep::python {

/// Runs `body`, which may release the GIL and take it back. At shutdown, Python before 3.14 ends a daemon thread
/// when it takes the GIL, which would unwind frames that own references and drop them without the GIL. Such a thread sleeps
/// until the process exits instead, as in later versions.
template <class Body>
auto staying(const Body& body) {
#if PY_VERSION_HEX < 0x030E0000 && defined(__GLIBCXX__)
  try {
    return body();
  } catch (const abi::__forced_unwind&) {
    for (;;) pause();
  }
#else
  return body();
#endif
}

inline void take_gil(PyThreadState* state) {
  staying([&] { PyEval_RestoreThread(state); });
}

/// Runs `body`, which must not touch Python, while other threads may hold the GIL. It is given a function to call now and then, which takes
/// the GIL, lets Python handle pending signals, and returns whether to go on; if not, `body` returns, and the handler's exception is
/// thrown, KeyboardInterrupt as a rule.
template <class Body>
void interruptibly(const Body& body) {
  std::exception_ptr error;
  bool interrupted = false;
  PyThreadState* state = PyEval_SaveThread();
  const auto proceed = [&] {
    take_gil(state);
    interrupted = PyErr_CheckSignals() != 0;
    state = PyEval_SaveThread();
    return !interrupted;
  };
  try {
    body(proceed);
  } catch (const std::exception&) {
    error = std::current_exception();
  }
  take_gil(state);
  if (interrupted) throw pybind11::error_already_set();
  if (error) std::rethrow_exception(error);
}

/// The same for short calls.
template <class Body>
void without_gil(const Body& body) {
  interruptibly([&](const auto&) { body(); });
}

/// Whether this thread may be the one in which Python handles signals. Others need not look for them. Two system calls, 0.2 us.
inline bool handles_signals() {
#if defined(__linux__)
  return syscall(SYS_gettid) == getpid();
#else
  return true;
#endif
}

/// Computes without the GIL; with pauses, if it takes so long that it asks for one, in the thread that handles signals.
template <class Body>
void pausing(const Body& body) {
  interruptibly([&](const auto& proceed) { body([&] { return !handles_signals() || proceed(); }); });
}

}  // namespace dwsep::python
