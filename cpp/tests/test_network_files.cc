// Networks under construction and in files: what a builder accepts can be saved, what was saved loads and gives the same bits, and what
// is rejected leaves everything unchanged.
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "check.hpp"
#include "dwsep/network.hpp"
#include "runtime/network/bytes.hpp"
#include "runtime/network/network_impl.hpp"

namespace {

std::atomic<long> allocations_left{std::numeric_limits<long>::max()};

}  // namespace

// Memory that ends when a test says so. Inlined, GCC takes new and free for a mismatch.
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return allocations_left.fetch_sub(1) > 0 ? std::malloc(size == 0 ? 1 : size) : nullptr;
}
[[gnu::noinline]] void* operator new(std::size_t size) {
  void* const memory = operator new(size, std::nothrow);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

using namespace dwsep;
using namespace dwsep::test;
using runtime::NetworkDraft;
using Integers = std::vector<std::int64_t>;
using Attributes = std::map<std::string, NetworkAttribute>;

const std::string kNoText = "a\xff";

/// Whether f throws std::invalid_argument with all of `parts` in its message.
template <class F>
void refused(const char* what, const std::vector<std::string>& parts, const F& f) {
  try {
    f();
  } catch (const std::invalid_argument& error) {
    for (const std::string& part : parts) {
      const bool there = std::string(error.what()).find(part) != std::string::npos;
      check(there, (std::string(what) + ": '" + part + "' in: " + error.what()).c_str());
    }
    return;
  }
  check(false, (std::string(what) + " is refused").c_str());
}

std::vector<float> numbers(std::size_t count) {
  std::vector<float> v(count);
  for (std::size_t i = 0; i < count; ++i) v[i] = static_cast<float>(i % 11) / 4 - 1;
  return v;
}

std::vector<float> results(const Network& network, const Sizes& shape) {
  std::size_t in = 1, out = 1;
  for (const std::int64_t size : shape) in *= static_cast<std::size_t>(size);
  const std::vector<Sizes> made = network.output_shapes({shape});
  for (const std::int64_t size : made[0]) out *= static_cast<std::size_t>(size);
  const std::vector<float> x = numbers(in);
  std::vector<float> y(out);
  network.run({{x.data(), shape}}, {y.data()}, 1);
  return y;
}

Network reloaded(const Network& network) {
  const std::vector<char> file = network.to_memory();
  return Network::from_memory(file.data(), file.size());
}

/// A convolution with the weights (3, 2, 2, 4 * groups) that says it has some other size.
Network convolution(std::int64_t groups, const NetworkAttribute* kernel) {
  const Integers ones{1, 1};
  Attributes a = {{"stride", ones}, {"dilation", ones}, {"padding", Integers{0, 0, 0, 0}}, {"groups", Integers{groups}}};
  if (kernel != nullptr) a.emplace("kernel", *kernel);
  const std::vector<float> w = numbers(static_cast<std::size_t>(48 * groups));
  NetworkBuilder b;
  const int x = b.input("x", {1, 9, 9, 2 * groups});
  b.output("y", b.step("standard", "conv", {x}, a, {{"weight", {w.data(), {3, 2, 2, 4 * groups}}}}));
  return b.finish();
}

void filters_have_the_size_that_is_saved() {
  for (const std::int64_t groups : {1, 3}) {
    const NetworkAttribute right = Integers{3, 2}, turned = Integers{2, 3}, string = std::string("3x2");
    const Network network = convolution(groups, &right), again = reloaded(network);
    const Sizes x{1, 9, 9, 2 * groups};
    check(again.output_shapes({x}) == network.output_shapes({x}), "a reloaded convolution gives the same shape");
    check(results(again, x) == results(network, x), "a reloaded convolution gives the same bits");
    refused("another kernel", {"node 'conv' (standard): kernel: need the weights' size (3, 2), got (2, 3)"},
            [&] { convolution(groups, &turned); });
    refused("no kernel", {"node 'conv' (standard): kernel: need a value"}, [&] { convolution(groups, nullptr); });
    refused("a string", {"node 'conv' (standard): kernel: need integers"}, [&] { convolution(groups, &string); });
  }
}

void a_node_is_named_once() {
  NetworkBuilder b;
  const std::vector<float> w = numbers(18);
  const int x = b.input("x", {1, 9, 9, 2});
  try {
    b.step("depthwise", "d", {x}, {}, {{"weight", {w.data(), {3, 3, 2, 1}}}});
    check(false, "a step without a stride is refused");
  } catch (const std::invalid_argument& error) {
    check(std::string(error.what()) == "node 'd' (depthwise): stride: need a value, got none", error.what());
  }
}

void empty_constants_can_be_loaded() {
  const std::vector<Sizes> shapes = {{5000, 0}, {0, 5000}, {std::int64_t{1} << 40, 0}, {0}, {}};
  const float one = 1.0F;
  NetworkBuilder b;
  const int x = b.input("x", {1});
  b.output("y", b.step("activation", "a", {x}, {}, {}));
  for (const Sizes& shape : shapes) b.output("c", b.constant({&one, shape}));
  const Network network = reloaded(b.finish());
  for (std::size_t i = 0; i < shapes.size(); ++i) check(network.outputs()[i + 1].shape == shapes[i], "an empty constant's shape");
}

void text_has_to_be_utf8() {
  NetworkBuilder b;
  const int x = b.input("Größe", {1, 4});
  const int y = b.step("activation", "网络", {x}, {}, {});
  refused("an input", {"name of an input: need text in UTF-8"}, [&] { b.input(kNoText, {1}); });
  refused("an output", {"name of an output: need text in UTF-8"}, [&] { b.output(kNoText, y); });
  refused("metadata", {"metadata 'key': need text in UTF-8"}, [&] { b.metadata("key", kNoText); });
  refused("a key", {"key of the metadata: need text in UTF-8"}, [&] { b.metadata(kNoText, "text"); });
  refused("a kind", {"kind of a step: need text in UTF-8"}, [&] { b.step(kNoText, "s", {x}, {}, {}); });
  refused("a step", {"name of a step: need text in UTF-8"}, [&] { b.step("activation", kNoText, {x}, {}, {}); });
  refused("an attribute", {"node 's' (activation): name of an attribute: need text in UTF-8"}, [&] {
    b.step("activation", "s", {x}, {{kNoText, Integers{1}}}, {});
  });
  refused("a string", {"node 's' (activation): more: need text in UTF-8"}, [&] {
    b.step("activation", "s", {x}, {{"more", kNoText}}, {});
  });
  b.output("y", y);
  b.metadata("ключ", "текст");
  const Network network = reloaded(b.finish());
  check(network.inputs().size() == 1 && network.inputs()[0].name == "Größe", "the one input");
  check(network.outputs().size() == 1 && network.metadata().size() == 1 && network.metadata().at("ключ") == "текст",
        "one output, one piece of metadata");
}

void lengths_are_not_cut_short() {
  runtime::ByteWriter writer;
  writer.count(0xFFFFFFFFU);
  refused("a list of 2**32", {"at most 4294967295 bytes or entries, got 4294967296"}, [&] { writer.count(std::size_t{1} << 32); });
  check(writer.bytes().size() == 4, "a count takes four bytes");
}

void there_are_65536_values_at_most() {
  NetworkBuilder b;
  const int first = b.input("x0", {1});
  const float one = 1.0F;
  for (int i = 1; i < 65536; ++i) b.input("x" + std::to_string(i), {1});
  refused("an input too many", {"network: need at most 65536 values"}, [&] { b.input("late", {1}); });
  refused("a constant too many", {"at most 65536"}, [&] { b.constant({&one, {1}}); });
  refused("a step too many", {"at most 65536"}, [&] { b.step("activation", "a", {first}, {}, {}); });
  b.output("y", first);
  const Network network = reloaded(b.finish());
  check(network.inputs().size() == 65536 && network.inputs().back().name == "x65535", "no input of a refused call");
}

void sizes_are_checked_before_memory_is_asked_for() {
  const float one = 1.0F;
  const Sizes wraps = {std::int64_t{1} << 40, (std::int64_t{1} << 24) + 1}, negative = {-1, 4};
  NetworkBuilder b;
  const int x = b.input("x", {1, 4});
  for (const Sizes& shape : {wraps, negative}) {
    refused("a constant", {"constant: need sizes of at least 0 and at most 2**40"}, [&] { b.constant({&one, shape}); });
    refused("weights", {"weights 'scale': need sizes of at least 0 and at most 2**40"}, [&] {
      b.step("layer_norm", "n", {x}, {{"epsilon", std::vector<double>{0.1}}}, {{"scale", {&one, shape}}});
    });
  }
}

/// The sizes of all that a draft consists of.
std::vector<std::size_t> extent(const NetworkDraft& d) {
  return {d.values.size(),      d.steps.size(),        d.inputs.size(),  d.outputs.size(),
          d.input_infos.size(), d.output_infos.size(), d.metadata.size()};
}

/// Lets each allocation of change(draft) fail in turn, until none does.
template <class Change>
void whole_or_not_at_all(const char* what, const Change& change) {
  NetworkDraft draft;
  const std::string name(100, 'n');  // allocated, each copy of it
  const int x = draft.add_input(name, {1, 4});
  // Some of each, so that it is now the last of the lists, now none that has to grow.
  for (int round = 0; round < 20; ++round) {
    long failed = 0;
    for (bool done = false; !done; ++failed) {
      const std::vector<std::size_t> before = extent(draft);
      allocations_left = failed;
      try {
        change(draft, x, name);
        done = true;
      } catch (const std::bad_alloc&) {
      }
      allocations_left = std::numeric_limits<long>::max();
      if (!done && extent(draft) != before) return check(false, (std::string(what) + ": a draft is as it was where memory lacked").c_str());
    }
    check(failed > 1 || what == std::string("a constant"), (std::string(what) + ": memory lacked once at least").c_str());
  }
}

void memory_may_lack() {
  whole_or_not_at_all("an input", [](NetworkDraft& d, int, const std::string& name) { d.add_input(name, {1, 4}); });
  whole_or_not_at_all("an output", [](NetworkDraft& d, int x, const std::string& name) { d.add_output(name, x); });
  whole_or_not_at_all("metadata", [](NetworkDraft& d, int, const std::string& name) { d.add_metadata(name, name); });
  whole_or_not_at_all("a constant", [](NetworkDraft& d, int, const std::string&) {
    static const float one = 1.0F;
    static const std::shared_ptr<const float> shared(&one, [](const float*) {});
    d.add_constant({1}, shared);
  });
  whole_or_not_at_all("a step", [](NetworkDraft& d, int x, const std::string& name) {
    runtime::Description step;
    step.kind = "activation";
    step.name = name;
    d.add_step(step, {x});
  });
}

/// A folder that is gone afterwards, with the one file that it may hold.
class Folder {
 public:
  Folder() {
    const char* const parent = std::getenv("TMPDIR");
    path_ = std::string(parent == nullptr ? "/tmp" : parent) + "/dwsep_XXXXXX";
    check(mkdtemp(path_.data()) != nullptr, "a folder can be made");
  }
  ~Folder() {
    unlink(file().c_str());
    rmdir(path_.c_str());
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string file() const { return path_ + "/net.dwsep"; }

 private:
  std::string path_;
};

void paths() {
  NetworkBuilder b;
  const int x = b.input("x", {1, 4});
  b.output("y", b.step("activation", "a", {x}, {}, {}));
  const Network network = b.finish();
  const Folder folder;
  const std::string half = folder.file() + '\0' + ".onnx";
  network.save(folder.file());
  check(Network::load(folder.file()).inputs()[0].name == "x", "a file that was saved is loaded");
  for (const bool loads : {true, false}) {
    refused("half a path", {"path: need a path without zero bytes", "net.dwsep' before one"}, [&] {
      if (loads) Network::load(half);
      if (!loads) network.save(half);
    });
  }
  std::ofstream(folder.file()) << std::string(64, '?');
  refused("no such file", {"file: need a .dwsep file, got another signature", "in '" + folder.file() + "'"},
          [&] { Network::load(folder.file()); });
}

}  // namespace

int main() {
  filters_have_the_size_that_is_saved();
  a_node_is_named_once();
  empty_constants_can_be_loaded();
  text_has_to_be_utf8();
  lengths_are_not_cut_short();
  there_are_65536_values_at_most();
  sizes_are_checked_before_memory_is_asked_for();
  memory_may_lack();
  paths();
  return summary("network files");
}
