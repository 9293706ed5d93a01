#include "runtime/network/system_error.hpp"

#include <cerrno>
#include <new>
#include <system_error>

namespace dwsep::runtime {

void throw_system_error(const char* what, const std::string& path) {
  if (errno == ENOMEM) throw std::bad_alloc();
  throw std::system_error(errno, std::generic_category(), std::string(what) + " '" + path + "'");
}

}  // namespace dwsep::runtime
