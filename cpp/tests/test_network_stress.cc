// One network called from many threads at once, with changing batches and team sizes, saved and loaded meanwhile, interrupted between
// its steps, and in forked children. Every result must have the bits of a call made alone. Mainly for the thread sanitizer.
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "check.hpp"
#include "dwsep/dwsep.hpp"
#include "dwsep/network.hpp"

// Children start threads of their own, which the thread sanitizer refuses by default.
extern "C" [[gnu::visibility("default")]] const char* __tsan_default_options();
extern "C" const char* __tsan_default_options() { return "die_after_fork=0"; }

namespace {

using namespace dwsep;
using dwsep::test::check;
using dwsep::test::in_child;

constexpr std::int64_t kSize = 10, kChannels = 24, kClasses = 7, kMostImages = 6;
constexpr int kCallers = 8;

std::vector<float> values(std::int64_t count, unsigned seed) {
  std::vector<float> v(static_cast<std::size_t>(count));
  for (float& x : v) x = static_cast<float>((seed = seed * 1664525 + 1013904223) >> 8) / static_cast<float>(1 << 23) - 1.0F;
  return v;
}

const std::vector<float> kTaps = values(9 * kChannels, 1), kMatrix = values(kChannels * kChannels, 2),
                         kLast = values(kChannels * kClasses, 3), kInput = values(kMostImages * kSize * kSize * kChannels, 4);

using Ints = std::vector<std::int64_t>;
using Attributes = std::map<std::string, NetworkAttribute>;
const Attributes kWindow = {{"stride", Ints{1, 1}}, {"dilation", Ints{1, 1}}, {"padding", Ints{1, 1, 1, 1}}};

/// Convolutions, a sum, an average and a softmax.
Network make_network(int depth) {
  NetworkBuilder b;
  int x = b.input("x", {-1, kSize, kSize, kChannels});
  for (int i = 0; i < depth; ++i) {
    const int y = b.step("depthwise", "depthwise", {x}, kWindow, {{"weight", {kTaps.data(), {3, 3, kChannels, 1}}}});
    const int z = b.step("pointwise", "pointwise", {y}, {}, {{"weight", {kMatrix.data(), {kChannels, kChannels}}}});
    x = b.step("binary", "sum", {x, z}, {{"function", std::string("add")}, {"activation", std::string("tanh")}}, {});
  }
  x = b.step("reduce", "mean", {x}, {{"function", std::string("mean")}, {"axes", Ints{1, 2}}, {"keepdims", Ints{0}}}, {});
  x = b.step("pointwise", "classes", {x}, {}, {{"weight", {kLast.data(), {kChannels, kClasses}}}});
  b.output("y", b.step("softmax", "softmax", {x}, {{"axis", Ints{1}}, {"log", Ints{0}}}, {}));
  return b.finish();
}

ConstArray images(std::int64_t count) { return {kInput.data(), {count, kSize, kSize, kChannels}}; }

std::vector<float> run(const Network& network, std::int64_t count, int threads) {
  std::vector<float> y(static_cast<std::size_t>(count * kClasses));
  network.run({images(count)}, {y.data()}, threads);
  return y;
}

/// Whether `y` is the beginning of `whole`, the result for most images.
bool begins(const std::vector<float>& whole, const std::vector<float>& y) {
  return std::memcmp(whole.data(), y.data(), y.size() * sizeof(float)) == 0;
}

/// A call that is asked whether to go on: often enough if there is much to do, never from another thread, and it ends on request.
void interruptions(const Network& network) {
  const std::int64_t most = 1 << 14;
  for (std::int64_t count = 16; count <= most; count *= 2) {
    const std::vector<float> input = values(count * kSize * kSize * kChannels, 5);
    const ConstArray x{input.data(), {count, kSize, kSize, kChannels}};
    std::vector<float> whole(static_cast<std::size_t>(count * kClasses)), y(whole.size()), cut(whole.size(), -1.0F);
    const std::thread::id self = std::this_thread::get_id();
    network.run({x}, {whole.data()}, 1);
    int asked = 0;
    const auto go_on = [&] {
      check(std::this_thread::get_id() == self, "asked on the calling thread");
      ++asked;
      return true;
    };
    check(network.run({x}, {y.data()}, 3, go_on), "a call that goes on");
    check(begins(whole, y), "bits of a call with interruptions");
    if (asked < 3) continue;
    int left = 2;
    check(!network.run({x}, {cut.data()}, 3, [&] { return --left > 0; }), "a call that is ended");
    check(left == 0 && cut.back() == -1.0F, "nothing runs after the end");
    network.run({x}, {y.data()}, 3);
    check(begins(whole, y), "bits after a call that was ended");
    return;
  }
  check(false, "some call is long enough to be asked");
}

}  // namespace

int main(int argc, char** argv) {
  const int calls = argc > 1 ? std::atoi(argv[1]) : 60;
  const bool forks = std::getenv("DWSEP_TEST_NO_FORK") == nullptr;
  const Network shared = make_network(3);
  const std::vector<float> wanted = run(shared, kMostImages, 1);
  const std::vector<char> content = shared.to_memory();
  const std::string path = "network_stress_" + std::to_string(getpid()) + ".dwsep";
  shared.save(path);

  std::vector<std::thread> threads;
  for (int caller = 0; caller < kCallers; ++caller) {
    threads.emplace_back([&, caller] {
      for (int i = 0; i < calls; ++i) {
        const Network mine = i % 9 != caller ? shared
                             : i % 2 == 0    ? Network::load(path)
                                             : Network::from_memory(content.data(), content.size());
        check(begins(wanted, run(mine, 1 + (i * 5 + caller) % kMostImages, 1 + (i + caller) % 4)), "the bits of a call made alone");
      }
    });
  }
  std::thread others([&] {
    for (int i = 0; i < calls; ++i) {
      shared.save(path);
      check(shared.to_memory() == content, "the same file every time");
      static_cast<void>(shared.steps({images(1 + i % 3).shape}, 2));
      static_cast<void>(shared.arena_bytes({images(2).shape}, 3));
    }
  });
  const auto child = [&] { return begins(wanted, run(shared, kMostImages, 3)) && begins(wanted, run(Network::load(path), 2, 2)); };
  for (int i = 0; forks && i < 10; ++i) check(in_child(child), "a child computes meanwhile");
  for (std::thread& t : threads) t.join();
  others.join();
  check(!forks || in_child(child), "a child computes afterwards");
  static_cast<void>(unlink(path.c_str()));
  interruptions(make_network(40));
  if (!forks) std::printf("no forks: DWSEP_TEST_NO_FORK is set\n");
  return dwsep::test::summary(("network stress on " + isa()).c_str());
}
