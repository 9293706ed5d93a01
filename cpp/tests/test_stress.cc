// Everything at once, mainly for the thread sanitizer: layers that are shared, copied, made and dropped, run on changing numbers of
// threads from many callers, while the process forks. Every result must have the bits of a call made alone.
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "check.hpp"
#include "dwsep/dwsep.hpp"

// Children start threads of their own, which the thread sanitizer refuses by default.
extern "C" [[gnu::visibility("default")]] const char* __tsan_default_options();
extern "C" const char* __tsan_default_options() { return "die_after_fork=0"; }

namespace {

using namespace dwsep;
using dwsep::test::check;
using dwsep::test::in_child;

constexpr std::int64_t kChannels = 40, kOut = 72;
constexpr Shape kShape{2, 28, 28, kChannels};

std::vector<float> values(std::int64_t count, unsigned seed) {
  std::vector<float> v(static_cast<std::size_t>(count));
  for (float& x : v) x = static_cast<float>((seed = seed * 1664525 + 1013904223) >> 8) / static_cast<float>(1 << 23) - 1.0F;
  return v;
}

const std::vector<float> kTaps = values(9 * kChannels, 1), kMatrix = values(kChannels * kOut, 2),
                         kInput = values(2 * 28 * 28 * kChannels, 3);

Layer make_layer() {
  ConvOptions options;
  options.stride_w = 2;
  return SeparableConv2D({kTaps.data(), 3, 3, kChannels, 1, nullptr}, {kMatrix.data(), kChannels, kOut, nullptr}, options,
                         Activation::relu6(), {ActivationKind::silu});
}

std::vector<float> run(const Layer& layer, int threads) {
  const Shape out = layer.output_shape(kShape);
  std::vector<float> y(static_cast<std::size_t>(out.n * out.h * out.w * out.c));
  layer(dense(kInput.data(), kShape), dense(y.data(), out), nullptr, threads);
  return y;
}

bool same(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  const int calls = argc > 1 ? std::atoi(argv[1]) : 100;
  const bool forks = std::getenv("DWSEP_TEST_NO_FORK") == nullptr;
  const Layer shared = make_layer();
  const std::vector<float> wanted = run(shared, 1);

  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int caller = 0; caller < 6; ++caller) {
    threads.emplace_back([&, caller] {
      for (int i = 0; i < calls; ++i) {
        const Layer mine = i % 7 == caller ? make_layer() : shared;
        check(same(run(mine, (i + caller) % 5), wanted), "the bits of a call made alone");
      }
    });
  }
  std::thread settings([&] {
    for (int i = 0; !stop.load(); ++i) {
      set_num_threads(i % 4);
      static_cast<void>(shared.plan(kShape));
      std::this_thread::yield();
    }
  });
  for (int i = 0; forks && i < 10; ++i) {
    check(in_child([&] { return same(run(shared, 3), wanted) && same(run(make_layer(), 2), wanted); }), "a child computes");
  }
  for (std::thread& t : threads) t.join();
  stop.store(true);
  settings.join();
  set_num_threads(0);
  if (!forks) std::printf("no forks: DWSEP_TEST_NO_FORK is set\n");
  return dwsep::test::summary(("stress on " + isa()).c_str());
}
