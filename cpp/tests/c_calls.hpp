// The C interface with a place for messages, for its tests.
#pragma once

#include <array>
#include <cstdio>
#include <cstring>
#include <vector>

#include "dwsep/c_api.h"

namespace dwsep::test {

inline std::vector<float> values(std::int64_t count) {
  std::vector<float> v(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < v.size(); ++i) v[i] = static_cast<float>(i * 37 % 101) / 50.0F - 1.0F;
  return v;
}

struct Api {
  const dwsep_api& functions = *dwsep_get_api(DWSEP_C_ABI);
  std::array<char, 200> message{};

  /// Whether a call failed as it should: with that status, a message that begins so, and nothing made.
  template <class T = dwsep_layer>
  bool refused(dwsep_status got, dwsep_status wanted, const char* begin, T* const* made = nullptr) const {
    const bool right =
        got == wanted && std::strncmp(message.data(), begin, std::strlen(begin)) == 0 && (made == nullptr || *made == nullptr);
    if (!right) std::fprintf(stderr, "status %d: %s\n", static_cast<int>(got), message.data());
    return right;
  }
};

}  // namespace dwsep::test
