// The functions of the C table for networks, documented in dwsep/c_api.h. A dwsep_network is a Network under another name.
#pragma once

#include "dwsep/c_api.h"

namespace dwsep::embed {

dwsep_status load_network(const char* path, dwsep_network** network, char* message, size_t message_size);
dwsep_status read_network(const void* content, size_t bytes, dwsep_network** network, char* message, size_t message_size);
void delete_network(dwsep_network* network);
dwsep_status count_values(const dwsep_network* network, size_t* inputs, size_t* outputs, char* message, size_t message_size);
dwsep_status describe_input(const dwsep_network* network, size_t index, dwsep_value* value, char* message, size_t message_size);
dwsep_status describe_output(const dwsep_network* network, size_t index, dwsep_value* value, char* message, size_t message_size);
dwsep_status output_sizes(const dwsep_network* network, const dwsep_sizes* inputs, size_t input_count, dwsep_sizes* outputs,
                          size_t output_count, char* message, size_t message_size);
dwsep_status prepare_network(const dwsep_network* network, const dwsep_sizes* inputs, size_t input_count, int threads, char* message,
                             size_t message_size);
dwsep_status run_network(const dwsep_network* network, const dwsep_const_array* inputs, size_t input_count, const dwsep_array* outputs,
                         size_t output_count, int threads, char* message, size_t message_size);

}  // namespace dwsep::embed
