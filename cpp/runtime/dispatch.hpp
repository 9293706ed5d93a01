// The kernel table of the instruction set in use.
#pragma once

#include <string>
#include <vector>

#include "kernels/table.hpp"

namespace dwsep::runtime {

/// Chosen once, at the first use: the best table this processor can run, or the one that DWSEP_ISA names. A name that is unknown, or
/// beyond this processor, throws std::invalid_argument (every time).
const KernelTable& kernel_table();

/// Names of the tables this processor can run, best first.
std::vector<std::string> runnable_isas();

/// What the matrix product on panels of so many vectors is called: its register tile, rows x columns.
std::string gemm_name(int panel_vectors);

/// How matrices should hold a last half vector of columns on this processor.
HalfPanel half_panel();

}  // namespace dwsep::runtime
