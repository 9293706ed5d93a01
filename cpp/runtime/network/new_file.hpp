// A file that is written atomically.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <string>

namespace dwsep::runtime {

/// Written next to the target and renamed when complete. Throws std::system_error.
class NewFile {
 public:
  /// `path` may be a link: its target is replaced, or created.
  explicit NewFile(const std::string& path);
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  void write(const void* data, std::size_t bytes);
  /// Without it the file is removed.
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
