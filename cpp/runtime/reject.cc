#include "runtime/reject.hpp"

#include <stdexcept>

namespace dwsep::runtime {

void reject(const std::string& what, const std::string& wanted, const std::string& got) {
  throw std::invalid_argument(what + ": need " + wanted + ", got " + got);
}

}  // namespace dwsep::runtime
