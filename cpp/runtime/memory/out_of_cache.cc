#include "runtime/memory/out_of_cache.hpp"

#include <algorithm>

#include "dwsep/cpu.hpp"

namespace dwsep::runtime {
namespace {

template <class T>
bool contiguous(const T& t) {
  return t.stride_w == t.shape.c && evenly_spaced(t);
}

}  // namespace

bool may_exceed_caches(double bytes, double share) {
  // Half of the last cache, which others use as well: with 32 MB, depthwise 147x147 takes 246 us as usual and 483 streamed with 64 channels
  // (11 MB), 600-1400 and 780 with 96 (17 MB), 2250 and 1040 with 128 (22 MB). No core fills more than 64 MB before it needs the first
  // again.
  return bytes > std::min(static_cast<double>(cache_sizes().l3) * share, 64e6);
}

bool exceeds_caches(double bytes, const ConstTensor& x, const Tensor& y, double share) {
  return may_exceed_caches(bytes, share) && contiguous(x) && contiguous(y);
}

StoreTrial::StoreTrial(double bytes, std::int64_t groups, StoreVotes& votes)
    : votes_(votes), part_(kParts), past_(may_exceed_caches(bytes)), gain_(may_exceed_caches(bytes, 0.25) ? 0.75 : 0.9) {
  if (groups < 8 || may_exceed_caches(bytes, 1.0)) return;
  tries_ = votes.next_tries();
  past_ = votes.past_caches();
  // Whatever the votes say, the rows that trials store as usual always are: lines that the call before stored past the caches would be
  // slow.
  if (tries_ || past_) part_ = 0;
}

void StoreTrial::add(double seconds) {
  if (tries_ && past_caches()) {
    votes_.add(seconds * gain_ < usual_);
    past_ = votes_.past_caches();
  }
  usual_ = seconds;
  ++part_;
}

RowsToFetch rows_to_fetch(const Geometry& g, const ConstTensor& x, std::int64_t image, Range out, bool continued) {
  Range rows = input_rows(g, x.shape.h, out);
  if (continued) rows.begin = std::max(rows.begin, input_rows(g, x.shape.h, {out.begin - 1, out.begin}).end);
  const float* const data = x.as<float>() + image * x.stride_n;
  if (rows.begin >= rows.end) return {data, data};
  return {data + rows.begin * x.stride_h, data + (rows.end - 1) * x.stride_h + x.shape.w * x.stride_w};
}

}  // namespace dwsep::runtime
