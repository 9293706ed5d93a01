// Reads a network. Nothing in the file is believed: every length, offset and number is checked before it is used, here or by the op that
// is made of it.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <system_error>
#include <utility>

#include "runtime/dispatch.hpp"
#include "runtime/network/bytes.hpp"
#include "runtime/network/file.hpp"
#include "runtime/network/file_format.hpp"
#include "runtime/network/weights.hpp"

namespace dwsep::runtime {
namespace {

/// The bytes of a file, and what keeps them.
struct Bytes {
  std::shared_ptr<const void> owner;
  const char* data;
  std::size_t size;
};

class Reader {
 public:
  explicit Reader(Bytes file)
      : file_(std::move(file)),
        header_(checked_header(file_)),
        in_(file_.data + sizeof(FileHeader), header_.description_bytes),
        floats_left_((file_.size - header_.data_offset) / sizeof(float)) {}

  NetworkDraft read() {
    NetworkDraft network;
    packing_.lanes = static_cast<int>(in_.number<std::uint32_t>());
    packing_.half_panel = static_cast<HalfPanel>(in_.number<std::uint32_t>());
    check_packing(packing_);
    for (std::size_t entries = in_.count(8); entries > 0; --entries) {
      std::string key = in_.text();
      network.metadata[std::move(key)] = in_.text();
    }
    for (std::size_t values = in_.count(2); values > 0; --values) read_value(network);
    for (std::size_t outputs = in_.count(8); outputs > 0; --outputs) {
      const std::string name = in_.text();
      network.add_output(name, value_number());
    }
    if (!in_.done()) reject("file", "at its end after the outputs", "one with more records");
    return network;
  }

 private:
  static FileHeader checked_header(const Bytes& file) {
    FileHeader h{};
    if (file.size < sizeof(h)) reject("file", "a .dwsep file, which has at least 64 bytes", std::to_string(file.size) + " bytes");
    std::memcpy(&h, file.data, sizeof(h));
    if (!std::equal(std::begin(kMagic), std::end(kMagic), h.magic)) reject("file", "a .dwsep file", "one that begins otherwise");
    if (h.byte_order != kByteOrder) reject("file", "of this machine's byte order", "another");
    if (h.reserved != 0 || h.unused != 0) reject("file", "with zeros where nothing is", "something else");
    if (h.version != kFileVersion) reject("file", "of version " + std::to_string(kFileVersion), "version " + std::to_string(h.version));
    if (h.file_bytes != file.size)
      reject("file", std::to_string(h.file_bytes) + " bytes long, as it says", std::to_string(file.size) + " bytes");
    const bool inside = h.data_offset <= file.size && h.data_offset >= sizeof(h) && h.description_bytes <= h.data_offset - sizeof(h);
    if (!inside || h.data_offset % kDataAlignment != 0 || file.size % kDataAlignment != 0)
      reject("file", "whole", "one whose parts do not fit");
    Checksum checksum;
    checksum.add(&h.file_bytes, 32);
    checksum.add(file.data + sizeof(h), file.size - sizeof(h));
    if (checksum.value() != h.checksum) reject("file", "as it was written", "one whose checksum differs");
    return h;
  }

  int value_number() {
    const auto v = in_.number<std::uint32_t>();
    return v > (1U << 30) ? -1 : static_cast<int>(v);
  }

  /// `floats` values in the data, as many as the description must have there.
  std::shared_ptr<const float> values(std::int64_t floats) {
    const auto offset = in_.number<std::uint64_t>(), count = in_.number<std::uint64_t>();
    const std::uint64_t data_bytes = file_.size - header_.data_offset;
    const bool inside = offset % kDataAlignment == 0 && offset <= data_bytes && count <= (data_bytes - offset) / sizeof(float);
    if (!inside || floats < 0 || count != static_cast<std::uint64_t>(floats)) reject("file", "whole", "one whose weights lie outside");
    // Whoever refers to weights may pack them for himself.
    if (count > floats_left_) reject("file", "with weights of its own for each step and constant", "fewer than are referred to");
    floats_left_ -= count;
    return {file_.owner, reinterpret_cast<const float*>(file_.data + header_.data_offset + offset)};
  }

  /// Sizes of weights, each at least `least`, whose product the file can hold. (An array without elements may have any other sizes.)
  Dims weight_dims(int rank, std::int64_t least) {
    const Dims d = in_.dims();
    if (rank >= 0 && d.rank() != rank) reject("file", "with weights of " + std::to_string(rank) + " axes", to_string(d));
    const bool fits = possible(d) && std::all_of(d.begin(), d.end(), [&](std::int64_t size) { return size >= least; });
    if (!fits || d.count() > static_cast<std::int64_t>(file_.size)) reject("file", "with weights that it can hold", to_string(d));
    return d;
  }

  void read_value(NetworkDraft& network) {
    switch (in_.number<RecordKind>()) {
      case RecordKind::input: {
        const std::string name = in_.text();
        network.add_input(name, in_.dims());
        return;
      }
      case RecordKind::constant: {
        const Dims shape = weight_dims(-1, 0);
        network.add_constant(shape, values(shape.count()));
        return;
      }
      case RecordKind::step:
        return read_step(network);
    }
    reject("file", "of known records", "another kind");
  }

  void read_step(NetworkDraft& network) {
    Description d;
    d.kind = in_.text();
    d.name = in_.text();
    std::vector<int> inputs(in_.count(4));
    for (int& v : inputs) v = value_number();
    for (std::size_t attributes = in_.count(9); attributes > 0; --attributes) {
      std::string key = in_.text();
      d.attributes[std::move(key)] = attribute();
    }
    for (std::size_t parts = in_.count(6); parts > 0; --parts) {
      std::string key = in_.text();
      d.weights[std::move(key)] = weights();
    }
    network.add_step(std::move(d), inputs);
    check_growth(*network.steps.back().op);
  }

  /// Packing fills vectors: a column of plain weights becomes 16, and a group of one weight two vectors and the records around them.
  /// What the library writes grows eightfold at most, on a processor with wider vectors.
  void check_growth(const Op& op) {
    constexpr std::uint64_t kMost = 32, kAllowed = std::uint64_t{1} << 20, kAround = 256;
    for (const NamedWeights& w : op.named_weights()) packed_bytes_ += kAround + static_cast<std::uint64_t>(stored_bytes(w.weights));
    if (packed_bytes_ > kMost * file_.size + kAllowed) {
      reject("file", "with weights that take 32 times its size at most when they are packed", std::to_string(packed_bytes_) + " bytes");
    }
  }

  template <class T>
  std::vector<T> list() {
    std::vector<T> list(in_.count(sizeof(T)));
    for (T& v : list) v = in_.number<T>();
    return list;
  }

  Attribute attribute() {
    switch (in_.number<AttributeKind>()) {
      case AttributeKind::integers:
        return list<std::int64_t>();
      case AttributeKind::floats:
        return list<double>();
      case AttributeKind::string:
        return in_.text();
    }
    reject("file", "of known attributes", "another kind");
  }

  Weights weights() {
    switch (in_.number<WeightsKind>()) {
      case WeightsKind::raw: {
        const Dims shape = weight_dims(-1, 0);
        return RawWeights{shape, values(shape.count()), {}};
      }
      case WeightsKind::matrix: {
        const Dims d = weight_dims(2, 1);
        PackedMatrix p = matrix_layout(d[0], d[1], packing_.lanes, packing_.half_panel);
        p.weights = values(p.weight_floats());
        p.bias = values(p.bias_floats());
        return packing_ == packing_in_use() ? std::move(p) : repacked(p);
      }
      case WeightsKind::depthwise: {
        const Dims d = weight_dims(4, 1);
        PackedDepthwise p = depthwise_layout(d[0], d[1], d[2], d[3], packing_.lanes);
        p.weights = values(p.weight_floats());
        p.bias = values(p.bias_floats());
        return packing_ == packing_in_use() ? std::move(p) : repacked(p);
      }
    }
    reject("file", "of known weights", "another kind");
  }

  Bytes file_;
  FileHeader header_;
  ByteReader in_;
  Packing packing_{};
  std::uint64_t floats_left_;       ///< that nobody referred to yet, if nobody refers to them twice
  std::uint64_t packed_bytes_ = 0;  ///< that the steps so far take
};

Bytes mapped(const std::string& path) {
  const auto fail = [&](const char* what) {
    if (errno == ENOMEM) throw std::bad_alloc();
    throw std::system_error(errno, std::generic_category(), std::string(what) + " '" + path + "'");
  };
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) fail("cannot open");
  struct stat status {};
  const bool known = ::fstat(descriptor, &status) == 0;
  const std::size_t size = known && S_ISREG(status.st_mode) ? static_cast<std::size_t>(status.st_size) : 0;
  void* data = size == 0 ? MAP_FAILED : ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  const int error = errno;
  ::close(descriptor);
  if (size == 0) reject("file", "a .dwsep file, which has at least 64 bytes", "one that is empty or no regular file");
  errno = error;
  if (data == MAP_FAILED) fail("cannot map");
  return {std::shared_ptr<const void>(data, [size](const void* p) { ::munmap(const_cast<void*>(p), size); }),
          static_cast<const char*>(data), size};
}

}  // namespace

NetworkDraft read_file(const std::string& path) { return Reader(mapped(path)).read(); }

NetworkDraft read_memory(const void* data, std::size_t bytes) {
  if (bytes < sizeof(FileHeader)) reject("file", "a .dwsep file, which has at least 64 bytes", std::to_string(bytes) + " bytes");
  AlignedFloats memory = aligned_floats(static_cast<std::int64_t>(bytes / sizeof(float) + 1));
  std::memcpy(memory.get(), data, bytes);
  const std::shared_ptr<const void> owner(memory.release(),
                                          [](const void* p) { AlignedDelete()(static_cast<float*>(const_cast<void*>(p))); });
  return Reader({owner, static_cast<const char*>(owner.get()), bytes}).read();
}

}  // namespace dwsep::runtime
