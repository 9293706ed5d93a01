// The content of a file in memory: as a copy, or mapped.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace dwsep::runtime {

/// Bytes, and what keeps them.
struct Bytes {
  std::shared_ptr<const void> owner;
  const char* data;
  std::size_t size;
};

/// Both throw std::system_error where the system refuses, std::invalid_argument where there is no content. What was copied stays whatever
/// becomes of the file. A mapped file must stay as it is: what others write into it changes here as well, and where it gets shorter the
/// next look at what is gone ends the process.
Bytes copied_file(const std::string& path);
Bytes mapped_file(const std::string& path);

Bytes copied(const void* data, std::size_t bytes);

}  // namespace dwsep::runtime
