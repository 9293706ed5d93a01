// All kernels and the table that offers them. Included once by each cpp/isa/*.cc, which names the instruction set.
#pragma once

#include "kernels/depthwise/variants.hpp"
#include "kernels/far.hpp"
#include "kernels/peak.hpp"
#include "kernels/pointwise/gemm.hpp"
#include "kernels/scale.hpp"
#include "kernels/standard/standard.hpp"
#include "kernels/stream.hpp"
#include "kernels/tensor.hpp"

namespace dwsep::DWSEP_ISA_NAMESPACE {

constexpr int kTileRows[kMaxPanelVectors] = {max_tile_rows(1), max_tile_rows(2), max_tile_rows(3), max_tile_rows(4)};

constexpr KernelTable make_table(const char* isa) {
  KernelTable t{};
  t.isa = isa;
  t.lanes = kLanes;
  t.depthwise = kDepthwise;
  t.depthwise_count = static_cast<int>(sizeof(kDepthwise) / sizeof(kDepthwise[0]));
  t.tile_rows = kTileRows;
  t.max_panel_vectors = kMaxPanelVectors;
  t.half_panels = kHalfPanels;
  t.gemm = gemm;
  t.standard = standard;
  t.activate = activate_block;
  t.scale = scale_block;
  t.store_far = store_far;
  t.tensor = kTensorKernels;
  t.fma_chain = fma_chain;
  t.fma_chains = kChains;
  t.read_stream = read_stream;
  t.copy_stream = copy_stream;
  t.stream_floats = kStreamFloats;
  return t;
}

}  // namespace dwsep::DWSEP_ISA_NAMESPACE
