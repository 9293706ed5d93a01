// Writes a network: header, description, then the elements of all arrays, each on a cache line's boundary.
#include <algorithm>
#include <limits>
#include <utility>

#include "runtime/dispatch.hpp"
#include "runtime/network/bytes.hpp"
#include "runtime/network/file.hpp"
#include "runtime/network/file_format.hpp"
#include "runtime/network/new_file.hpp"
#include "runtime/network/weights.hpp"
#include "runtime/utf8.hpp"

namespace dwsep::runtime {
namespace {

/// Arrays in the order of the file, and the description that refers to them.
class Content {
 public:
  explicit Content(const NetworkDraft& network) {
    out_.count(network.metadata.size());
    for (const auto& entry : network.metadata) {
      out_.text(entry.first);
      out_.text(entry.second);
    }
    out_.count(network.values.size());
    std::size_t input = 0, step = 0;
    for (const Value& value : network.values) {
      switch (value.kind) {
        case Value::Kind::input:
          out_.number(RecordKind::input);
          out_.text(network.input_infos[input++].name);
          out_.type(value.type);
          out_.dims(value.shape);
          break;
        case Value::Kind::constant:
          out_.number(RecordKind::constant);
          begin_array("", value.type, Layout::row_major, {}, value.shape, 1);
          refer(value.data, value.type.bytes(value.shape));
          break;
        case Value::Kind::computed:
          add(network.steps[step++]);
          break;
      }
    }
    out_.count(network.outputs.size());
    for (std::size_t i = 0; i < network.outputs.size(); ++i) {
      out_.text(network.output_infos[i].name);
      out_.number(static_cast<std::uint32_t>(network.outputs[i]));
    }
    if (!network.open.empty()) write_open_sizes(network, out_);
  }

  /// Gives the file's bytes to sink(data, bytes), part by part.
  template <class Sink>
  void write(const Sink& sink) const {
    const std::uint64_t described = sizeof(FileHeader) + out_.bytes().size();
    FileHeader header{};
    std::memcpy(header.magic, kMagic, sizeof(kMagic));
    header.version = kFileVersion;
    header.byte_order = kByteOrder;
    header.description_bytes = out_.bytes().size();
    header.data_offset = (described + kDataAlignment - 1) / kDataAlignment * kDataAlignment;
    header.file_bytes = header.data_offset + data_bytes_;
    Checksum checksum;
    checksum.add(&header.file_bytes, 32);
    for_each_part(header, [&](const void* data, std::size_t bytes) { checksum.add(data, bytes); });
    header.checksum = checksum.value();
    sink(&header, sizeof(header));
    for_each_part(header, sink);
  }

 private:
  template <class F>
  void for_each_part(const FileHeader& header, const F& f) const {
    static constexpr char kZeros[kDataAlignment] = {};
    f(out_.bytes().data(), out_.bytes().size());
    f(kZeros, static_cast<std::size_t>(header.data_offset - sizeof(header)) - out_.bytes().size());
    for (const auto& entry : data_) {
      const auto bytes = static_cast<std::size_t>(entry.second);
      f(entry.first.get(), bytes);
      f(kZeros, (kDataAlignment - bytes % kDataAlignment) % kDataAlignment);
    }
  }

  /// All of an array's record but its byte ranges, which refer() adds.
  void begin_array(const std::string& name, const ValueType& type, Layout layout, const std::vector<std::uint32_t>& parameters,
                   const Dims& dims, std::size_t ranges) {
    out_.text(name);
    out_.type(type);
    out_.number(layout);
    out_.list(parameters);
    out_.dims(dims);
    out_.count(ranges);
  }
  void refer(const std::shared_ptr<const void>& elements, std::int64_t bytes) {
    const auto size = static_cast<std::uint64_t>(bytes);
    out_.number(data_bytes_);
    out_.number(size);
    data_.emplace_back(elements, size);
    data_bytes_ += (size + kDataAlignment - 1) / kDataAlignment * kDataAlignment;
  }

  void add(const Step& step) {
    const Description& d = step.description;
    out_.number(RecordKind::step);
    out_.text(d.kind);
    out_.text(d.name);
    out_.count(step.inputs.size());
    for (const int v : step.inputs) out_.number(static_cast<std::uint32_t>(v));
    out_.count(d.attributes.size());
    for (const auto& attribute : d.attributes) {
      out_.text(attribute.first);
      std::visit([&](const auto& value) { add(value); }, attribute.second);
    }
    const std::vector<NamedWeights> all = step.op->named_weights();
    out_.count(all.size());
    for (const NamedWeights& w : all) {
      std::visit([&](const auto& packed) { add(w.name, packed); }, w.weights);
    }
  }

  void add(const std::vector<std::int64_t>& values) { add<std::int8_t>(values, AttributeKind::int8, AttributeKind::integers); }
  void add(const std::vector<double>& values) { add<float>(values, AttributeKind::float32, AttributeKind::floats); }
  /// As Narrow, where that holds all of them.
  template <class Narrow, class T>
  void add(const std::vector<T>& values, AttributeKind narrow, AttributeKind wide) {
    using Limits = std::numeric_limits<Narrow>;
    const bool fit = std::all_of(values.begin(), values.end(), [](T v) {
      return v >= Limits::lowest() && v <= Limits::max() && static_cast<T>(static_cast<Narrow>(v)) == v;
    });
    out_.number(fit ? narrow : wide);
    out_.count(values.size());
    for (const T v : values) fit ? out_.number(static_cast<Narrow>(v)) : out_.number(v);
  }
  void add(const std::string& value) {
    out_.number(AttributeKind::string);
    out_.text(value);
  }

  void add(const std::string& name, const RawWeights& w) {
    begin_array(name, w.type, Layout::row_major, {}, w.shape, 1);
    refer(w.values, w.type.bytes(w.shape));
  }
  void add(const std::string& name, const PackedMatrix& p) {
    const Packing packing = packing_in_use();
    begin_array(name, {}, Layout::matrix_panels,
                {static_cast<std::uint32_t>(packing.lanes), static_cast<std::uint32_t>(packing.half_panel)}, {p.k, p.columns}, 2);
    refer(p.weights, kFloat * p.weight_floats());
    refer(p.bias, kFloat * p.bias_floats());
  }
  void add(const std::string& name, const PackedDepthwise& p) {
    begin_array(name, {}, Layout::depthwise_vectors, {static_cast<std::uint32_t>(p.lanes)}, {p.kh, p.kw, p.channels, p.multiplier}, 2);
    refer(p.weights, kFloat * p.weight_floats());
    refer(p.bias, kFloat * p.bias_floats());
  }

  static constexpr std::int64_t kFloat = sizeof(float);

  ByteWriter out_;
  std::vector<std::pair<std::shared_ptr<const void>, std::uint64_t>> data_;
  std::uint64_t data_bytes_ = 0;
};

}  // namespace

void check_path(const std::string& path) {
  const std::size_t end = path.find('\0');
  if (end != std::string::npos) reject("path", "a path without zero bytes", "'" + printable(path.substr(0, end)) + "' before one");
}

void write_file(const NetworkDraft& network, const std::string& path) {
  const Content content(network);
  NewFile file(path);
  content.write([&](const void* data, std::size_t bytes) { file.write(data, bytes); });
  file.keep();
}

std::vector<char> write_memory(const NetworkDraft& network) {
  const Content content(network);
  std::vector<char> memory;
  content.write([&](const void* data, std::size_t bytes) {
    const auto* p = static_cast<const char*>(data);
    memory.insert(memory.end(), p, p + bytes);
  });
  return memory;
}

}  // namespace dwsep::runtime
