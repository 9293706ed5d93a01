#include "runtime/selection.hpp"

#include <algorithm>
#include <stdexcept>

#include "runtime/reject.hpp"
#include "runtime/utf8.hpp"

namespace dwsep::runtime {
namespace {

/// What DWSEP_ISA says.
struct Wanted {
  std::string isa;  ///< empty: the best
  Features off = 0;
};

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

[[noreturn]] void reject_isa(const std::string& wanted, const std::string& got) {
  reject("DWSEP_ISA", wanted, "\"" + printable(got) + "\"");
}

Wanted parse(const char* text) {
  Wanted wanted;
  const std::string all = text == nullptr ? "" : text;
  for (std::size_t begin = 0; begin <= all.size();) {  // behind a last comma stands an empty item
    const std::size_t end = std::min(all.find(',', begin), all.size());
    const std::string item = all.substr(begin, end - begin);
    if (!item.empty() && item[0] == '-') {
      const Features bit = feature_named(item.substr(1));
      if (bit == 0) reject_isa("features to switch off out of " + joined(all_feature_names()), item.substr(1));
      wanted.off |= bit;
    } else if (begin == 0) {
      wanted.isa = item;
    } else {
      reject_isa("an instruction set and then features to switch off, as in avx512,-vnni", all);
    }
    begin = end + 1;
  }
  return wanted;
}

std::vector<std::string> names_of_sets(const std::vector<const KernelSet*>& sets) {
  std::vector<std::string> names;
  for (const KernelSet* set : sets) names.emplace_back(set->isa);
  return names;
}

const KernelSet& choose_base(const std::vector<const KernelSet*>& runnable, const Wanted& wanted, const char* text) {
  for (const KernelSet* set : runnable) {
    if (wanted.isa.empty() || wanted.isa == set->isa) return *set;
  }
  const std::string left = wanted.off == 0 ? "" : " without the features that are switched off";
  reject_isa("one of this processor's instruction sets" + left + " (" + joined(names_of_sets(runnable)) + ")", text);
}

}  // namespace

std::vector<const KernelSet*> runnable(const std::vector<const KernelSet*>& sets, Features features) {
  std::vector<const KernelSet*> found;
  for (const KernelSet* set : sets) {
    if (set->complete && has_all(features, set->needs)) found.push_back(set);
  }
  return found;
}

Selection select(const std::vector<const KernelSet*>& sets, Features detected, const char* text) {
  const Wanted wanted = parse(text);
  const Features left = supported(detected & ~wanted.off);
  const KernelSet& base = choose_base(runnable(sets, left), wanted, text);
  Selection s{&base, {}, left};
  // DWSEP_ISA=avx2 means a processor without anything beyond AVX2.
  for (const KernelSet* set : sets) {
    if (set == &base) break;
    if (set->complete) s.features &= ~(set->needs & ~base.needs);
  }
  s.features = supported(s.features);
  for (const KernelSet* set : sets) {
    if (!set->complete && has_all(s.features, set->needs)) s.sets.push_back(set);
  }
  s.sets.push_back(&base);
  return s;
}

bool fits(const KernelEntry& e, Family family, const OperandTypes& types, const Problem& p) {
  const auto one = [](std::int64_t taken, std::int64_t asked) { return taken == 0 || taken == asked; };
  const Problem& t = e.takes;
  return e.family == family && e.types.x == types.x && e.types.weights == types.weights && e.types.y == types.y && one(t.kh, p.kh) &&
         one(t.kw, p.kw) && one(t.stride_h, p.stride_h) && one(t.stride_w, p.stride_w) && one(t.dilation_h, p.dilation_h) &&
         one(t.dilation_w, p.dilation_w) && one(t.multiplier, p.multiplier) && one(t.panel_vectors, p.panel_vectors) &&
         one(t.weight_zeros, p.weight_zeros) && one(t.y_scales, p.y_scales) && (e.also == nullptr || e.also(p));
}

const KernelEntry& first_fit(const Selection& selection, Family family, const OperandTypes& types, const Problem& problem) {
  const KernelEntry* found = nullptr;
  for_each_entry(selection, [&](const KernelEntry& entry, const KernelSet&) {
    if (found == nullptr && fits(entry, family, types, problem)) found = &entry;
  });
  if (found == nullptr) throw std::logic_error(std::string("no kernel for ") + selection.base->isa + " fits");
  return *found;
}

}  // namespace dwsep::runtime
