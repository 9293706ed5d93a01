// Errors as values, for code that must not let exceptions escape. (Programs compiled without exceptions use dwsep/c_api.h.)
//
//   dwsep::Status s = dwsep::try_run(layer, x, y);
//   if (!s.ok()) std::fprintf(stderr, "%s\n", s.message());
#pragma once

#include <cstring>
#include <exception>
#include <new>
#include <stdexcept>

#include "dwsep/layers.hpp"

#pragma GCC visibility push(default)
namespace dwsep {

enum class StatusCode : int {
  ok = 0,
  invalid_argument = 1,  ///< a shape, a size or an option; the message names it, what was wanted and what came
  out_of_memory = 2,
  failure = 3,  ///< anything else, such as a file that cannot be read
};

/// The result of a call. Holds its message, truncated to fit, so that it can be made without memory.
class [[nodiscard]] Status {
 public:
  Status() noexcept = default;
  Status(StatusCode code, const char* message) noexcept : code_(code) { cut(message_, sizeof(message_), message); }

  bool ok() const noexcept { return code_ == StatusCode::ok; }
  StatusCode code() const noexcept { return code_; }
  /// Empty if ok.
  const char* message() const noexcept { return message_; }

  /// Copies as much of a text as there is room for, in whole characters of UTF-8, and a zero; `size` is at least 1.
  static void cut(char* to, std::size_t size, const char* text) noexcept {
    std::size_t length = std::strlen(text);
    if (length >= size) {
      length = size - 1;
      while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xC0U) == 0x80U) --length;
    }
    std::memcpy(to, text, length);
    to[length] = '\0';
  }

 private:
  StatusCode code_ = StatusCode::ok;
  char message_[252] = {};
};

/// Runs body() and calls report(code, message) with what it threw or with success; the message lives until report returns.
template <class Body, class Report>
auto attempt(Body&& body, const Report& report) noexcept {
  try {
    body();
    return report(StatusCode::ok, "");
  } catch (const std::bad_alloc&) {
    return report(StatusCode::out_of_memory, "not enough memory");
  } catch (const std::logic_error& error) {  // invalid_argument, length_error, out_of_range
    return report(StatusCode::invalid_argument, error.what());
  } catch (const std::overflow_error& error) {
    return report(StatusCode::invalid_argument, error.what());
  } catch (const std::exception& error) {
    return report(StatusCode::failure, error.what());
  } catch (...) {
    return report(StatusCode::failure, "unknown exception");
  }
}

/// Runs body() and returns what it throws as a status: for constructors and whatever else has no try_ variant.
template <class Body>
Status attempt(Body&& body) noexcept {
  return attempt(body, [](StatusCode code, const char* message) { return Status(code, message); });
}

/// layer(x, y, residual, threads). If it fails, y holds no result.
inline Status try_run(const Layer& layer, const ConstTensor& x, const Tensor& y, const ConstTensor* residual = nullptr,
                      int threads = 0) noexcept {
  return attempt([&] { layer(x, y, residual, threads); });
}

/// layer.output_shape(x)
inline Status try_output_shape(const Layer& layer, const Shape& x, Shape* y) noexcept {
  return attempt([&] { *y = layer.output_shape(x); });
}

}  // namespace dwsep
#pragma GCC visibility pop
