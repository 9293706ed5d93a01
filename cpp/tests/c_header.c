/* The C header is C, and can be used without a C++ compiler. Compiled, not run. */
#include "dwsep/c_api.h"

int c_header_is_c(const dwsep_api* api, dwsep_shape* y) {
  static const float one = 1.0F;
  const dwsep_pointwise_filter filter = {&one, 1, 1, 0, DWSEP_FLOAT32, DWSEP_FLOAT32, 0};
  const dwsep_shape x = {1, 2, 2, 1};
  dwsep_layer* layer = 0;
  int failed = api->new_pointwise(&filter, 0, &layer, 0, 0) != DWSEP_OK || api->output_shape(layer, &x, y, 0, 0) != DWSEP_OK;
  api->delete_layer(layer);
  return failed;
}
