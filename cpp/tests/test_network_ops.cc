// Every op of a network except convolutions, on random shapes and views, against scalar loops in double: by teams of 1 to 3, as a run
// and as a view, and with the same bits on every instruction set that has fused multiply-adds. `test_network_ops [seed [count]]`.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "check.hpp"
#include "network_images.hpp"
#include "network_moves.hpp"
#include "runtime/dispatch.hpp"
#include "runtime/network/execution_plan.hpp"

namespace {

using namespace dwsep;
using namespace dwsep::test;
using runtime::Array;

constexpr Case (*kCases[])(Random&) = {activation_case, unary_case,  binary_case, pool_case,     reduce_case,  softmax_case,
                                       layer_norm_case, matmul_case, resize_case, identity_case, reshape_case, transpose_case,
                                       concat_case,     slice_case,  pad_case,    gather_case,   expand_case,  zero_insert_case};

std::uint64_t digest = 14695981039346656037ULL;  ///< of all results so far: FNV-1a

void add_to_digest(float v) {
  std::uint32_t bits = 0x7FC00000U;  // one for all NaN
  if (v == v) std::memcpy(&bits, &v, sizeof(bits));
  digest = (digest ^ bits) * 1099511628211ULL;
}

bool same(float a, float b) { return std::memcmp(&a, &b, sizeof(a)) == 0 || (std::isnan(a) && std::isnan(b)); }

/// Runs the op by a team; returns the results in order, and checks that nothing around them was written.
std::vector<float> run(const runtime::Op& op, const std::vector<Array>& inputs, const Dims& shape, int threads, Random& random,
                       const std::string& what) {
  std::vector<Dims> shapes;
  for (const Array& x : inputs) shapes.push_back(x.shape);
  const Int floats = op.scratch_bytes(shapes, shape, threads) / Int{sizeof(float)};
  std::vector<float> scratch(index(floats + 32), kUntouched);
  auto place = reinterpret_cast<std::uintptr_t>(scratch.data());
  float* const aligned = scratch.data() + (64 - place % 64) % 64 / sizeof(float);
  Placed y(random, shape);
  runtime::parallel(threads, [&](runtime::Team& team) {
    op.run(team, {inputs.data(), y.array, static_cast<int>(inputs.size())}, runtime::Scratch(reinterpret_cast<std::byte*>(aligned)));
  });
  std::vector<float> results;
  for_each(shape, [&](const Dims& i) {
    results.push_back(Placed::at(y.array, i));
    Placed::at(y.array, i) = kUntouched;
  });
  check(std::all_of(y.memory.begin(), y.memory.end(), [](float v) { return v == kUntouched; }), ("nothing else written: " + what).c_str());
  check(std::all_of(aligned + floats, scratch.data() + scratch.size(), [](float v) { return v == kUntouched; }),
        ("no more scratch used: " + what).c_str());
  return results;
}

/// What a network of this step alone gives: a concatenation has no work of its own, the network copies its inputs into place.
std::vector<float> run_whole(const Case& c, int threads) {
  runtime::NetworkDraft draft;
  std::vector<std::vector<float>> memory;
  std::vector<const void*> data;
  std::vector<Dims> shapes;
  std::vector<int> inputs;
  for (const Values& x : c.inputs) {
    memory.emplace_back(x.v.begin(), x.v.end());
    data.push_back(memory.back().data());
    shapes.push_back(x.shape);
    inputs.push_back(draft.add_input("x", x.shape));
  }
  draft.add_output("y", draft.add_step(c.d, inputs));
  const runtime::NetworkImpl network(std::move(draft));
  std::vector<float> y(c.wanted.v.size(), kUntouched);
  void* const outputs[] = {y.data()};
  network.take(shapes, threads)->run(data.data(), outputs, nullptr, {});
  return y;
}

void one_case(Case (*draw_case)(Random&), std::uint64_t seed) {
  Random random{std::mt19937_64(seed)};
  Case c = draw_case(random);
  std::string what = c.d.kind + ", seed " + std::to_string(seed) + ":";
  std::vector<std::unique_ptr<Placed>> placed;
  std::vector<Array> inputs;
  std::vector<Dims> shapes;
  for (Values& v : c.inputs) {
    placed.push_back(std::make_unique<Placed>(random, v.shape));
    placed.back()->fill(v);
    inputs.push_back(placed.back()->array);
    shapes.push_back(v.shape);
    what += " " + to_string(v.shape);
  }
  const auto op = runtime::make_op(c.d);
  const Dims shape = op->infer(shapes);
  if (shape != c.wanted.shape) return check(false, (what + " shape " + to_string(shape) + " not " + to_string(c.wanted.shape)).c_str());

  const auto by = [&](int threads) {
    return op->concatenated_axis() < 0 ? run(*op, inputs, shape, threads, random, what) : run_whole(c, threads);
  };
  const std::vector<float> results = by(1);
  for (std::size_t i = 0; i < results.size(); ++i) {
    const double got = static_cast<double>(results[i]), wanted = static_cast<double>(static_cast<float>(c.wanted.v[i]));
    const double error = std::abs(got - wanted), allowed = c.tolerance * std::max(1.0, std::abs(wanted));
    const bool right = std::isnan(wanted) ? std::isnan(got) : got == wanted || error <= allowed;
    if (!right)
      return check(false, (what + " element " + std::to_string(i) + ": " + std::to_string(got) + " not " + std::to_string(wanted)).c_str());
    add_to_digest(results[i]);
  }
  for (const int threads : {2, 3}) {
    const std::vector<float> again = by(threads);
    check(std::equal(results.begin(), results.end(), again.begin(), again.end(), same), (what + " the bits of any team").c_str());
  }
  Dims strides;
  Int offset = 0;
  if (op->view(inputs[0], shape, &strides, &offset)) {
    const Array view{inputs[0].as<float>() + offset, shape, strides};
    check(shape.rank() == 0 || shape.back() <= 1 || strides.back() == 1, (what + " a view of adjacent elements").c_str());
    std::size_t k = 0;
    for_each(shape, [&](const Dims& i) { check(same(Placed::at(view, i), results[k++]), (what + " as a view").c_str()); });
  }
}

/// The order that squeeze-excite has, too: pixels left to right, rows top to bottom, then one division. An average over the whole image is
/// the same sum.
void order_of_means(std::uint64_t seed) {
  Random random{std::mt19937_64(seed)};
  const Dims shape{random(1, 2), random(1, 20), random(1, 20), random(0, 1) == 0 ? random(1, 40) : random(500, 700)};
  Values x = draw(random, shape);
  Placed placed(random, shape);
  placed.fill(x);
  runtime::Description mean = describe("reduce"), pool = describe("pool");
  mean.attributes = {{"function", std::string("mean")}, {"axes", std::vector<Int>{1, 2}}, {"keepdims", std::vector<Int>{1}}};
  pool.attributes = {{"function", std::string("average")},
                     {"kernel", std::vector<Int>{shape[1], shape[2]}},
                     {"stride", std::vector<Int>{1, 1}},
                     {"dilation", std::vector<Int>{1, 1}},
                     {"padding", std::vector<Int>{0, 0, 0, 0}}};
  const Dims pooled{shape[0], 1, 1, shape[3]};
  std::vector<float> wanted;
  for_each(pooled, [&](const Dims& i) {
    float sum = 0.0F;
    for (Int h = 0; h < shape[1]; ++h) {
      float row = 0.0F;
      for (Int w = 0; w < shape[2]; ++w) row += Placed::at(placed.array, {i[0], h, w, i[3]});
      sum += row;
    }
    wanted.push_back(sum / static_cast<float>(shape[1] * shape[2]));
  });
  for (const runtime::Description* d : {&mean, &pool}) {
    const auto op = runtime::make_op(*d);
    for (const int threads : {1, 2, 3}) {
      const std::vector<float> got = run(*op, {placed.array}, op->infer({shape}), threads, random, "order of sums");
      check(std::equal(got.begin(), got.end(), wanted.begin(), wanted.end(), same), (d->kind + ": the order of sums").c_str());
    }
  }
}

/// Sizes of 0, and more inputs or axes than there may be: a shape or an error, never anything else.
void shapes_of(Case (*draw_case)(Random&), std::uint64_t seed) {
  Random random{std::mt19937_64(seed)};
  const Case c = draw_case(random);
  const auto op = runtime::make_op(c.d);
  std::vector<Dims> shapes;
  for (const Values& v : c.inputs) shapes.push_back(v.shape);
  for (int i = 0; i < 20; ++i) {
    std::vector<Dims> other = shapes;
    Dims& x = other[index(random(0, static_cast<Int>(other.size()) - 1))];
    if (random(0, 3) == 0) {
      x = draw_shape(random, 0, 8);
    } else if (x.rank() > 0) {
      x[static_cast<int>(random(0, x.rank() - 1))] = random.of({0, 0, 1, 2, Int{1} << 20, (Int{1} << 40) - 1, Int{1} << 40, -1,
                                                                std::numeric_limits<Int>::max(), std::numeric_limits<Int>::min()});
    }
    if (random(0, 9) == 0) other.push_back(x);
    try {
      const Dims y = op->infer(other);
      double count = 1;
      for (const Int size : y) {
        check(size >= 0, (c.d.kind + ": a size below 0").c_str());
        count *= static_cast<double>(std::max<Int>(size, 1));
      }
      check(count <= std::ldexp(1.0, 40), (c.d.kind + ": an output too large").c_str());
      op->scratch_bytes(other, y, 256);
    } catch (const std::invalid_argument& e) {
      check(std::string(e.what()).find("a " + c.d.kind) != std::string::npos, "the message names the node");
    }
  }
}

void all_cases(std::uint64_t seed, std::uint64_t count) {
  for (const auto& draw_case : kCases) {
    for (std::uint64_t i = 0; i < count; ++i) {
      one_case(draw_case, seed + i);
      if (i % 8 == 0) shapes_of(draw_case, seed + i);
    }
  }
  for (std::uint64_t i = 0; i < count / 4; ++i) order_of_means(seed + i);
}

/// All cases in a child that uses one instruction set; returns the digest of their results. No child where there is only one: emulators of
/// other processors cannot start threads in it.
std::uint64_t digest_on(const std::string& isa, std::uint64_t seed, std::uint64_t count) {
  if (runtime::runnable_isas().size() == 1) {
    all_cases(seed, count);
    return digest;
  }
  int ends[2];
  std::fflush(nullptr);
  if (pipe(ends) != 0) return 0;
  const pid_t child = fork();
  if (child == 0) {
    setenv("DWSEP_ISA", isa.c_str(), 1);
    all_cases(seed, count);
    const bool written = write(ends[1], &digest, sizeof(digest)) == sizeof(digest);
    _exit(written && failures.load() == 0 ? 0 : 1);
  }
  std::uint64_t result = 0;
  close(ends[1]);
  const bool heard = read(ends[0], &result, sizeof(result)) == sizeof(result);
  close(ends[0]);
  int status = 0;
  const bool ended = waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  check(heard && ended, ("all cases on " + isa).c_str());
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t seed = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1,
                      count = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 300;
  std::uint64_t first = 0;
  for (const std::string& isa : runtime::runnable_isas()) {
    const std::uint64_t result = digest_on(isa, seed, count);
    if (isa == "baseline") continue;  // has no fused multiply-add
    check(first == 0 || result == first, ("the same bits on " + isa).c_str());
    first = result;
  }
  return dwsep::test::summary("network ops");
}
