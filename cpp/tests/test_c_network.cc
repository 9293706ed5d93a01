// Networks through the C interface: the bits of C++, from a file and from memory, by several threads; refusals with a message.
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "c_calls.hpp"
#include "check.hpp"
#include "dwsep/dwsep.hpp"

namespace {

using namespace dwsep::test;
using Floats = std::vector<float>;
using dwsep::Sizes;

constexpr dwsep_status kInvalid = DWSEP_INVALID_ARGUMENT;

/// Two inputs, two outputs, any batch.
dwsep::Network two_by_two() {
  const Floats numbers = values(1000);
  const std::map<std::string, dwsep::NetworkAttribute> window = {{"stride", std::vector<std::int64_t>{1, 1}},
                                                                 {"dilation", std::vector<std::int64_t>{1, 1}},
                                                                 {"padding", std::vector<std::int64_t>{1, 1, 1, 1}}};
  dwsep::NetworkBuilder b;
  const int pictures = b.input("pictures", {-1, 6, 5, 7}), others = b.input("others", {-1, 6, 5, 7});
  int x = b.step("depthwise", "a", {pictures}, window, {{"weight", {numbers.data(), {3, 3, 7, 1}}}});
  x = b.step("binary", "b", {x, others}, {{"function", std::string("add")}}, {});
  const int y = b.step("pointwise", "c", {x}, {}, {{"weight", {numbers.data(), {7, 11}}}});
  b.output("sums", x);
  b.output("mixed", y);
  return b.finish();
}

dwsep_sizes sizes(std::int64_t n, std::int64_t h, std::int64_t w, std::int64_t c) { return {4, {n, h, w, c}}; }

const dwsep::Network& wanted() {
  static const dwsep::Network network = two_by_two();
  return network;
}

/// A call with a batch of n, and the result of C++ to compare with.
struct Call {
  std::size_t n;
  Floats first, second, sums, mixed;
  dwsep_const_array inputs[2];
  dwsep_array outputs[2];

  explicit Call(std::int64_t batch)
      : n(static_cast<std::size_t>(batch)), first(values(batch * 210)), second(n * 210, 0.75F), sums(n * 210), mixed(n * 330) {
    inputs[0] = {first.data(), sizes(batch, 6, 5, 7), DWSEP_FLOAT32, nullptr};
    inputs[1] = {second.data(), sizes(batch, 6, 5, 7), DWSEP_FLOAT32, nullptr};
    outputs[0] = {sums.data(), sizes(batch, 6, 5, 7), DWSEP_FLOAT32, nullptr};
    outputs[1] = {mixed.data(), sizes(batch, 6, 5, 11), DWSEP_FLOAT32, nullptr};
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  bool right() const {
    Floats s(sums.size()), m(mixed.size());
    const Sizes shape = {static_cast<std::int64_t>(n), 6, 5, 7};
    wanted().run({{first.data(), shape}, {second.data(), shape}}, {s.data(), m.data()}, 1);
    return s == sums && m == mixed && (n == 0 || s.back() != 0.0F);
  }
};

void describes(const Api& api, const dwsep_network* network) {
  const dwsep_api& f = api.functions;
  std::size_t inputs = 0, outputs = 0;
  check(f.count_values(network, &inputs, &outputs, nullptr, 0) == DWSEP_OK && inputs == 2 && outputs == 2, "two and two");
  check(f.count_values(network, nullptr, nullptr, nullptr, 0) == DWSEP_OK, "counts with null pointers");
  dwsep_value value{};
  check(f.describe_input(network, 1, &value, nullptr, 0) == DWSEP_OK && std::strcmp(value.name, "others") == 0, "an input's name");
  check(value.shape.axes == 4 && value.shape.sizes[0] == -1 && value.shape.sizes[3] == 7, "an input's shape");
  check(f.describe_output(network, 1, &value, nullptr, 0) == DWSEP_OK && std::strcmp(value.name, "mixed") == 0, "an output's name");
  check(value.shape.axes == 4 && value.shape.sizes[0] == -1 && value.shape.sizes[3] == 11, "an output's shape");
  const dwsep_sizes shapes[2] = {sizes(3, 6, 5, 7), sizes(3, 6, 5, 7)};
  dwsep_sizes results[2];
  check(f.output_sizes(network, shapes, 2, results, 2, nullptr, 0) == DWSEP_OK, "shapes of the outputs");
  check(results[0].axes == 4 && results[0].sizes[0] == 3 && results[0].sizes[3] == 7 && results[1].sizes[3] == 11, "as they are");
}

void computes(Api& api, const dwsep_network* network) {
  const dwsep_api& f = api.functions;
  for (const std::int64_t batch : {0, 1, 5}) {
    Call call(batch);
    const dwsep_sizes shapes[2] = {call.inputs[0].shape, call.inputs[1].shape};
    check(f.prepare_network(network, shapes, 2, 2, nullptr, 0) == DWSEP_OK, "a plan");
    check(f.run_network(network, call.inputs, 2, call.outputs, 2, 2, api.message.data(), api.message.size()) == DWSEP_OK, "a call");
    check(api.message[0] == '\0' && call.right(), "the bits of C++");
  }
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int round = 0; round < 20; ++round) {
        Call call(1 + (t + round) % 3);
        if (f.run_network(network, call.inputs, 2, call.outputs, 2, round % 3, nullptr, 0) == DWSEP_OK && call.right()) good.fetch_add(1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  check(good.load() == 80, "one network called by four threads");
}

void refuses_calls(Api& api, const dwsep_network* network) {
  const dwsep_api& f = api.functions;
  char* const text = api.message.data();
  const std::size_t size = api.message.size();
  Call c(2);
  dwsep_value value{};
  const dwsep_sizes shapes[2] = {sizes(2, 6, 5, 7), sizes(2, 6, 5, 7)};
  check(api.refused(f.count_values(nullptr, nullptr, nullptr, text, size), kInvalid, "network: "), "counts of nothing");
  check(api.refused(f.describe_input(network, 2, &value, text, size), kInvalid, "index: need a number below 2, got 2"), "a third input");
  check(api.refused(f.describe_output(network, 0, nullptr, text, size), kInvalid, "value: "), "nowhere to put it");
  check(api.refused(f.output_sizes(network, shapes, 1, nullptr, 2, text, size), kInvalid, "outputs: "), "nowhere to put shapes");
  check(api.refused(f.prepare_network(network, nullptr, 2, 1, text, size), kInvalid, "inputs: "), "no shapes");
  check(api.refused(f.prepare_network(network, shapes, 2, -1, text, size), kInvalid, "threads: "), "-1 threads");
  const auto run = [&](const dwsep_network* n, std::size_t in, std::size_t out, int threads) {
    return f.run_network(n, c.inputs, in, c.outputs, out, threads, text, size);
  };
  check(api.refused(run(nullptr, 2, 2, 1), kInvalid, "network: "), "no network");
  check(api.refused(run(network, 1, 2, 1), kInvalid, "inputs: need 2, got 1"), "too few inputs");
  check(api.refused(run(network, 2, 3, 1), kInvalid, "outputs: need 2, got 3"), "too many outputs");
  check(api.refused(run(network, 2, 2, -1), kInvalid, "threads: "), "negative threads");
  check(api.refused(f.run_network(network, nullptr, 2, c.outputs, 2, 1, text, size), kInvalid, "inputs: "), "no inputs");
  c.inputs[1].data = nullptr;
  check(api.refused(run(network, 2, 2, 1), kInvalid, "inputs[1]: "), "an input without memory");
  c.inputs[1].data = c.second.data();
  for (const std::int32_t axes : {-1, 9}) {
    c.inputs[0].shape.axes = axes;
    check(api.refused(run(network, 2, 2, 1), kInvalid, "inputs[0]: need 0 to 8 axes"), "axes beyond the struct");
  }
  const float scale = 0.5F;
  const std::int32_t zero = 0;
  const dwsep_quantization scaled = {&scale, &zero, 1, -1};
  c.inputs[0].shape = sizes(2, 6, 5, 7);
  c.inputs[0].dtype = DWSEP_INT8;
  check(api.refused(run(network, 2, 2, 1), kInvalid, "inputs[0]: need type float32, got int8"), "bytes");
  c.inputs[0].dtype = 77;
  check(api.refused(run(network, 2, 2, 1), kInvalid, "inputs[0].dtype: need a dwsep_dtype, got 77"), "a type that is not known");
  c.inputs[0].dtype = DWSEP_FLOAT32, c.inputs[0].quantization = &scaled;
  check(api.refused(run(network, 2, 2, 1), kInvalid, "inputs[0]: need no quantization"), "floats with a scale");
  c.inputs[0].quantization = nullptr, c.outputs[1].dtype = DWSEP_FLOAT16;
  check(api.refused(run(network, 2, 2, 1), kInvalid, "outputs[1]: need type float32, got float16"), "halves");
  c.outputs[1].dtype = DWSEP_FLOAT32;
  c.inputs[0].shape = sizes(2, 6, 5, 8);
  check(api.refused(run(network, 2, 2, 1), kInvalid, "input 'pictures': "), "a shape that does not fit");
  c.inputs[0].shape = sizes(-2, 6, 5, 7);
  check(api.refused(run(network, 2, 2, 1), kInvalid, "input 'pictures': "), "a negative batch");
  c.inputs[0].shape = sizes(2, 6, 5, 7);
  c.outputs[1].shape.sizes[0] = 1;
  check(api.refused(run(network, 2, 2, 1), kInvalid, "outputs[1]: need shape (2, 6, 5, 11), got (1, 6, 5, 11)"), "too little room");
  c.outputs[1].shape.sizes[0] = 2, c.outputs[0].data = nullptr;
  check(api.refused(run(network, 2, 2, 1), kInvalid, "outputs[0]: "), "no memory for a result");
  c.outputs[0].data = c.sums.data();
  check(run(network, 2, 2, 1) == DWSEP_OK && c.right(), "none of which does harm");
}

void refuses_files(Api& api, const std::vector<char>& content) {
  const dwsep_api& f = api.functions;
  char* const text = api.message.data();
  const std::size_t size = api.message.size();
  auto* network = reinterpret_cast<dwsep_network*>(&api);  // must become null
  check(api.refused(f.load_network(nullptr, &network, text, size), kInvalid, "path: ", &network), "no path");
  check(api.refused(f.load_network("/", nullptr, text, size), kInvalid, "network: "), "nowhere to put a network");
  check(api.refused(f.load_network("/no such file", &network, text, size), DWSEP_FAILURE, "", &network), "no file");
  const std::string lengthy(1000, 'a');
  std::array<char, 2000> room{};
  f.load_network(lengthy.c_str(), &network, room.data(), room.size());
  check(std::strlen(room.data()) > lengthy.size(), "a long message where there is room");
  check(api.refused(f.read_network(nullptr, 8, &network, text, size), kInvalid, "content: ", &network), "no content");
  check(api.refused(f.read_network("nonsense", 8, &network, text, size), kInvalid, "", &network), "nonsense");
  check(api.refused(f.read_network(content.data(), content.size() - 1, &network, text, size), kInvalid, "", &network), "a file cut short");
  f.delete_network(nullptr);
}

}  // namespace

int main() {
  Api api;
  const dwsep_api& f = api.functions;
  const std::vector<char> content = wanted().to_memory();
  const std::string path = "/tmp/dwsep_test_c_network_" + std::to_string(getpid());
  wanted().save(path);
  dwsep_network* loaded = nullptr;
  check(f.load_network(path.c_str(), &loaded, api.message.data(), api.message.size()) == DWSEP_OK, "a file");
  std::remove(path.c_str());  // it stays mapped
  dwsep_network* read = nullptr;
  {
    const std::vector<char> copy = content;  // gone before the network is used
    check(f.read_network(copy.data(), copy.size(), &read, api.message.data(), api.message.size()) == DWSEP_OK, "the content of one");
  }
  if (loaded != nullptr && read != nullptr) {
    for (dwsep_network* network : {loaded, read}) {
      describes(api, network);
      computes(api, network);
      refuses_calls(api, network);
      f.delete_network(network);
    }
  }
  refuses_files(api, content);
  return summary(("networks for C on " + dwsep::isa()).c_str());
}
