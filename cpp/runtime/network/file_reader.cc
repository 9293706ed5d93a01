// Reads a network. The file is untrusted input: every length, offset and number is checked before it is used, here or by the op that
// is made of it.
#include <algorithm>
#include <utility>

#include "runtime/dispatch.hpp"
#include "runtime/network/bytes.hpp"
#include "runtime/network/file.hpp"
#include "runtime/network/file_content.hpp"
#include "runtime/network/file_format.hpp"
#include "runtime/network/weights.hpp"

namespace dwsep::runtime {
namespace {

struct ByteRange {
  std::uint64_t offset, bytes;
};

/// The record of an array, in any layout, unchecked.
struct ArrayRecord {
  std::string name;
  std::uint32_t dtype = 0;  ///< its number
  ValueType type;           ///< where that is a known one
  std::uint32_t layout = 0;
  std::vector<std::uint32_t> parameters;  ///< of the layout
  Dims dims;
  std::vector<ByteRange> ranges;
};

/// Requirements of a layout.
struct LayoutRules {
  Layout layout;
  std::size_t parameters, ranges;
  int rank;  ///< -1: any
  std::int64_t least_size;
};
constexpr LayoutRules kLayouts[] = {
    {Layout::row_major, 0, 1, -1, 0}, {Layout::matrix_panels, 2, 2, 2, 1}, {Layout::depthwise_vectors, 1, 2, 4, 1}};

class Reader {
 public:
  explicit Reader(Bytes file)
      : file_(std::move(file)),
        header_(checked_header(file_)),
        in_(file_.data + sizeof(FileHeader), header_.description_bytes),
        bytes_left_(file_.size - header_.data_offset) {}

  NetworkDraft read() {
    NetworkDraft network;
    for (std::size_t entries = in_.count(8); entries > 0; --entries) {
      std::string key = in_.text();
      network.metadata[std::move(key)] = in_.text();
    }
    for (std::size_t values = in_.count(2); values > 0; --values) read_value(network);
    for (std::size_t outputs = in_.count(8); outputs > 0; --outputs) {
      const std::string name = in_.text();
      network.add_output(name, value_number());
    }
    if (!in_.done()) read_open_sizes(in_, network);
    if (!in_.done()) reject("file", "no records after the outputs and open sizes", "more");
    return network;
  }

 private:
  static FileHeader checked_header(const Bytes& file) {
    FileHeader h{};
    if (file.size < sizeof(h)) truncated("a header of 64 bytes", file.size);
    std::memcpy(&h, file.data, sizeof(h));
    if (!std::equal(std::begin(kMagic), std::end(kMagic), h.magic)) reject("file", "a .dwsep file", "another signature");
    if (h.byte_order != kByteOrder) reject("file", "this machine's byte order", "another");
    if (h.version != kFileVersion) {
      reject("file", "version " + std::to_string(kFileVersion),
             "version " + std::to_string(h.version) +
                 (h.version < kFileVersion ? ", which is no longer read: load the ONNX file that it came from and save it again"
                                           : ", which a newer dwsep has written"));
    }
    if (h.reserved != 0 || h.unused != 0) reject("file", "zeros in reserved fields", "other values");
    if (h.file_bytes > file.size) truncated("a file of " + std::to_string(h.file_bytes) + " bytes", file.size);
    if (h.file_bytes < file.size)
      reject("file", std::to_string(h.file_bytes) + " bytes, as its header says", std::to_string(file.size) + " bytes");
    const bool inside = h.data_offset <= file.size && h.data_offset >= sizeof(h) && h.description_bytes <= h.data_offset - sizeof(h);
    if (!inside || h.data_offset % kDataAlignment != 0 || file.size % kDataAlignment != 0)
      reject("file", "a description and data within its size", "offsets beyond it");
    Checksum checksum;
    checksum.add(&h.file_bytes, 32);
    checksum.add(file.data + sizeof(h), file.size - sizeof(h));
    if (checksum.value() != h.checksum) throw std::invalid_argument("checksum mismatch: the file has changed since it was written");
    return h;
  }

  int value_number() {
    const auto v = in_.number<std::uint32_t>();
    return v > (1U << 30) ? -1 : static_cast<int>(v);
  }

  ArrayRecord array_record() {
    ArrayRecord r;
    r.name = in_.text();
    r.type = in_.type(&r.dtype);
    r.layout = in_.number<std::uint32_t>();
    r.parameters = in_.list<std::uint32_t>();
    r.dims = in_.dims();
    r.ranges.resize(in_.count(sizeof(ByteRange)));
    for (ByteRange& range : r.ranges) {
      range.offset = in_.number<std::uint64_t>();
      range.bytes = in_.number<std::uint64_t>();
    }
    return r;
  }

  /// Of the array, and the step or constant that it belongs to. Made where it is thrown: a step's name may have megabytes.
  [[noreturn]] static void reject_array(const Description& owner, const ArrayRecord& r, const std::string& wanted, const std::string& got) {
    if (owner.kind.empty()) reject("constant", wanted, got);
    owner.reject("weights '" + r.name + "'", wanted, got);
  }

  /// The rules of its layout, which it keeps.
  static const LayoutRules& checked_layout(const Description& owner, const ArrayRecord& r) {
    if (!is_dtype(r.dtype)) {
      reject_array(owner, r, "a type that this version knows, 0 to " + std::to_string(kDTypes - 1), "type " + std::to_string(r.dtype));
    }
    // Weights: constants may have one. Which types weights may have is known to the step.
    if (!owner.kind.empty() && r.type.quantization != nullptr) {
      reject_array(owner, r, std::string("no quantization for type ") + name_of(r.type.dtype) + " of weights", "a quantization");
    }
    const auto* const rules = std::find_if(std::begin(kLayouts), std::end(kLayouts),
                                           [&](const LayoutRules& l) { return static_cast<std::uint32_t>(l.layout) == r.layout; });
    if (rules == std::end(kLayouts))
      reject_array(owner, r, "a layout that this version knows, 0 to 2", "layout " + std::to_string(r.layout));
    if (rules->layout != Layout::row_major && r.type.dtype != DType::float32) {
      reject_array(owner, r, "type float32", name_of(r.type.dtype));
    }
    if (r.parameters.size() != rules->parameters) {
      reject_array(owner, r, std::to_string(rules->parameters) + " parameters of layout " + std::to_string(r.layout),
                   std::to_string(r.parameters.size()));
    }
    if (r.ranges.size() != rules->ranges)
      reject_array(owner, r, std::to_string(rules->ranges) + " byte ranges", std::to_string(r.ranges.size()));
    if (rules->rank >= 0 && r.dims.rank() != rules->rank) reject_array(owner, r, std::to_string(rules->rank) + " axes", to_string(r.dims));
    return *rules;
  }

  /// Checks that the sizes are possible and that the file can hold so many elements, before anything is computed from them. (An array
  /// without elements may have any other sizes.)
  void check_dims(const Description& owner, const ArrayRecord& r, std::int64_t least) const {
    const bool fits = possible(r.dims) && std::all_of(r.dims.begin(), r.dims.end(), [&](std::int64_t size) { return size >= least; });
    if (!fits || r.dims.count() > static_cast<std::int64_t>(file_.size))
      reject_array(owner, r, "sizes that the file can hold", to_string(r.dims));
  }

  /// The elements in one of the ranges, as many as there must be.
  std::shared_ptr<const void> elements(const Description& owner, const ArrayRecord& r, std::size_t index, std::int64_t count) {
    const ByteRange& range = r.ranges[index];
    const std::uint64_t data_bytes = file_.size - header_.data_offset;
    const bool inside = range.offset % kDataAlignment == 0 && range.offset <= data_bytes && range.bytes <= data_bytes - range.offset;
    if (!inside) {
      reject_array(owner, r, "a range at a multiple of 64 within the " + std::to_string(data_bytes) + " bytes of data",
                   std::to_string(range.bytes) + " bytes from " + std::to_string(range.offset));
    }
    const auto wanted = static_cast<std::uint64_t>(count * size_of(r.type.dtype));
    if (range.bytes != wanted) reject_array(owner, r, std::to_string(wanted) + " bytes", std::to_string(range.bytes));
    // Each reference to weights may pack them again.
    if (range.bytes > bytes_left_) reject("file", "weights of its own for each step and constant", "fewer");
    bytes_left_ -= range.bytes;
    return {file_.owner, file_.data + header_.data_offset + range.offset};
  }
  std::shared_ptr<const float> floats(const Description& owner, const ArrayRecord& r, std::size_t index, std::int64_t count) {
    return std::static_pointer_cast<const float>(elements(owner, r, index, count));
  }

  void read_value(NetworkDraft& network) {
    const auto kind = in_.number<RecordKind>();
    switch (kind) {
      case RecordKind::input: {
        const std::string name = in_.text();
        std::uint32_t id = 0;
        const ValueType type = in_.type(&id);
        if (!is_dtype(id))
          reject("input '" + name + "'", "a type that this version knows, 0 to " + std::to_string(kDTypes - 1),
                 "type " + std::to_string(id));
        network.add_input(name, in_.dims(), type);
        return;
      }
      case RecordKind::constant: {
        const Description none;
        const ArrayRecord r = array_record();
        const LayoutRules& rules = checked_layout(none, r);
        if (rules.layout != Layout::row_major) reject_array(none, r, "layout 0", "layout " + std::to_string(r.layout));
        check_dims(none, r, rules.least_size);
        network.add_constant(r.dims, elements(none, r, 0, r.dims.count()), r.type);
        return;
      }
      case RecordKind::step:
        return read_step(network);
    }
    reject("file", "records of kind 1, 2 or 3", "kind " + std::to_string(static_cast<int>(kind)));
  }

  void read_step(NetworkDraft& network) {
    Description d;
    d.kind = in_.text();
    d.name = in_.text();
    if (d.kind.empty()) reject("file", "steps that name their kind", "an empty name");
    std::vector<int> inputs(in_.count(4));
    for (int& v : inputs) v = value_number();
    for (std::size_t attributes = in_.count(9); attributes > 0; --attributes) {
      std::string key = in_.text();
      d.attributes[std::move(key)] = attribute();
    }
    for (std::size_t arrays = in_.count(25); arrays > 0; --arrays) {
      ArrayRecord r = array_record();
      Weights w = weights(d, r);
      d.weights.insert_or_assign(std::move(r.name), std::move(w));
    }
    network.add_step(std::move(d), inputs);
    check_growth(*network.steps.back().op);
  }

  /// Packing fills vectors: a column of plain weights becomes 16, and a group of one weight two vectors and the records around them.
  /// What the library writes grows eightfold at most, on a processor with wider vectors.
  void check_growth(const Op& op) {
    constexpr std::uint64_t kMost = 32, kAllowed = std::uint64_t{1} << 20, kAround = 256;
    packed_bytes_ += static_cast<std::uint64_t>(op.packed_bytes());
    for (const NamedWeights& w : op.named_weights()) packed_bytes_ += kAround + static_cast<std::uint64_t>(stored_bytes(w.weights));
    if (packed_bytes_ > kMost * file_.size + kAllowed) {
      reject("file", "packed weights of at most 32 times its size", std::to_string(packed_bytes_) + " bytes");
    }
  }

  template <class T, class Narrow>
  static std::vector<T> widened(const std::vector<Narrow>& values) {
    return {values.begin(), values.end()};
  }

  Attribute attribute() {
    const auto kind = in_.number<AttributeKind>();
    switch (kind) {
      case AttributeKind::integers:
        return in_.list<std::int64_t>();
      case AttributeKind::floats:
        return in_.list<double>();
      case AttributeKind::string:
        return in_.text();
      case AttributeKind::float32:
        return widened<double>(in_.list<float>());
      case AttributeKind::int8:
        return widened<std::int64_t>(in_.list<std::int8_t>());
    }
    reject("file", "attributes of kind 0 to 4", "kind " + std::to_string(static_cast<int>(kind)));
  }

  Weights weights(const Description& d, const ArrayRecord& r) {
    const LayoutRules& rules = checked_layout(d, r);
    check_dims(d, r, rules.least_size);
    if (rules.layout == Layout::row_major) return RawWeights{r.dims, elements(d, r, 0, r.dims.count()), r.type};
    const Packing packing{static_cast<int>(r.parameters[0]),
                          rules.layout == Layout::matrix_panels ? static_cast<HalfPanel>(r.parameters[1]) : HalfPanel::none};
    check_packing(packing);
    if (rules.layout == Layout::matrix_panels) {
      PackedMatrix p = matrix_layout(r.dims[0], r.dims[1], packing.lanes, packing.half_panel);
      p.weights = floats(d, r, 0, p.weight_floats());
      p.bias = floats(d, r, 1, p.bias_floats());
      return packing == packing_in_use() ? std::move(p) : repacked(p);
    }
    PackedDepthwise p = depthwise_layout(r.dims[0], r.dims[1], r.dims[2], r.dims[3], packing.lanes);
    p.weights = floats(d, r, 0, p.weight_floats());
    p.bias = floats(d, r, 1, p.bias_floats());
    return packing.lanes == packing_in_use().lanes ? std::move(p) : repacked(p);
  }

  Bytes file_;
  FileHeader header_;
  ByteReader in_;
  std::uint64_t bytes_left_;        ///< not referred to yet, if none is referred to twice
  std::uint64_t packed_bytes_ = 0;  ///< that the steps so far take
};

}  // namespace

NetworkDraft read_file(const std::string& path, bool map) { return Reader(map ? mapped_file(path) : copied_file(path)).read(); }

NetworkDraft read_memory(const void* data, std::size_t bytes) {
  if (bytes < sizeof(FileHeader)) truncated("a header of 64 bytes", bytes);
  return Reader(copied(data, bytes)).read();
}

}  // namespace dwsep::runtime
