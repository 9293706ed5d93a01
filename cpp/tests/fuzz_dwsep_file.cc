// A fuzz target for libFuzzer: what a .dwsep file says is refused, or it runs. tools/fuzz.sh builds and runs it.
// `DWSEP_FUZZ_SEEDS=folder` writes files to begin with.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <stdexcept>

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
    if (!(flops <= kMostFlops && static_cast<double>(step.op->scratch_floats(operands, out, 2)) <= kMostFloats)) return false;
  }
  return true;
}

std::vector<float> results(const Network& network, const std::vector<Sizes>& shapes, int threads) {
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
  std::vector<float*> places;
  for (const Sizes& shape : network.output_shapes(shapes)) outputs.emplace_back(elements(shape));
  for (std::vector<float>& y : outputs) places.push_back(y.data());
  network.run(inputs, places, threads);
  std::vector<float> all;
  for (const std::vector<float>& y : outputs) all.insert(all.end(), y.begin(), y.end());
  return all;
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
    for (std::int64_t& size : shape) d.push_back(size = size == -1 ? 2 : size);
    shapes.push_back(shape);
    inputs.push_back(d);
  }
  if (!small(inner, inputs, inner.infer(inputs))) return;
  const std::vector<float> once = results(network, shapes, 1), twice = results(network, shapes, 2);
  for (std::size_t i = 0; i < once.size(); ++i) {
    if (std::memcmp(&once[i], &twice[i], sizeof(float)) != 0 && !(std::isnan(once[i]) && std::isnan(twice[i])))
      wrong("two threads gave other bits than one");
  }
  network.steps(shapes, 2);
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
  std::vector<char> file(data, data + size);
  seal(file);
  try {
    load_and_run(file);
  } catch (const std::invalid_argument&) {
  } catch (const std::bad_alloc&) {
  }
  return 0;
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
