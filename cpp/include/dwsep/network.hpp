// A whole network: loaded from a .dwsep file or built step by step, run in one call.
//
// A Network is immutable, cheap to copy (copies share everything) and may be called from any number of threads at once. The first call
// for given input shapes plans the memory and keeps it for later ones. Functions throw std::invalid_argument when arguments do not fit,
// std::runtime_error when a file cannot be read or written, std::bad_alloc when memory lacks.
// `threads` = 0 means num_threads(); neither the number of threads nor the batch size ever changes a bit of a result.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "dwsep/types.hpp"

namespace dwsep::runtime {
class NetworkImpl;
class NetworkDraft;
}  // namespace dwsep::runtime

#pragma GCC visibility push(default)
namespace dwsep {

/// Sizes of the axes of an array, outermost first. At most eight.
using Sizes = std::vector<std::int64_t>;

/// An input or output; -1 is a dynamic size.
struct ValueInfo {
  std::string name;
  Sizes shape;
  DType dtype = DType::float32;
  std::optional<Quantization> quantization{};  ///< of integers that stand for real numbers
};

/// A contiguous array, by reference. The pointer's type gives that of the elements.
struct ConstArray {
  const void* data = nullptr;
  Sizes shape;
  DType dtype = DType::float32;
  const Quantization* quantization = nullptr;

  ConstArray() = default;
  template <class T>
  ConstArray(const T* values, Sizes sizes, const Quantization* scaled = nullptr)
      : data(values), shape(std::move(sizes)), dtype(DTypeOf<T>::value), quantization(scaled) {}
  ConstArray(std::nullptr_t, Sizes sizes) : shape(std::move(sizes)) {}
  ConstArray(const void* values, Sizes sizes, DType type, const Quantization* scaled = nullptr)
      : data(values), shape(std::move(sizes)), dtype(type), quantization(scaled) {}
};

/// Where an output goes: a contiguous array of the shape and quantization that the network gives it.
struct OutputArray {
  void* data = nullptr;
  DType dtype = DType::float32;

  OutputArray() = default;
  template <class T>
  OutputArray(T* values) : data(values), dtype(DTypeOf<T>::value) {}
  OutputArray(std::nullptr_t) {}
  OutputArray(void* values, DType type) : data(values), dtype(type) {}
};

/// One step of a network for inputs of known shapes.
struct StepInfo {
  std::string name, kind, kernel;
  std::vector<Sizes> inputs;
  Sizes output;
  double flops = 0;                  ///< additions and multiplications counted apart
  double bytes = 0;                  ///< inputs, weights and output, each once
  std::int64_t parameters = 0;       ///< weights and biases
  bool free = false;                 ///< takes no time: its output is a view of its input, or computed in place
  std::vector<DType> input_types{};  ///< of each input
  DType type = DType::float32;       ///< of the output
};

/// When a thread computed its part of some steps, which run as one, in seconds from the beginning of the call.
struct StepSpan {
  int step = 0, steps = 1;  ///< the first, and how many
  int thread = 0;
  double begin = 0, end = 0;
};

/// What a network keeps for the next call with such inputs.
struct PlanInfo {
  std::vector<Sizes> inputs;
  std::int64_t bytes = 0;  ///< of values in between and scratch
};

/// Moving copies, so that a moved-from network is still valid.
class Network {
 public:
  Network(const Network&) = default;
  Network& operator=(const Network&) = default;
  ~Network() = default;

  /// Reads a .dwsep file. Where `map` is true it is mapped into memory instead, which processes share and nothing reads before it is
  /// needed; the file must then stay as it is while the network lives: one that gets shorter ends the process.
  static Network load(const std::string& path, bool map = false);
  /// Reads the content of a .dwsep file, which is copied.
  static Network from_memory(const void* data, std::size_t bytes);
  /// Writes a .dwsep file, whole or not at all. Links are followed, and a file that was there before keeps its permissions. Weights are
  /// stored as the processor in use reads them; others pack them anew.
  void save(const std::string& path) const;
  /// The content of such a file.
  std::vector<char> to_memory() const;

  const std::vector<ValueInfo>& inputs() const;
  const std::vector<ValueInfo>& outputs() const;
  /// What NetworkBuilder::metadata was given.
  const std::map<std::string, std::string>& metadata() const;

  std::vector<Sizes> output_shapes(const std::vector<Sizes>& inputs) const;
  /// Whether the sizes that the network leaves open may be those of these shapes, which fit otherwise: see NetworkBuilder::require.
  bool admits(const std::vector<Sizes>& inputs) const;
  /// Where the network's inputs and outputs begin with an axis of 1, those of a call may begin with one of N: each image is computed as by
  /// itself. Fills outputs[i], a contiguous array of the shape that output_shapes returns. Outputs must not overlap inputs.
  void run(const std::vector<ConstArray>& inputs, const std::vector<OutputArray>& outputs, int threads = 0) const;
  /// The same, and asks `proceed` between two steps, some twelve times a second at most, on the calling thread; no other works meanwhile.
  /// Where it returns false the call ends, returns false, and leaves the outputs undefined.
  bool run(const std::vector<ConstArray>& inputs, const std::vector<OutputArray>& outputs, int threads,
           const std::function<bool()>& proceed) const;

  std::vector<StepInfo> steps(const std::vector<Sizes>& inputs, int threads = 0) const;
  /// As run, and gives the seconds of each step; of those that `proceed` has stopped, none.
  std::vector<double> profile(const std::vector<ConstArray>& inputs, const std::vector<OutputArray>& outputs, int threads = 0,
                              const std::function<bool()>& proceed = {}) const;
  /// As run, and gives the times of every step on every thread; where images are computed one by one, those of the last.
  std::vector<StepSpan> trace(const std::vector<ConstArray>& inputs, const std::vector<OutputArray>& outputs, int threads = 0) const;
  /// Bytes that a call needs in addition to weights, inputs and outputs.
  std::int64_t arena_bytes(const std::vector<Sizes>& inputs, int threads = 0) const;
  /// The plans that no call uses now, the last used last: at most eight, which together take at most 256 MB or are one.
  std::vector<PlanInfo> plans() const;
  /// Deletes them.
  void trim() const;
  /// Bytes of all weights, as packed.
  std::int64_t weight_bytes() const;

 private:
  friend class NetworkBuilder;
  explicit Network(std::shared_ptr<const runtime::NetworkImpl> impl);
  std::shared_ptr<const runtime::NetworkImpl> impl_;
};

/// Integers, floats or a string.
using NetworkAttribute = std::variant<std::vector<std::int64_t>, std::vector<double>, std::string>;

/// Arithmetic of sizes: the axis b of input a, which the network leaves open; the number a; the sum, product, and quotient (rounded down)
/// of the sizes a and b; and size a times the float32 whose bits are b, in float32, rounded down.
enum class SizeOp : std::uint8_t { input = 0, constant = 1, add = 2, multiply = 3, divide = 4, scale = 5 };
enum class SizeRelation : std::uint8_t { zero = 0, not_zero = 1, not_negative = 2 };

/// Makes a Network. The kinds of steps, their attributes and weights are those of a .dwsep file: docs/file_format.md. All text is UTF-8. A
/// call that throws, other than finish, leaves the builder as it was.
class NetworkBuilder {
 public:
  NetworkBuilder();
  ~NetworkBuilder();
  NetworkBuilder(const NetworkBuilder&) = delete;
  NetworkBuilder& operator=(const NetworkBuilder&) = delete;

  /// Each returns the number by which later steps refer to the value.
  int input(const std::string& name, const Sizes& shape, DType dtype = DType::float32, const Quantization* quantization = nullptr);
  int constant(const ConstArray& array);
  int step(const std::string& kind, const std::string& name, const std::vector<int>& inputs,
           const std::map<std::string, NetworkAttribute>& attributes, const std::map<std::string, ConstArray>& weights);

  void output(const std::string& name, int value);

  /// For networks whose inputs leave other sizes open than the batch. Shapes of all inputs for which the network is sound, -1 for the
  /// batch; comes after the inputs and before all else about sizes.
  void example(const std::vector<Sizes>& inputs);
  /// A size that is computed of open ones. Returns its number.
  int size(SizeOp op, std::int64_t a, std::int64_t b = 0);
  /// What has to hold of the sizes of a call; `text` says it in the error otherwise.
  void require(int size, SizeRelation relation, const std::string& text);
  /// The number at a position of an attribute of the step that makes `value` is that size; of an attribute of floats, the quotient of two.
  void open_attribute(int value, const std::string& attribute, std::size_t position, int size, int divisor = -1);
  /// An axis of an output depends on open sizes.
  void open_output(int output, int axis);

  /// Text to keep with the network.
  void metadata(const std::string& key, const std::string& text);
  /// The builder is empty afterwards, also where this throws.
  Network finish();

 private:
  std::unique_ptr<runtime::NetworkDraft> draft_;
};

}  // namespace dwsep
#pragma GCC visibility pop
