// The choice of kernels, on made-up sets: by processor features, DWSEP_ISA, and the first entry that fits.
#include <stdexcept>
#include <string>

#include "check.hpp"
#include "runtime/selection.hpp"

namespace {

using namespace dwsep;
using namespace dwsep::runtime;
using dwsep::test::check;

constexpr OperandTypes kBytes{DType::int8, DType::int8, DType::int8};
constexpr Features kWide = feature::avx2 | feature::fma | feature::avx512f | feature::avx512vl;
constexpr Features kNarrow = feature::avx2 | feature::fma;
constexpr Features kAll = feature::sse2 | kWide | feature::vnni | feature::avxvnni;

bool small(const Problem& p) { return p.panel_vectors <= 8; }
constexpr KernelEntry entry(const char* name, Features needs, const OperandTypes& types, const Problem& takes,
                            bool (*also)(const Problem&) = nullptr) {
  return {name, Family::depthwise, types, needs, takes, also, nullptr};
}

template <int N>
constexpr KernelList list_of(const KernelEntry (&entries)[N]) {
  return {entries, N};
}

constexpr KernelEntry kWideEntries[] = {entry("wide_3x3", kWide, kFloat32, {3, 3, 1, 1, 1, 1, 1, 0}),
                                        entry("wide_bounded", kWide, kFloat32, {5, 5, 0, 0, 1, 1, 1, 0}, small),
                                        entry("wide_generic", kWide, kFloat32, {})};
constexpr KernelEntry kNarrowEntries[] = {entry("narrow_generic", kNarrow, kFloat32, {})};
constexpr KernelEntry kPlainEntries[] = {entry("plain_generic", 0, kFloat32, {}), entry("plain_bytes", 0, kBytes, {})};
constexpr KernelEntry kVnniEntries[] = {entry("vnni", kWide | feature::vnni, kBytes, {})};
constexpr KernelEntry kAvxVnniEntries[] = {entry("avxvnni", kNarrow | feature::avxvnni, kBytes, {})};
constexpr KernelList kLists[] = {list_of(kWideEntries), list_of(kNarrowEntries), list_of(kPlainEntries), list_of(kVnniEntries),
                                 list_of(kAvxVnniEntries)};
constexpr const KernelList* kUnits[] = {&kLists[0], &kLists[1], &kLists[2], &kLists[3], &kLists[4]};

constexpr KernelSet kWideSet{"wide", kWide, true, 16, true, kUnits, 1};
constexpr KernelSet kNarrowSet{"narrow", kNarrow, true, 8, false, kUnits + 1, 1};
constexpr KernelSet kPlainSet{"plain", 0, true, 4, false, kUnits + 2, 1};
constexpr KernelSet kVnniSet{"vnni", kWide | feature::vnni, false, 16, false, kUnits + 3, 1};
constexpr KernelSet kAvxVnniSet{"avxvnni", kNarrow | feature::avxvnni, false, 8, false, kUnits + 4, 1};
constexpr KernelSet kLeftOut{};
const std::vector<const KernelSet*> kSets = {&kVnniSet, &kAvxVnniSet, &kWideSet, &kLeftOut, &kNarrowSet, &kPlainSet};

constexpr Problem k3x3{3, 3, 1, 1, 1, 1, 1, 0};

std::string chosen(Features detected, const char* wanted, const OperandTypes& types = kFloat32, const Problem& problem = k3x3) {
  return first_fit(select(kSets, detected, wanted), Family::depthwise, types, problem).name;
}

/// The error contains all of `words`.
void refused(const char* wanted, std::initializer_list<const char*> words) {
  try {
    select(kSets, kAll, wanted);
    check(false, wanted);
  } catch (const std::invalid_argument& error) {
    const std::string said = error.what();
    for (const char* word : words) check(said.find(word) != std::string::npos, said.c_str());
  }
}

void sets() {
  check(chosen(kAll, nullptr) == "wide_3x3" && chosen(kAll, "") == "wide_3x3", "the best set of all");
  check(chosen(kAll & ~feature::avx512vl, nullptr) == "narrow_generic", "a set that needs a missing feature is passed over");
  check(chosen(0, nullptr) == "plain_generic", "the plainest needs nothing");
  check(chosen(kAll, "narrow") == "narrow_generic", "a set by name");
  check(runnable(kSets, kAll).size() == 3 && runnable(kSets, kNarrow | feature::sse2).size() == 2, "sets that add to others have no name");
  refused("wider", {"DWSEP_ISA", "wide, narrow, plain", "\"wider\""});
  refused("vnni", {"wide, narrow, plain"});
}

void features() {
  check(chosen(kAll, nullptr, kBytes) == "vnni", "a set that adds comes before the base");
  check(chosen(kAll, "wide,-vnni", kBytes) == "avxvnni" && chosen(kAll, "-vnni", kBytes) == "avxvnni", "a feature is switched off");
  check(chosen(kAll, "narrow,-vnni,-avxvnni") == "narrow_generic", "two features are");
  check(select(kSets, kAll, "-vnni,-avxvnni").sets.size() == 2, "nothing adds to the base then");
  check(chosen(kAll, "-vnni") == "wide_3x3", "floats go on as before");
  check(chosen(kAll, "-avx512f") == "narrow_generic" && chosen(kAll, "-fma") == "plain_generic", "what stands on a feature goes with it");
  check(chosen(kAll, "narrow", kBytes) == "avxvnni", "AVX-VNNI needs no AVX-512");
  check(chosen(kAll, "plain", kBytes) == "plain_bytes", "a lower set has none of the features of higher ones");
  check(select(kSets, kAll, "narrow").features == (feature::sse2 | kNarrow | feature::avxvnni), "features in use");
  refused("-vnnni", {"DWSEP_ISA", "sse2", "avxvnni", "i8mm", "\"vnnni\""});
  refused("wide,vnni", {"switch off", "wide,vnni"});
  refused("wide,,-vnni", {"wide,,-vnni"});
  refused("wide,", {"switch off", "\"wide,\""});
  refused("wide,-vnni,", {"switch off", "\"wide,-vnni,\""});
  refused(",", {"switch off", "\",\""});
  check(chosen(kAll, ",-vnni", kBytes) == "avxvnni", "no instruction set ahead of the first comma");
  refused("wide,-fma", {"without", "(plain)"});
}

void problems() {
  check(chosen(kAll, nullptr, kFloat32, {3, 3, 1, 1, 1, 1, 2, 0}) == "wide_generic", "an entry declines a multiplier");
  check(chosen(kAll, nullptr, kFloat32, {3, 3, 1, 1, 2, 1, 1, 0}) == "wide_generic", "a dilation");
  check(chosen(kAll, nullptr, kFloat32, {3, 4, 1, 1, 1, 1, 1, 0}) == "wide_generic", "a filter size");
  check(chosen(kAll, nullptr, kFloat32, {3, 3, 1, 2, 1, 1, 1, 0}) == "wide_generic", "a stride");
  check(chosen(kAll, nullptr, kFloat32, {5, 5, 3, 2, 1, 1, 1, 8}) == "wide_bounded", "0 takes any stride");
  check(chosen(kAll, nullptr, kFloat32, {5, 5, 3, 2, 1, 1, 1, 9}) == "wide_generic", "what no number says");
  std::string said;
  try {
    chosen(feature::sse2 | kNarrow, "narrow", kBytes);
  } catch (const std::logic_error& error) {
    said = error.what();
  }
  check(said == "no kernel for narrow fits", "nothing fits");
}

void names() {
  for (const std::string& name : all_feature_names()) {
    check(names_of(feature_named(name)) == std::vector<std::string>{name}, name.c_str());
  }
  check(all_feature_names().size() == 15 && feature_named("avx") == 0, "every feature has a name");
  check(supported(feature::vnni | feature::avx512f) == 0, "AVX-512 without AVX2 is none");
  check(has_all(detected_features(), kCompiledFeatures), "what this very program needs is detected");
}

}  // namespace

int main() {
  sets();
  features();
  problems();
  names();
  return dwsep::test::summary("test_selection");
}
