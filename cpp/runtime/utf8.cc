#include "runtime/utf8.hpp"

#include <cstddef>
#include <cstdint>

#include "runtime/reject.hpp"

namespace dwsep::runtime {
namespace {

/// By a character's first byte: how many follow, its own bits, and the least character of that length.
struct Lead {
  std::size_t following;
  std::uint32_t bits, least;
};

constexpr Lead kInvalid = {0, 0, 1};

Lead lead_of(unsigned char c) {
  if (c < 0x80) return {0, c, 0};
  if (c >= 0xC0 && c < 0xE0) return {1, c & 0x1FU, 0x80};
  if (c >= 0xE0 && c < 0xF0) return {2, c & 0x0FU, 0x800};
  if (c >= 0xF0 && c < 0xF8) return {3, c & 0x07U, 0x10000};
  return kInvalid;
}

}  // namespace

bool is_utf8(const std::string& text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const Lead lead = lead_of(static_cast<unsigned char>(text[i]));
    if (lead.following >= text.size() - i) return false;
    std::uint32_t character = lead.bits;
    for (std::size_t n = lead.following; n > 0; --n) {
      const auto c = static_cast<unsigned char>(text[++i]);
      if ((c & 0xC0U) != 0x80U) return false;
      character = character << 6U | (c & 0x3FU);
    }
    const bool surrogate = character >= 0xD800 && character < 0xE000;
    if (character < lead.least || surrogate || character > 0x10FFFF) return false;
  }
  return true;
}

void check_utf8(const std::string& text, const std::string& what) {
  if (!is_utf8(text)) reject(what, "text in UTF-8", "other bytes");
}

std::string printable(const std::string& text) {
  if (is_utf8(text)) return text;
  constexpr char digits[] = "0123456789abcdef";
  std::string escaped;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      escaped += c;
    } else {
      escaped.append({'\\', 'x', digits[byte >> 4U], digits[byte & 15U]});
    }
  }
  return escaped;
}

}  // namespace dwsep::runtime
