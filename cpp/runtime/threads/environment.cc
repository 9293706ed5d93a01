#include "runtime/threads/environment.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <string>

#include "runtime/reject.hpp"
#include "runtime/utf8.hpp"

namespace dwsep::runtime {

EnvironmentNumber environment_number(const char* name, int least, int most) noexcept {
  const char* text = std::getenv(name);
  if (text == nullptr || *text == '\0') return {};
  const char* end = text + std::strlen(text);
  int value = 0;
  const auto [stop, error] = std::from_chars(text, end, value);
  if (error == std::errc::result_out_of_range && stop == end && *text != '-') return {true, true, most};
  const bool valid = error == std::errc{} && stop == end && value >= least;
  return {true, valid, std::min(value, most)};
}

void reject_environment(const char* name, int least) {
  const char* text = std::getenv(name);
  reject(name, "an integer of at least " + std::to_string(least), "\"" + printable(text == nullptr ? "" : text) + "\"");
}

}  // namespace dwsep::runtime
