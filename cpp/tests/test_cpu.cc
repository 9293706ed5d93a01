// What is said about the machine, but for times.
#include <stdexcept>

#include "check.hpp"
#include "dwsep/cpu.hpp"

namespace {

using namespace dwsep;
using dwsep::test::check;

void peaks() {
  double once = 0, twice = 0, moved = 0;
  check(time_fma(1000, &once) >= 0 && time_fma(2000, &twice) >= 0, "time passes");
  check(once >= 1000.0 * vector_lanes() && twice == 2 * once, "multiply-adds are counted");
  check(time_read(1 << 16, 3, &moved) >= 0 && moved == 3.0 * (1 << 16), "bytes that are read");
  check(time_copy(1 << 16, 5, &moved) >= 0 && moved == 5.0 * (1 << 16), "bytes that are read and written");
  check(time_fma(10, nullptr) >= 0 && time_read(1 << 16, 1, nullptr) >= 0 && time_copy(1 << 16, 1, nullptr) >= 0, "nobody has to count");
}

void int8_peaks() {
  check(!int8_sets().empty(), "every processor multiplies bytes");
  for (const std::string& set : int8_sets()) {
    double once = 0, twice = 0;
    check(time_dot(set, 100, &once) >= 0 && time_dot(set, 200, &twice) >= 0 && once > 0 && twice == 2 * once, set.c_str());
  }
  bool refused = false;
  try {
    time_dot("avx1", 1, nullptr);
  } catch (const std::invalid_argument&) {
    refused = true;
  }
  check(refused, "no such set");
}

void processor() {
  const CacheSizes caches = cache_sizes();
  check(caches.l1d > 0 && caches.l2 > 0 && caches.l3 > 0, "no cache is empty");
  bool in_use = false;
  for (const std::string& name : isas()) in_use = in_use || name == isa();
  check(in_use, "the instruction set in use is one of the processor's");
  check(!kernels().empty() && vector_lanes() >= 4 && !cpu_name().empty(), "kernels, vectors and a name");
}

}  // namespace

int main() {
  peaks();
  int8_peaks();
  processor();
  return dwsep::test::summary("cpu");
}
