#include "runtime/network/new_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <utility>

#include "runtime/network/system_error.hpp"

namespace dwsep::runtime {
namespace {

std::atomic<unsigned> next_number{0};

/// The directory of a path, with its slash, or empty.
std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/') + 1); }

/// The target of links, also of dangling ones, for which realpath fails. A rename replaces a link, not its target.
std::string followed(std::string path) {
  constexpr int kMostLinks = 40;  // as many as Linux follows
  char next[PATH_MAX];
  for (int links = 0; links < kMostLinks; ++links) {
    const ::ssize_t size = ::readlink(path.c_str(), next, sizeof(next));
    if (size <= 0 || static_cast<std::size_t>(size) == sizeof(next)) break;
    const std::string target(next, static_cast<std::size_t>(size));
    path = target.front() == '/' ? target : folder_of(path).append(target);
  }
  return path;
}

}  // namespace

NewFile::NewFile(const std::string& path) : path_(path), target_(followed(path)) {
  existed_ = ::stat(path.c_str(), &before_) == 0;
  if (!existed_ && errno != ENOENT) throw_system_error("cannot write", path_);
  // A device or a pipe would be replaced by a file, as root even /dev/null.
  if (existed_ && !S_ISREG(before_.st_mode)) {
    errno = S_ISDIR(before_.st_mode) ? EISDIR : EINVAL;
    throw_system_error("cannot write", path_);
  }
  // A short name of its own, as the file's may be as long as names can be. Not mkstemp, whose file only the owner may read: a new one's
  // rights are the umask's to say, which cannot be read without changing it for all threads.
  do {
    temporary_ = folder_of(target_) + ".dwsep-" + std::to_string(::getpid()) + "-" + std::to_string(next_number++);
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, existed_ ? 0600 : 0666);
  } while (descriptor_ < 0 && (errno == EEXIST || errno == EINTR));
  if (descriptor_ < 0) throw_system_error("cannot write", path_);
}

NewFile::~NewFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!kept_) ::unlink(temporary_.c_str());
}

void NewFile::write(const void* data, std::size_t bytes) {
  const auto* p = static_cast<const char*>(data);
  while (bytes > 0) {
    const ::ssize_t n = ::write(descriptor_, p, bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw_system_error("cannot write", path_);
    p += n;
    bytes -= static_cast<std::size_t>(n);
  }
}

/// Those of the file that was there before; its owner and group where we may give them. A group that it did not have gets no rights.
bool NewFile::take_rights() const {
  const bool group =
      ::fchown(descriptor_, before_.st_uid, before_.st_gid) == 0 || ::fchown(descriptor_, static_cast<::uid_t>(-1), before_.st_gid) == 0;
  const ::mode_t lost = group ? 0 : S_ISGID | S_IRWXG;
  return ::fchmod(descriptor_, before_.st_mode & 07777 & ~lost) == 0;
}

void NewFile::keep() {
  const bool written = (!existed_ || take_rights()) && ::fsync(descriptor_) == 0 && ::close(std::exchange(descriptor_, -1)) == 0;
  if (!written || ::rename(temporary_.c_str(), target_.c_str()) != 0) throw_system_error("cannot write", path_);
  kept_ = true;
}

}  // namespace dwsep::runtime
