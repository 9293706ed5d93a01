/* The library for C, and for whoever can call C: one table of functions, so that nothing has to be linked to use it from a Python
 * extension (see docs/embedding.md).
 *
 * What is promised: within one DWSEP_C_ABI the table only grows at its end, and its structs, enumerators and meanings stay. A caller asks
 * for the version it was compiled with (dwsep_get_api(DWSEP_C_ABI)), and gets null from a library that does not have it.
 *
 * No function throws or keeps a pointer to what it was given. Layers are immutable; any number of threads may run one at once. A function
 * that can fail returns a dwsep_status and copies a message that names the argument, cut to fit, to `message` (`message_size` bytes; both
 * may be 0). Pointers are required unless said otherwise, and null ones are refused; that they point to memory of the sizes given is the
 * caller's part. */
#ifndef DWSEP_C_API_H
#define DWSEP_C_API_H

#include <stddef.h>
#include <stdint.h>

#define DWSEP_C_ABI 1

#ifdef __cplusplus
extern "C" {
#endif

typedef enum dwsep_status { DWSEP_OK = 0, DWSEP_INVALID_ARGUMENT = 1, DWSEP_OUT_OF_MEMORY = 2, DWSEP_FAILURE = 3 } dwsep_status;

typedef enum dwsep_activation_kind {
  DWSEP_CLIP = 0,       /* min(max(x, lo), hi); with infinite bounds none at all */
  DWSEP_LEAKY_RELU = 1, /* slope `lo` below zero */
  DWSEP_HARD_SWISH = 2,
  DWSEP_HARD_SIGMOID = 3,
  DWSEP_SIGMOID = 4,
  DWSEP_SILU = 5,
  DWSEP_TANH = 6,
  DWSEP_GELU = 7
} dwsep_activation_kind;

typedef struct dwsep_activation {
  int32_t kind; /* a dwsep_activation_kind */
  float lo, hi;
} dwsep_activation;

typedef enum dwsep_padding {
  DWSEP_PADDING_EXPLICIT = 0,   /* the four sizes */
  DWSEP_PADDING_SAME = 1,       /* TensorFlow's: an odd pixel goes to the bottom and the right */
  DWSEP_PADDING_SAME_LOWER = 2, /* an odd pixel goes to the top and the left */
  DWSEP_PADDING_VALID = 3       /* none */
} dwsep_padding;

typedef struct dwsep_conv_options {
  int64_t stride_h, stride_w, dilation_h, dilation_w; /* at least 1 */
  int32_t padding;                                    /* a dwsep_padding */
  int64_t pad_top, pad_bottom, pad_left, pad_right;
} dwsep_conv_options;

/* Weights are dense; bias may be null. */
typedef struct dwsep_depthwise_filter {
  const float* weights; /* (kh, kw, channels, multiplier); output channel c * multiplier + m */
  int64_t kh, kw, channels, multiplier;
  const float* bias; /* (channels * multiplier) */
} dwsep_depthwise_filter;

typedef struct dwsep_pointwise_filter {
  const float* weights; /* (in, out) */
  int64_t in, out;
  const float* bias; /* (out) */
} dwsep_pointwise_filter;

typedef struct dwsep_standard_filter {
  const float* weights; /* (kh, kw, in / groups, out) */
  int64_t kh, kw, in, out, groups;
  const float* bias; /* (out) */
} dwsep_standard_filter;

typedef struct dwsep_shape {
  int64_t n, h, w, c;
} dwsep_shape;

/* NHWC by reference. Strides count floats and may be negative or zero; the channels of a pixel are adjacent. */
typedef struct dwsep_const_tensor {
  const float* data;
  dwsep_shape shape;
  int64_t stride_n, stride_h, stride_w;
} dwsep_const_tensor;

/* No two elements may share memory, and none with an input. */
typedef struct dwsep_tensor {
  float* data;
  dwsep_shape shape;
  int64_t stride_n, stride_h, stride_w;
} dwsep_tensor;

typedef struct dwsep_layer dwsep_layer; /* packed weights and how to apply them */

typedef struct dwsep_api {
  uint32_t abi;  /* DWSEP_C_ABI */
  uint32_t size; /* bytes of this table: functions beyond it do not exist */

  /* Each stores a new layer to *layer, or null if it fails. `options` and activations may be null: stride 1, padding same; none. */
  dwsep_status (*new_depthwise)(const dwsep_depthwise_filter* filter, const dwsep_conv_options* options, const dwsep_activation* activation,
                                dwsep_layer** layer, char* message, size_t message_size);
  dwsep_status (*new_pointwise)(const dwsep_pointwise_filter* filter, const dwsep_activation* activation, dwsep_layer** layer,
                                char* message, size_t message_size);
  dwsep_status (*new_separable)(const dwsep_depthwise_filter* depthwise, const dwsep_pointwise_filter* pointwise,
                                const dwsep_conv_options* options, const dwsep_activation* depthwise_activation,
                                const dwsep_activation* activation, dwsep_layer** layer, char* message, size_t message_size);
  dwsep_status (*new_inverted_residual)(const dwsep_pointwise_filter* expand, const dwsep_depthwise_filter* depthwise,
                                        const dwsep_pointwise_filter* project, const dwsep_conv_options* options,
                                        const dwsep_activation* expand_activation, const dwsep_activation* depthwise_activation,
                                        const dwsep_activation* activation, dwsep_layer** layer, char* message, size_t message_size);
  dwsep_status (*new_standard)(const dwsep_standard_filter* filter, const dwsep_conv_options* options, const dwsep_activation* activation,
                               dwsep_layer** layer, char* message, size_t message_size);
  void (*delete_layer)(dwsep_layer* layer); /* null is allowed */

  dwsep_status (*output_shape)(const dwsep_layer* layer, const dwsep_shape* x, dwsep_shape* y, char* message, size_t message_size);
  /* y = activation(convolution(x) + bias + residual). `residual` may be null. `threads` = 0 means num_threads(). If it fails, y holds no
   * result. */
  dwsep_status (*run)(const dwsep_layer* layer, const dwsep_const_tensor* x, const dwsep_tensor* y, const dwsep_const_tensor* residual,
                      int threads, char* message, size_t message_size);

  int (*num_threads)(void);
  dwsep_status (*set_num_threads)(int threads, char* message, size_t message_size); /* 0 returns to the default */
} dwsep_api;

/* The table, or null if this library does not have that version. For programs that link libdwsep; Python extensions get it from
 * PyCapsule_Import("dwsep._core._C_API", 0) instead, and compare `abi` themselves. */
__attribute__((visibility("default"))) const dwsep_api* dwsep_get_api(uint32_t abi);

#ifdef __cplusplus
}
#endif

#endif
