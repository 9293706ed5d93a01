#include "runtime/network/file_content.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "runtime/memory/buffer.hpp"
#include "runtime/network/system_error.hpp"
#include "runtime/reject.hpp"

namespace dwsep::runtime {
namespace {

/// An open file that is a regular one and has content.
class Source {
 public:
  explicit Source(const std::string& path) : path_(path), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    if (descriptor_ < 0) throw_system_error("cannot open", path);
    struct stat status {};
    if (::fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode)) size_ = static_cast<std::size_t>(status.st_size);
    if (size_ > 0) return;
    ::close(descriptor_);
    reject("file", "a .dwsep file, which has at least 64 bytes", "one that is empty or no regular file");
  }
  ~Source() { ::close(descriptor_); }
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  std::size_t size() const { return size_; }

  const void* map() const {
    const void* const data = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor_, 0);
    if (data == MAP_FAILED) throw_system_error("cannot map", path_);
    return data;
  }

  /// Returns the number of bytes, which is smaller where the file has become shorter.
  std::size_t read(char* to) const {
    std::size_t done = 0;
    while (done < size_) {
      const ::ssize_t n = ::read(descriptor_, to + done, size_ - done);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) throw_system_error("cannot read", path_);
      if (n == 0) break;
      done += static_cast<std::size_t>(n);
    }
    return done;
  }

 private:
  const std::string& path_;
  const int descriptor_;
  std::size_t size_ = 0;
};

}  // namespace

Bytes mapped_file(const std::string& path) {
  const Source source(path);
  const std::size_t size = source.size();
  const void* const data = source.map();
  return {std::shared_ptr<const void>(data, [size](const void* p) { ::munmap(const_cast<void*>(p), size); }),
          static_cast<const char*>(data), size};
}

Bytes copied_file(const std::string& path) {
  const Source source(path);
  const std::shared_ptr<std::byte> memory = shared_memory(static_cast<std::int64_t>(source.size()));
  const std::size_t size = source.read(reinterpret_cast<char*>(memory.get()));
  return {memory, reinterpret_cast<const char*>(memory.get()), size};
}

Bytes copied(const void* data, std::size_t bytes) {
  const std::shared_ptr<std::byte> memory = shared_memory(static_cast<std::int64_t>(bytes));
  std::memcpy(memory.get(), data, bytes);
  return {memory, reinterpret_cast<const char*>(memory.get()), bytes};
}

}  // namespace dwsep::runtime
