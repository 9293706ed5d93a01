// A layer's call on one thread with all that it decides, made once for a network's plan. Small layers took a fifth of their time to decide
// it anew.
#pragma once

#include <memory>
#include <utility>

#include "kernels/conv_work.hpp"
#include "kernels/int8_tensor_work.hpp"
#include "kernels/int8_work.hpp"

namespace dwsep::runtime {

class PreparedCall {
 public:
  virtual ~PreparedCall() = default;
  virtual void run() const noexcept = 0;

  /// Where the addresses of its arrays are, which may change from run to run.
  void *x = nullptr, *y = nullptr, *residual = nullptr;
};

/// Runs a work by a function of it.
template <class Work, class F>
class PreparedWork final : public PreparedCall {
 public:
  PreparedWork(const Work& work, F f) : work_(work), f_(std::move(f)) { find_arrays(work_); }
  PreparedWork(const PreparedWork&) = delete;
  PreparedWork& operator=(const PreparedWork&) = delete;
  void run() const noexcept override { f_(work_); }

 private:
  void find_arrays(Int8GemmWork& w) { set(&w.a, &w.y, &w.residual.data); }
  void find_arrays(Int8DepthwiseWork& w) { set(&w.x, &w.y, &w.residual.data); }
  void find_arrays(Int8BinaryWork& w) { set(&w.a, &w.y, &w.b); }
  void find_arrays(GemmWork& w) { set(&w.a, &w.y, &w.residual); }
  void find_arrays(DepthwiseWork& w) { set(&w.x, &w.y, &w.residual); }
  void set(void* x_address, void* y_address, void* residual_address) {
    x = x_address;
    y = y_address;
    residual = residual_address;
  }

  Work work_;
  F f_;
};

template <class Work, class F>
std::unique_ptr<PreparedCall> prepared(const Work& work, F f) {
  return std::make_unique<PreparedWork<Work, F>>(work, std::move(f));
}

}  // namespace dwsep::runtime
