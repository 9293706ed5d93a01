// Networks of several steps: values that are needed at the same time share no memory, constants are copies, several images are computed one
// by one, files that are mapped hold the same network, and one that cannot be written is an error.
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "check.hpp"
#include "dwsep/dwsep.hpp"

namespace {

using namespace dwsep;
using dwsep::test::check;
using Integers = std::vector<std::int64_t>;
using Attributes = std::map<std::string, NetworkAttribute>;

const Attributes kAdd{{"function", std::string("add")}}, kNegate{{"function", std::string("neg")}};

std::vector<float> count_from(float first, std::size_t count) {
  std::vector<float> v(count);
  for (std::size_t i = 0; i < count; ++i) v[i] = first + static_cast<float>(i);
  return v;
}

void constants_are_copied_whole() {
  constexpr std::int64_t kCount = 4096;  // a page and more: what is not copied is not there by chance
  std::vector<float> constant = count_from(1, kCount);
  NetworkBuilder b;
  const int x = b.input("x", {kCount});
  b.output("y", b.step("binary", "sum", {x, b.constant({constant.data(), {kCount}})}, kAdd, {}));
  const Network network = b.finish();
  constant.assign(kCount, -99);
  const std::vector<float> zeros(kCount);
  std::vector<float> y(kCount);
  network.run({{zeros.data(), {kCount}}}, {y.data()}, 1);
  check(y == count_from(1, kCount), "a constant is the one that was given");
}

/// The smaller of two values that live together is the first of all.
void values_that_live_together_lie_apart() {
  constexpr std::int64_t kRows = 9, kColumns = 600;
  NetworkBuilder b;
  const int first = b.step("unary", "negate", {b.input("x", {1, kColumns})}, kNegate, {});
  const Attributes below{
      {"mode", std::string("constant")}, {"before", Integers{kRows, 0}}, {"after", Integers{0, 0}}, {"value", std::vector<double>{7}}};
  const int padded = b.step("pad", "pad", {first}, below, {});
  b.output("y", b.step("binary", "sum", {padded, first}, kAdd, {}));
  const std::vector<float> x = count_from(0, kColumns);
  std::vector<float> y((kRows + 1) * kColumns);
  b.finish().run({{x.data(), {1, kColumns}}}, {y.data()}, 1);
  bool right = true;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const float n = -static_cast<float>(i % kColumns);
    right = right && y[i] == (i < kRows * kColumns ? 7 + n : 2 * n);
  }
  check(right, "no value overwrites one that is still to be read");
}

void parts_are_computed_in_place() {
  NetworkBuilder b;
  const int x = b.input("x", {3, 4}), z = b.input("z", {3, 5});
  const std::vector<int> parts{b.step("unary", "a", {x}, kNegate, {}), b.step("unary", "b", {z}, kNegate, {})};
  const int whole = b.step("concat", "both", parts, {{"axis", Integers{1}}}, {});
  b.output("y", b.step("unary", "again", {whole}, kNegate, {}));
  const Network network = b.finish();
  check(network.steps({{3, 4}, {3, 5}})[2].free, "a concatenation of computed values takes no time");
  const std::vector<float> left = count_from(1, 12), right = count_from(100, 15);
  std::vector<float> y(27), wanted;
  network.run({{left.data(), {3, 4}}, {right.data(), {3, 5}}}, {y.data()}, 1);
  for (std::size_t row = 0; row < 3; ++row) {
    for (std::size_t i = 0; i < 9; ++i) wanted.push_back(i < 4 ? left[4 * row + i] : right[5 * row + i - 4]);
  }
  check(y == wanted, "side by side");
}

/// y = x + z, of which x begins with the axis of images.
Network sum_for_one_image() {
  NetworkBuilder b;
  const int x = b.input("x", {1, 2, 3}), z = b.input("z", {2, 3});
  b.output("y", b.step("binary", "sum", {x, z}, kAdd, {}));
  return b.finish();
}

void several_images_are_computed_one_by_one() {
  const Network network = sum_for_one_image();
  const std::vector<float> x = count_from(1, 24), z = count_from(1000, 6);
  std::vector<float> y(24);
  check(network.output_shapes({{4, 2, 3}, {2, 3}}) == std::vector<Sizes>{{4, 2, 3}}, "four images give four results");
  network.run({{x.data(), {4, 2, 3}}, {z.data(), {2, 3}}}, {y.data()}, 1);
  bool right = true;
  for (std::size_t i = 0; i < 24; ++i) right = right && y[i] == x[i] + z[i % 6];
  check(right, "each image has its own result, and all read what is no image");
  for (const Sizes& other : std::vector<Sizes>{{4, 3}, {4, 2, 4}, {4, 2, 3, 1}, {4}}) {
    const Status status = attempt([&] { static_cast<void>(network.output_shapes({other, {2, 3}})); });
    check(status.code() == StatusCode::invalid_argument, "images of other sizes or axes are refused");
  }
}

/// A folder that is gone afterwards, with the one file that it may hold.
struct Folder {
  Folder() { check(mkdtemp(path.data()) != nullptr, "a folder can be made"); }
  ~Folder() {
    unlink(file().c_str());
    rmdir(path.c_str());
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string file() const { return path + "/net.dwsep"; }

  std::string path = "/tmp/dwsep_networks_XXXXXX";
};

void mapped_files() {
  const Folder folder;
  sum_for_one_image().save(folder.file());
  for (const bool map : {false, true}) {
    const Network network = Network::load(folder.file(), map);
    const std::vector<float> x = count_from(1, 6);
    std::vector<float> y(6), wanted;
    for (const float v : x) wanted.push_back(2 * v);
    network.run({{x.data(), {1, 2, 3}}, {x.data(), {2, 3}}}, {y.data()}, 1);
    check(y == wanted, map ? "mapped" : "read");
  }
}

/// In a child that may write no more than a part of it.
void files_that_cannot_be_written() {
  const Network network = sum_for_one_image();
  const Folder folder;
  const bool right = dwsep::test::in_child([&] {
    struct rlimit limit {};
    limit.rlim_cur = limit.rlim_max = 100;
    if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR || setrlimit(RLIMIT_FSIZE, &limit) != 0) return false;
    try {
      network.save(folder.file());
    } catch (const std::runtime_error& error) {
      return std::string(error.what()).find("cannot write") != std::string::npos;
    }
    return false;
  });
  check(right, "a file that cannot be written is an error");
  check(rmdir(folder.path.c_str()) == 0, "and nothing is left of it");
}

}  // namespace

int main() {
  constants_are_copied_whole();
  values_that_live_together_lie_apart();
  parts_are_computed_in_place();
  several_images_are_computed_one_by_one();
  mapped_files();
  files_that_cannot_be_written();
  return dwsep::test::summary("networks");
}
