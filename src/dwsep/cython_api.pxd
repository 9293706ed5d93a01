# cython: language_level=3
"""Layers and networks for Cython, without the GIL: `from dwsep.cython_api cimport ...`.

Declares `dwsep/c_api.h`, which documents every name: compile with `dwsep.get_include()` among the
include directories. Nothing has to be linked. `get_api(DWSEP_C_ABI, sizeof(dwsep_api))` gives the
table of functions; call it once, with the GIL, and keep the pointer.
"""

from libc.stdint cimport int32_t, int64_t, uint32_t

cdef extern from "dwsep/c_api.h" nogil:
    enum:
        DWSEP_C_ABI
        DWSEP_MAX_AXES

    ctypedef enum dwsep_status:
        DWSEP_OK
        DWSEP_INVALID_ARGUMENT
        DWSEP_OUT_OF_MEMORY
        DWSEP_FAILURE

    ctypedef enum dwsep_activation_kind:
        DWSEP_CLIP
        DWSEP_LEAKY_RELU
        DWSEP_HARD_SWISH
        DWSEP_HARD_SIGMOID
        DWSEP_SIGMOID
        DWSEP_SILU
        DWSEP_TANH
        DWSEP_GELU

    ctypedef struct dwsep_activation:
        int32_t kind
        float lo, hi

    ctypedef enum dwsep_padding:
        DWSEP_PADDING_EXPLICIT
        DWSEP_PADDING_SAME
        DWSEP_PADDING_SAME_LOWER
        DWSEP_PADDING_VALID

    ctypedef struct dwsep_conv_options:
        int64_t stride_h, stride_w, dilation_h, dilation_w
        int32_t padding
        int64_t pad_top, pad_bottom, pad_left, pad_right

    ctypedef enum dwsep_dtype:
        DWSEP_FLOAT32
        DWSEP_INT8
        DWSEP_UINT8
        DWSEP_INT32
        DWSEP_FLOAT16
        DWSEP_INT64
        DWSEP_BOOL

    ctypedef struct dwsep_quantization:
        const float* scales
        const int32_t* zero_points
        int64_t count
        int32_t axis

    ctypedef struct dwsep_depthwise_filter:
        const void* weight
        int64_t kh, kw, channels, multiplier
        const void* bias
        int32_t dtype, bias_dtype
        const dwsep_quantization* quantization

    ctypedef struct dwsep_pointwise_filter:
        const void* weight
        # "in" is a keyword of Cython.
        int64_t in_ "in"
        int64_t out
        const void* bias
        int32_t dtype, bias_dtype
        const dwsep_quantization* quantization

    ctypedef struct dwsep_standard_filter:
        const void* weight
        int64_t kh, kw
        int64_t in_ "in"
        int64_t out, groups
        const void* bias
        int32_t dtype, bias_dtype
        const dwsep_quantization* quantization

    ctypedef struct dwsep_squeeze_excite:
        const dwsep_pointwise_filter* reduce_filter
        const dwsep_pointwise_filter* excite_filter
        const dwsep_activation* reduce_activation
        const dwsep_activation* excite_activation

    ctypedef struct dwsep_shape:
        int64_t n, h, w, c

    ctypedef struct dwsep_const_tensor:
        const void* data
        dwsep_shape shape
        int64_t stride_n, stride_h, stride_w
        int32_t dtype
        const dwsep_quantization* quantization

    ctypedef struct dwsep_tensor:
        void* data
        dwsep_shape shape
        int64_t stride_n, stride_h, stride_w
        int32_t dtype
        const dwsep_quantization* quantization

    ctypedef struct dwsep_tensor_type:
        int32_t dtype
        const dwsep_quantization* quantization

    ctypedef struct dwsep_tensor_types:
        dwsep_tensor_type x, y, residual, expanded, depthwise

    ctypedef struct dwsep_layer:
        pass

    ctypedef struct dwsep_sizes:
        int32_t axes
        int64_t[8] sizes

    ctypedef struct dwsep_const_array:
        const void* data
        dwsep_sizes shape
        int32_t dtype
        const dwsep_quantization* quantization

    ctypedef struct dwsep_array:
        void* data
        dwsep_sizes shape
        int32_t dtype
        const dwsep_quantization* quantization

    ctypedef struct dwsep_value:
        const char* name
        dwsep_sizes shape
        int32_t dtype
        dwsep_quantization quantization

    ctypedef struct dwsep_network:
        pass

    ctypedef struct dwsep_api:
        uint32_t abi, size
        dwsep_status (*new_depthwise)(
            const dwsep_depthwise_filter* filter, const dwsep_conv_options* options,
            const dwsep_activation* activation,
            dwsep_layer** layer, char* message, size_t message_size) noexcept nogil
        dwsep_status (*new_pointwise)(
            const dwsep_pointwise_filter* filter, const dwsep_activation* activation,
            dwsep_layer** layer, char* message, size_t message_size) noexcept nogil
        dwsep_status (*new_separable)(
            const dwsep_depthwise_filter* depthwise_filter, const dwsep_pointwise_filter* filter,
            const dwsep_conv_options* options, const dwsep_activation* depthwise_activation,
            const dwsep_activation* activation, const dwsep_squeeze_excite* squeeze_excite,
            dwsep_layer** layer, char* message, size_t message_size) noexcept nogil
        dwsep_status (*new_inverted_residual)(
            const dwsep_pointwise_filter* expand_filter,
            const dwsep_depthwise_filter* depthwise_filter, const dwsep_pointwise_filter* filter,
            const dwsep_conv_options* options, const dwsep_activation* expand_activation,
            const dwsep_activation* depthwise_activation, const dwsep_activation* activation,
            const dwsep_squeeze_excite* squeeze_excite,
            dwsep_layer** layer, char* message, size_t message_size) noexcept nogil
        dwsep_status (*new_standard)(
            const dwsep_standard_filter* filter, const dwsep_conv_options* options,
            const dwsep_activation* activation,
            dwsep_layer** layer, char* message, size_t message_size) noexcept nogil
        void (*delete_layer)(dwsep_layer* layer) noexcept nogil
        dwsep_status (*output_shape)(
            const dwsep_layer* layer, const dwsep_shape* x, dwsep_shape* y,
            char* message, size_t message_size) noexcept nogil
        dwsep_status (*run)(
            const dwsep_layer* layer, const dwsep_const_tensor* x, const dwsep_tensor* y,
            const dwsep_const_tensor* residual, int threads,
            char* message, size_t message_size) noexcept nogil
        int (*num_threads)() noexcept nogil
        dwsep_status (*set_num_threads)(
            int threads, char* message, size_t message_size) noexcept nogil
        dwsep_status (*load_network)(
            const char* path, dwsep_network** network,
            char* message, size_t message_size) noexcept nogil
        dwsep_status (*read_network)(
            const void* content, size_t bytes, dwsep_network** network,
            char* message, size_t message_size) noexcept nogil
        void (*delete_network)(dwsep_network* network) noexcept nogil
        dwsep_status (*count_values)(
            const dwsep_network* network, size_t* inputs, size_t* outputs,
            char* message, size_t message_size) noexcept nogil
        dwsep_status (*describe_input)(
            const dwsep_network* network, size_t index, dwsep_value* value,
            char* message, size_t message_size) noexcept nogil
        dwsep_status (*describe_output)(
            const dwsep_network* network, size_t index, dwsep_value* value,
            char* message, size_t message_size) noexcept nogil
        dwsep_status (*output_sizes)(
            const dwsep_network* network, const dwsep_sizes* inputs, size_t input_count,
            dwsep_sizes* outputs, size_t output_count,
            char* message, size_t message_size) noexcept nogil
        dwsep_status (*prepare_network)(
            const dwsep_network* network, const dwsep_sizes* inputs, size_t input_count,
            int threads, char* message, size_t message_size) noexcept nogil
        dwsep_status (*run_network)(
            const dwsep_network* network, const dwsep_const_array* inputs, size_t input_count,
            const dwsep_array* outputs, size_t output_count, int threads,
            char* message, size_t message_size) noexcept nogil
        dwsep_status (*new_int8_depthwise)(
            const dwsep_depthwise_filter* filter, const dwsep_conv_options* options,
            const dwsep_activation* activation, const dwsep_tensor_types* types,
            dwsep_layer** layer, char* message, size_t message_size) noexcept nogil
        dwsep_status (*new_int8_pointwise)(
            const dwsep_pointwise_filter* filter, const dwsep_activation* activation,
            const dwsep_tensor_types* types,
            dwsep_layer** layer, char* message, size_t message_size) noexcept nogil
        dwsep_status (*new_int8_separable)(
            const dwsep_depthwise_filter* depthwise_filter, const dwsep_pointwise_filter* filter,
            const dwsep_conv_options* options, const dwsep_activation* depthwise_activation,
            const dwsep_activation* activation, const dwsep_tensor_types* types,
            dwsep_layer** layer, char* message, size_t message_size) noexcept nogil
        dwsep_status (*new_int8_inverted_residual)(
            const dwsep_pointwise_filter* expand_filter,
            const dwsep_depthwise_filter* depthwise_filter, const dwsep_pointwise_filter* filter,
            const dwsep_conv_options* options, const dwsep_activation* expand_activation,
            const dwsep_activation* depthwise_activation, const dwsep_activation* activation,
            const dwsep_tensor_types* types,
            dwsep_layer** layer, char* message, size_t message_size) noexcept nogil
        dwsep_status (*new_int8_standard)(
            const dwsep_standard_filter* filter, const dwsep_conv_options* options,
            const dwsep_activation* activation, const dwsep_tensor_types* types,
            dwsep_layer** layer, char* message, size_t message_size) noexcept nogil

# The table; ImportError if the installed dwsep has another version, or fewer functions, than the
# caller was compiled for.
cdef const dwsep_api* get_api(uint32_t abi, size_t size) except NULL

# The handle of a layer that Python made, valid while that layer lives; TypeError for anything else.
cdef const dwsep_layer* handle(object layer) except NULL

# The same of a dwsep.Model.
cdef const dwsep_network* network_handle(object model) except NULL

# Raises ValueError, MemoryError or RuntimeError with the message, unless the status is DWSEP_OK.
cdef int check(dwsep_status status, const char* message) except -1
