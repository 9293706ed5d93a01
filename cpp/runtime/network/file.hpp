// The .dwsep file; docs/file_format.md describes it byte by byte.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "runtime/network/bytes.hpp"
#include "runtime/network/network_impl.hpp"

namespace dwsep::runtime {

/// Throws std::invalid_argument if the system would truncate the path.
void check_path(const std::string& path);

/// Throws std::runtime_error where the file cannot be written; then there is no file, or the one that was there before. The paths of these
/// functions were checked.
void write_file(const NetworkDraft& network, const std::string& path);
std::vector<char> write_memory(const NetworkDraft& network);

/// Throws std::runtime_error where the file cannot be read, std::invalid_argument where it is not a sound .dwsep file.
NetworkDraft read_file(const std::string& path, bool map);
NetworkDraft read_memory(const void* data, std::size_t bytes);

/// The section about open sizes, which only networks have that have some.
void write_open_sizes(const NetworkDraft& network, ByteWriter& out);
void read_open_sizes(ByteReader& in, NetworkDraft& network);

}  // namespace dwsep::runtime
