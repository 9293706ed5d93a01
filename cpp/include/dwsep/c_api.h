/* The library for C, and for languages that can call C: one table of functions, so that nothing has to be linked to use it from a Python
 * extension (see docs/embedding.md).
 *
 * What is promised: within one DWSEP_C_ABI the table only grows at its end, and its structs, enumerators and meanings stay. A caller asks
 * for the version it was compiled with (dwsep_get_api(DWSEP_C_ABI)), and gets null from a library that does not have it.
 *
 * No function throws or keeps a pointer to what it was given. Layers and networks are immutable; any number of threads may run one at once,
 * and all functions may be called by any thread. A function that can fail returns a dwsep_status and copies a message that names the
 * argument, cut to fit, to `message` (`message_size` bytes; both may be 0). Pointers are required unless said otherwise, and null ones are
 * refused; that they point to memory of the sizes given is the caller's part. */
#ifndef DWSEP_C_API_H
#define DWSEP_C_API_H

#include <stddef.h>
#include <stdint.h>

#include "dwsep/activations.h"

#define DWSEP_C_ABI 1

#ifdef __cplusplus
extern "C" {
#endif

typedef enum dwsep_status { DWSEP_OK = 0, DWSEP_INVALID_ARGUMENT = 1, DWSEP_OUT_OF_MEMORY = 2, DWSEP_FAILURE = 3 } dwsep_status;

/* DWSEP_CLIP, DWSEP_LEAKY_RELU, ...: what activations.h lists, from 0 on. */
typedef enum dwsep_activation_kind {
#define DWSEP_ENUMERATOR(name, NAME, numbers) DWSEP_##NAME,
  DWSEP_ACTIVATIONS(DWSEP_ENUMERATOR)
#undef DWSEP_ENUMERATOR
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

/* Types of elements. Networks take and give arrays of all of them, layers of float32, int8 and uint8. */
typedef enum dwsep_dtype {
  DWSEP_FLOAT32 = 0,
  DWSEP_INT8 = 1,
  DWSEP_UINT8 = 2,
  DWSEP_INT32 = 3,
  DWSEP_FLOAT16 = 4,
  DWSEP_INT64 = 5,
  DWSEP_BOOL = 6 /* one byte, 0 or 1 */
} dwsep_dtype;

/* The real number that a stored one stands for: scale * (stored - zero_point). */
typedef struct dwsep_quantization {
  const float* scales; /* finite and positive */
  const int32_t* zero_points;
  int64_t count; /* of both: 0 for no quantization, 1 for the whole array, or one for each index along an axis */
  int32_t axis;  /* that axis, counted from 0; -1 where count is at most 1 */
} dwsep_quantization;

/* Weights are dense; bias may be null. `dtype` and `quantization`, which may be null, are those of the weight. */
typedef struct dwsep_depthwise_filter {
  const void* weight; /* (kh, kw, channels, multiplier); output channel c * multiplier + m */
  int64_t kh, kw, channels, multiplier;
  const void* bias;          /* (channels * multiplier) */
  int32_t dtype, bias_dtype; /* a dwsep_dtype each */
  const dwsep_quantization* quantization;
} dwsep_depthwise_filter;

typedef struct dwsep_pointwise_filter {
  const void* weight; /* (in, out) */
  int64_t in, out;
  const void* bias; /* (out) */
  int32_t dtype, bias_dtype;
  const dwsep_quantization* quantization;
} dwsep_pointwise_filter;

typedef struct dwsep_standard_filter {
  const void* weight; /* (kh, kw, in / groups, out) */
  int64_t kh, kw, in, out, groups;
  const void* bias; /* (out) */
  int32_t dtype, bias_dtype;
  const dwsep_quantization* quantization;
} dwsep_standard_filter;

/* One factor for each channel of an image: excite_activation(excite(reduce_activation(reduce(mean of the image's pixels)))). */
typedef struct dwsep_squeeze_excite {
  const dwsep_pointwise_filter *reduce_filter, *excite_filter;
  const dwsep_activation *reduce_activation, *excite_activation; /* may be null: none */
} dwsep_squeeze_excite;

typedef struct dwsep_shape {
  int64_t n, h, w, c;
} dwsep_shape;

/* NHWC by reference. Strides count elements and may be negative or zero; the channels of a pixel are adjacent. */
typedef struct dwsep_const_tensor {
  const void* data;
  dwsep_shape shape;
  int64_t stride_n, stride_h, stride_w;
  int32_t dtype;                          /* a dwsep_dtype */
  const dwsep_quantization* quantization; /* may be null */
} dwsep_const_tensor;

/* No two elements may share memory, and none with an input. */
typedef struct dwsep_tensor {
  void* data;
  dwsep_shape shape;
  int64_t stride_n, stride_h, stride_w;
  int32_t dtype;
  const dwsep_quantization* quantization;
} dwsep_tensor;

/* The type of one of a layer's tensors, and what its integers stand for. */
typedef struct dwsep_tensor_type {
  int32_t dtype; /* a dwsep_dtype */
  const dwsep_quantization* quantization;
} dwsep_tensor_type;

/* Those of a layer of int8: x, and with it all weights, are int8 or uint8 with a quantization, biases int32 or float32, y int8, uint8 or
 * float32. `residual` is DWSEP_FLOAT32 where calls bring none. `expanded` and `depthwise` are the outputs of the stages of fused layers. A
 * tensor of a call may leave its quantization out, which the layer knows. */
typedef struct dwsep_tensor_types {
  dwsep_tensor_type x, y, residual, expanded, depthwise;
} dwsep_tensor_types;

typedef struct dwsep_layer dwsep_layer; /* packed weights and how to apply them */

#define DWSEP_MAX_AXES 8

/* Sizes of an array's axes, outermost first. */
typedef struct dwsep_sizes {
  int32_t axes;
  int64_t sizes[DWSEP_MAX_AXES];
} dwsep_sizes;

/* Contiguous arrays, by reference. */
typedef struct dwsep_const_array {
  const void* data;
  dwsep_sizes shape;
  int32_t dtype;                          /* a dwsep_dtype */
  const dwsep_quantization* quantization; /* may be null */
} dwsep_const_array;

typedef struct dwsep_array { /* overlaps neither an input nor another output */
  void* data;
  dwsep_sizes shape;
  int32_t dtype;
  const dwsep_quantization* quantization;
} dwsep_array;

/* An input or output of a network. */
typedef struct dwsep_value {
  const char* name;                /* as long as the network lives */
  dwsep_sizes shape;               /* -1 for sizes that the call decides */
  int32_t dtype;                   /* a dwsep_dtype */
  dwsep_quantization quantization; /* count is 0 where there is none; its arrays live as long as the network */
} dwsep_value;

typedef struct dwsep_network dwsep_network; /* what a .dwsep file holds, ready to run */

typedef struct dwsep_api {
  uint32_t abi;  /* DWSEP_C_ABI */
  uint32_t size; /* bytes of this table: functions beyond it do not exist */

  /* Each stores a new layer to *layer, or null if it fails. `options` and activations may be null: stride 1, padding same; none. */
  dwsep_status (*new_depthwise)(const dwsep_depthwise_filter* filter, const dwsep_conv_options* options, const dwsep_activation* activation,
                                dwsep_layer** layer, char* message, size_t message_size);
  dwsep_status (*new_pointwise)(const dwsep_pointwise_filter* filter, const dwsep_activation* activation, dwsep_layer** layer,
                                char* message, size_t message_size);
  dwsep_status (*new_separable)(const dwsep_depthwise_filter* depthwise_filter, const dwsep_pointwise_filter* filter,
                                const dwsep_conv_options* options, const dwsep_activation* depthwise_activation,
                                const dwsep_activation* activation, const dwsep_squeeze_excite* squeeze_excite, /* may be null: none */
                                dwsep_layer** layer, char* message, size_t message_size);
  dwsep_status (*new_inverted_residual)(const dwsep_pointwise_filter* expand_filter, const dwsep_depthwise_filter* depthwise_filter,
                                        const dwsep_pointwise_filter* filter, const dwsep_conv_options* options,
                                        const dwsep_activation* expand_activation, const dwsep_activation* depthwise_activation,
                                        const dwsep_activation* activation, const dwsep_squeeze_excite* squeeze_excite, dwsep_layer** layer,
                                        char* message, size_t message_size);
  dwsep_status (*new_standard)(const dwsep_standard_filter* filter, const dwsep_conv_options* options, const dwsep_activation* activation,
                               dwsep_layer** layer, char* message, size_t message_size);
  void (*delete_layer)(dwsep_layer* layer); /* null is allowed */

  dwsep_status (*output_shape)(const dwsep_layer* layer, const dwsep_shape* x, dwsep_shape* y, char* message, size_t message_size);
  /* y = activation(convolution(x) + bias + residual). `residual` may be null. `threads` = 0 means num_threads(). If it fails, y holds no
   * result. */
  dwsep_status (*run)(const dwsep_layer* layer, const dwsep_const_tensor* x, const dwsep_tensor* y, const dwsep_const_tensor* residual,
                      int threads, char* message, size_t message_size);

  int (*num_threads)(void); /* 0 where DWSEP_NUM_THREADS or DWSEP_SPIN_US has no meaning; calls with `threads` = 0 fail then */
  dwsep_status (*set_num_threads)(int threads, char* message, size_t message_size); /* 0 returns to the default */

  /* Each stores a new network to *network, or null if it fails. A file is mapped, and must stay as it is while the network lives; the
   * content of one is copied. */
  dwsep_status (*load_network)(const char* path, dwsep_network** network, char* message, size_t message_size);
  dwsep_status (*read_network)(const void* content, size_t bytes, dwsep_network** network, char* message, size_t message_size);
  void (*delete_network)(dwsep_network* network); /* null is allowed */

  dwsep_status (*count_values)(const dwsep_network* network, size_t* inputs, size_t* outputs, /* each may be null */
                               char* message, size_t message_size);
  dwsep_status (*describe_input)(const dwsep_network* network, size_t index, dwsep_value* value, char* message, size_t message_size);
  dwsep_status (*describe_output)(const dwsep_network* network, size_t index, dwsep_value* value, char* message, size_t message_size);
  /* The shapes of all outputs for inputs of these shapes. */
  dwsep_status (*output_sizes)(const dwsep_network* network, const dwsep_sizes* inputs, size_t input_count, dwsep_sizes* outputs,
                               size_t output_count, char* message, size_t message_size);
  /* Plans a call and takes its memory, so that the first one is as fast as the next. */
  dwsep_status (*prepare_network)(const dwsep_network* network, const dwsep_sizes* inputs, size_t input_count, int threads, char* message,
                                  size_t message_size);
  /* Fills all outputs, which have to be of the shapes that output_sizes returns. If it fails, they hold no result. */
  dwsep_status (*run_network)(const dwsep_network* network, const dwsep_const_array* inputs, size_t input_count, const dwsep_array* outputs,
                              size_t output_count, int threads, char* message, size_t message_size);

  /* The same as the functions without "int8", for tensors of these types. */
  dwsep_status (*new_int8_depthwise)(const dwsep_depthwise_filter* filter, const dwsep_conv_options* options,
                                     const dwsep_activation* activation, const dwsep_tensor_types* types, dwsep_layer** layer,
                                     char* message, size_t message_size);
  dwsep_status (*new_int8_pointwise)(const dwsep_pointwise_filter* filter, const dwsep_activation* activation,
                                     const dwsep_tensor_types* types, dwsep_layer** layer, char* message, size_t message_size);
  dwsep_status (*new_int8_separable)(const dwsep_depthwise_filter* depthwise_filter, const dwsep_pointwise_filter* filter,
                                     const dwsep_conv_options* options, const dwsep_activation* depthwise_activation,
                                     const dwsep_activation* activation, const dwsep_tensor_types* types, dwsep_layer** layer,
                                     char* message, size_t message_size);
  dwsep_status (*new_int8_inverted_residual)(const dwsep_pointwise_filter* expand_filter, const dwsep_depthwise_filter* depthwise_filter,
                                             const dwsep_pointwise_filter* filter, const dwsep_conv_options* options,
                                             const dwsep_activation* expand_activation, const dwsep_activation* depthwise_activation,
                                             const dwsep_activation* activation, const dwsep_tensor_types* types, dwsep_layer** layer,
                                             char* message, size_t message_size);
  dwsep_status (*new_int8_standard)(const dwsep_standard_filter* filter, const dwsep_conv_options* options,
                                    const dwsep_activation* activation, const dwsep_tensor_types* types, dwsep_layer** layer, char* message,
                                    size_t message_size);
} dwsep_api;

/* The table, or null if this library does not have that version. For programs that link libdwsep; Python extensions get it from
 * PyCapsule_Import("dwsep._core._C_API", 0) instead, and compare `abi` themselves. */
__attribute__((visibility("default"))) const dwsep_api* dwsep_get_api(uint32_t abi);

#ifdef __cplusplus
}
#endif

#endif
