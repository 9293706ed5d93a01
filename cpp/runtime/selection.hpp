// Which kernels of the registry may be used: those the processor supports and DWSEP_ISA allows.
#pragma once

#include <string>
#include <vector>

#include "kernels/registry.hpp"
#include "runtime/features.hpp"

namespace dwsep::runtime {

struct Selection {
  const KernelSet* base;               ///< the instruction set whose float kernels are used
  std::vector<const KernelSet*> sets;  ///< those to look through, in order: what adds to the base, then the base
  Features features;                   ///< that may be used
};

/// `sets`: best first. `wanted`: what DWSEP_ISA says, or null: an instruction set or nothing, then "-feature" any number of times, with
/// commas between them. std::invalid_argument if it says anything else, or `detected` does not suffice.
Selection select(const std::vector<const KernelSet*>& sets, Features detected, const char* wanted);

/// The complete sets that these features suffice for.
std::vector<const KernelSet*> runnable(const std::vector<const KernelSet*>& sets, Features features);

/// The first entry that fits; std::logic_error if none does.
const KernelEntry& first_fit(const Selection& selection, Family family, const OperandTypes& types, const Problem& problem);

bool fits(const KernelEntry& entry, Family family, const OperandTypes& types, const Problem& problem);

/// f(entry, its set) for all that may be used, in order.
template <class F>
void for_each_entry(const Selection& selection, const F& f) {
  for (const KernelSet* set : selection.sets) {
    for (int u = 0; u < set->unit_count; ++u) {
      for (int i = 0; i < set->units[u]->count; ++i) {
        const KernelEntry& entry = set->units[u]->entries[i];
        if (has_all(selection.features, entry.needs)) f(entry, *set);
      }
    }
  }
}

}  // namespace dwsep::runtime
