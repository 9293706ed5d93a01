// Text of files goes into messages and to languages that require UTF-8.
#pragma once

#include <string>

namespace dwsep::runtime {

/// Whether all of it is UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing beyond U+10FFFF.
bool is_utf8(const std::string& text);
/// Throws std::invalid_argument unless all of `what` is.
void check_utf8(const std::string& text, const std::string& what);
/// The text for a message. Where it is not UTF-8, as names of files may not be, each byte beyond ASCII is written as \xNN.
std::string printable(const std::string& text);

}  // namespace dwsep::runtime
