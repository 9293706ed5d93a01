// A fuzz target for libFuzzer: what a .dwsep file says is refused, or it runs. tools/fuzz.sh builds and runs it.
// `DWSEP_FUZZ_SEEDS=folder` writes files to begin with; `DWSEP_FUZZ_SECONDS` ends it after so much time of the processor.
#include <sys/time.h>

#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "dwsep/status.hpp"
#include "joined_networks.hpp"
#include "runtime/network/file_format.hpp"
#include "seed_networks.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

namespace {

using namespace dwsep;
using runtime::Dims;
using runtime::FileHeader;

constexpr double kMostFloats = 1 << 16, kMostFlops = 1 << 20;  // of a network that is worth running

/// Gives a file the header that it should have, so that mutations get beyond it.
void seal(std::vector<char>& file) {
  if (file.size() < sizeof(FileHeader)) return;
  file.resize((file.size() + 63) / 64 * 64);
  FileHeader h{};
  std::memcpy(&h, file.data(), sizeof(h));
  std::copy(std::begin(runtime::kMagic), std::end(runtime::kMagic), h.magic);
  h.version = runtime::kFileVersion;
  h.byte_order = runtime::kByteOrder;
  h.file_bytes = file.size();
  runtime::Checksum sum;
  sum.add(&h.file_bytes, 32);
  sum.add(file.data() + sizeof(h), file.size() - sizeof(h));
  h.checksum = sum.value();
  std::memcpy(file.data(), &h, sizeof(h));
}

[[noreturn]] void wrong(const char* what) {
  std::fprintf(stderr, "wrong: %s\n", what);
  std::abort();
}

double floats(const std::vector<Dims>& shapes) {
  double sum = 0;
  for (const Dims& d : shapes) sum += static_cast<double>(d.count());
  return sum;
}

bool small(const runtime::NetworkImpl& network, const std::vector<Dims>& inputs, const std::vector<Dims>& shapes) {
  if (!(floats(inputs) + floats(shapes) <= kMostFloats)) return false;
  double flops = 0;
  for (const runtime::Step& step : network.definition().steps) {
    std::vector<Dims> operands;
    for (const int v : step.inputs) operands.push_back(shapes[static_cast<std::size_t>(v)]);
    const Dims& out = shapes[static_cast<std::size_t>(step.output)];
    flops += step.op->flops(operands, out);
    if (!(flops <= kMostFlops && static_cast<double>(step.op->scratch_bytes(operands, out, 2)) <= sizeof(float) * kMostFloats))
      return false;
  }
  return true;
}

/// The network's results for some inputs. Outputs are filled with `before`, so that two runs reveal what was not written.
std::vector<float> results(const Network& network, const std::vector<Sizes>& shapes, int threads, float before, bool interruptible) {
  std::vector<std::vector<float>> memory;
  std::vector<ConstArray> inputs;
  const auto elements = [](const Sizes& shape) {
    std::size_t n = 1;
    for (const std::int64_t size : shape) n *= static_cast<std::size_t>(size);
    return n;
  };
  memory.reserve(shapes.size());
  for (const Sizes& shape : shapes) {
    std::vector<float>& x = memory.emplace_back(elements(shape));
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 5) - 1.5F;
    inputs.push_back({x.data(), shape});
  }
  std::vector<std::vector<float>> outputs;
  std::vector<OutputArray> places;
  for (const Sizes& shape : network.output_shapes(shapes)) outputs.emplace_back(elements(shape), before);
  for (std::vector<float>& y : outputs) places.emplace_back(y.data());
  if (!interruptible) {
    network.run(inputs, places, threads);
  } else if (!network.run(inputs, places, threads, [] { return true; })) {
    wrong("a run that may proceed ended early");
  }
  std::vector<float> all;
  for (const std::vector<float>& y : outputs) all.insert(all.end(), y.begin(), y.end());
  return all;
}

void same_bits(const std::vector<float>& a, const std::vector<float>& b, const char* otherwise) {
  if (a.size() != b.size()) wrong(otherwise);
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::memcmp(&a[i], &b[i], sizeof(float)) != 0 && !(std::isnan(a[i]) && std::isnan(b[i]))) wrong(otherwise);
  }
}

void check_output_shapes(const Network& network, const std::vector<Sizes>& shapes) {
  const std::vector<Sizes> given = network.output_shapes(shapes);
  if (given.size() != network.outputs().size()) wrong("not as many outputs as said");
  for (std::size_t i = 0; i < given.size(); ++i) {
    const Sizes& said = network.outputs()[i].shape;
    bool fits = said.size() == given[i].size();
    for (std::size_t axis = 0; fits && axis < said.size(); ++axis) fits = said[axis] == -1 || said[axis] == given[i][axis];
    if (!fits) wrong("an output of another shape than said");
  }
}

void load_and_run(const std::vector<char>& file) {
  const runtime::NetworkImpl inner(runtime::read_memory(file.data(), file.size()));
  const Network network = Network::from_memory(file.data(), file.size());
  const std::vector<char> saved = network.to_memory();
  if (Network::from_memory(saved.data(), saved.size()).to_memory() != saved) wrong("saving what was loaded changed it");

  std::vector<Sizes> shapes;
  std::vector<Dims> inputs;
  for (const ValueInfo& info : network.inputs()) {
    Dims d;
    Sizes shape = info.shape;
    const std::vector<Dims>& example = inner.definition().open.example;  // of sizes that are open besides the batch
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      std::int64_t& size = shape[axis];
      if (size == -1 && !example.empty()) size = example[inputs.size()][static_cast<int>(axis)];
      d.push_back(size = size == -1 ? 2 : size);
    }
    shapes.push_back(shape);
    inputs.push_back(d);
  }
  if (!small(inner, inputs, inner.infer(inputs).shapes)) return;
  check_output_shapes(network, shapes);
  const std::vector<float> once = results(network, shapes, 1, 1.0F, false);
  same_bits(once, results(network, shapes, 2, 2.0F, false), "two threads gave other bits than one");
  same_bits(once, results(network, shapes, 2, 3.0F, true), "a run that may be interrupted gave other bits");
  const Network again = Network::from_memory(saved.data(), saved.size());
  same_bits(once, results(again, shapes, 1, 4.0F, false), "a network that was saved and loaded gave other bits");
  network.steps(shapes, 2);
}

/// Ends the process if it computes for much longer from now on. libFuzzer's own limit counts time in which others have the processor.
void limit_time() {
  static const auto before = std::signal(SIGPROF, [](int) { wrong("takes more than 20 s"); });
  if (before == SIG_ERR) wrong("cannot handle SIGPROF");
  const itimerval timer = {{}, {20, 0}};
  if (setitimer(ITIMER_PROF, &timer, nullptr) != 0) wrong("cannot set a timer");
}

void write_seeds(const std::string& folder) {
  int number = 0;
  for (const std::vector<char>& file : test::seed_files()) {
    std::FILE* out = std::fopen((folder + "/seed_" + std::to_string(number++)).c_str(), "wb");
    if (out == nullptr || std::fwrite(file.data(), 1, file.size(), out) != file.size() || std::fclose(out) != 0) wrong("cannot write");
  }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  if (const char* folder = std::getenv("DWSEP_FUZZ_SEEDS")) write_seeds(folder);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const char* const seconds = std::getenv("DWSEP_FUZZ_SECONDS");
  if (seconds != nullptr && static_cast<double>(std::clock()) > std::atof(seconds) * CLOCKS_PER_SEC) std::raise(SIGUSR1);
  limit_time();
  std::vector<char> file(data, data + size);
  seal(file);
  const Status status = attempt([&] { load_and_run(file); });
  if (status.code() == StatusCode::failure) wrong(status.message());
  if (status.ok() != (*status.message() == '\0')) wrong("an error without a message, or the other way round");
  return 0;
}

/// One network after the other, where both are sound.
extern "C" std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t* first, std::size_t first_size, const std::uint8_t* second,
                                                 std::size_t second_size, std::uint8_t* out, std::size_t most, unsigned seed) {
  std::vector<char> joined;
  std::vector<char> a(first, first + first_size), b(second, second + second_size);
  seal(a);
  seal(b);
  const Status status =
      attempt([&] { joined = test::joined(runtime::read_memory(a.data(), a.size()), runtime::read_memory(b.data(), b.size()), seed); });
  if (!status.ok() || joined.size() > most) return 0;
  std::copy(joined.begin(), joined.end(), out);
  return joined.size();
}

/// Mostly changes the description alone, of any length, and moves the weights behind it.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most, unsigned seed) {
  FileHeader h{};
  if (size < sizeof(h) || seed % 8 == 0) return LLVMFuzzerMutate(data, size, most);
  std::memcpy(&h, data, sizeof(h));
  if (h.data_offset > size || h.data_offset < sizeof(h) || h.description_bytes > h.data_offset - sizeof(h))
    return LLVMFuzzerMutate(data, size, most);
  const std::vector<std::uint8_t> weights(data + h.data_offset, data + size);
  const std::size_t around = sizeof(h) + weights.size() + 63;
  if (around >= most) return LLVMFuzzerMutate(data, size, most);
  h.description_bytes = LLVMFuzzerMutate(data + sizeof(h), static_cast<std::size_t>(h.description_bytes), most - around);
  h.data_offset = (sizeof(h) + h.description_bytes + 63) / 64 * 64;
  std::fill(data + sizeof(h) + h.description_bytes, data + h.data_offset, std::uint8_t{0});
  std::copy(weights.begin(), weights.end(), data + h.data_offset);
  std::vector<char> file(data, data + h.data_offset + weights.size());
  std::memcpy(file.data(), &h, sizeof(h));
  seal(file);
  if (file.size() > most) return LLVMFuzzerMutate(data, size, most);
  std::copy(file.begin(), file.end(), data);
  return file.size();
}
