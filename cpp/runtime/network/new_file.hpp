// A file on the disk that is there whole or not at all.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <string>

namespace dwsep::runtime {

/// Written beside the wanted file, whose name it takes when it is complete. Throws std::system_error where the system refuses.
class NewFile {
 public:
  /// `path` may be a link: what it leads to is replaced, or made where there is nothing.
  explicit NewFile(const std::string& path);
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  void write(const void* data, std::size_t bytes);
  /// Without it nothing remains of the file.
  void keep();

 private:
  bool take_rights() const;

  std::string path_, target_, temporary_;  ///< path_ as the caller spells it
  bool existed_ = false;
  struct stat before_ {};  ///< of a file that existed
  int descriptor_ = -1;
  bool kept_ = false;
};

}  // namespace dwsep::runtime
