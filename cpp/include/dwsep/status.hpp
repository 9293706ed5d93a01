// Errors as values, for programs that must let no exception pass. (Those compiled without exceptions use dwsep/c_api.h.)
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

/// What became of a call. Holds its message itself, cut to fit, so that to make one cannot fail.
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

/// Runs body() and gives tell(code, message), of what body() threw or of its success; the message lives until tell returns.
template <class Body, class Tell>
auto attempt(Body&& body, const Tell& tell) noexcept {
  try {
    body();
    return tell(StatusCode::ok, "");
  } catch (const std::bad_alloc&) {
    return tell(StatusCode::out_of_memory, "not enough memory");
  } catch (const std::logic_error& error) {  // invalid_argument, length_error, out_of_range
    return tell(StatusCode::invalid_argument, error.what());
  } catch (const std::overflow_error& error) {
    return tell(StatusCode::invalid_argument, error.what());
  } catch (const std::exception& error) {
    return tell(StatusCode::failure, error.what());
  } catch (...) {
    return tell(StatusCode::failure, "unknown exception");
  }
}

/// Runs body() and turns what it throws into a status: for constructors, and for whatever else has no variant of its own.
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
