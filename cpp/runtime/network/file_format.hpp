// The layout of .dwsep files, for writer and reader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace dwsep::runtime {

inline constexpr char kMagic[8] = {'d', 'w', 's', 'e', 'p', 'n', 'e', 't'};
inline constexpr std::uint32_t kFileVersion = 2;
inline constexpr std::uint32_t kByteOrder = 0x01020304;
inline constexpr std::uint64_t kDataAlignment = 64;

/// The first 64 bytes of a file.
struct FileHeader {
  char magic[8];
  std::uint32_t version, byte_order;
  std::uint64_t file_bytes;
  std::uint64_t description_bytes;  ///< the description follows the header
  std::uint64_t data_offset;        ///< of the elements of all arrays, a multiple of 64; they reach to the end
  std::uint64_t reserved;           ///< 0
  std::uint64_t checksum;           ///< of the 32 bytes before, then of all that follows the header
  std::uint64_t unused;             ///< 0
};
static_assert(sizeof(FileHeader) == 64);

enum class RecordKind : std::uint8_t { input = 1, constant = 2, step = 3 };
/// How the elements of an array lie in its byte ranges. An array's record says everything else in one form for all layouts and types, so
/// that a new one needs no new version of the format: a reader that does not know it can still report it.
enum class Layout : std::uint32_t {
  row_major = 0,         ///< one range; no parameters
  matrix_panels = 1,     ///< weights and bias; the parameters are lanes and HalfPanel
  depthwise_vectors = 2  ///< weights and bias; the parameter is lanes
};
/// The last two hold what integers and floats do where these need no more room: scales and zero points of channels.
enum class AttributeKind : std::uint8_t { integers = 0, floats = 1, string = 2, float32 = 3, int8 = 4 };

/// A checksum over words of eight bytes: four chains, so that it runs at the speed of memory. It detects accidental changes, not
/// malicious ones.
class Checksum {
 public:
  void add(const void* data, std::size_t bytes) {
    const auto* p = static_cast<const char*>(data);
    while (waiting_ > 0 && bytes > 0) {
      pending_[waiting_++] = *p++;
      --bytes;
      if (waiting_ == sizeof(pending_)) {
        add_block(pending_);
        waiting_ = 0;
      }
    }
    for (; bytes >= sizeof(pending_); bytes -= sizeof(pending_), p += sizeof(pending_)) add_block(p);
    if (bytes == 0) return;
    std::memcpy(pending_, p, bytes);
    waiting_ = bytes;
  }
  /// All that was added must be a multiple of 32 bytes.
  std::uint64_t value() const {
    std::uint64_t v = 0;
    for (const std::uint64_t c : chains_) v = (v ^ c ^ (c >> 29)) * kPrime;
    return v ^ (v >> 32);
  }

 private:
  static constexpr std::uint64_t kPrime = 0x9E3779B97F4A7C15U;
  void add_block(const char* p) {
    for (int i = 0; i < 4; ++i) {
      std::uint64_t word = 0;
      std::memcpy(&word, p + 8 * i, 8);
      const std::uint64_t product = (chains_[i] ^ word) * kPrime;
      chains_[i] = (product << 31) | (product >> 33);
    }
  }

  std::uint64_t chains_[4] = {1, 2, 3, 4};
  char pending_[32] = {};
  std::size_t waiting_ = 0;
};

}  // namespace dwsep::runtime
