// Pictures for the examples: binary PPM, and bilinear interpolation with the corners of pixels aligned.
#pragma once

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

struct Picture {
  std::int64_t w = 0, h = 0;
  std::vector<unsigned char> rgb;
};

inline Picture read_ppm(const char* path) {
  std::ifstream file(path, std::ios::binary);
  std::string magic;
  std::int64_t most = 0;
  Picture p;
  file >> magic >> p.w >> p.h >> most;
  if (!file || magic != "P6" || most != 255 || std::min(p.w, p.h) < 1 || std::max(p.w, p.h) > 1 << 15) {
    throw std::runtime_error("need a binary PPM of 8 bits");
  }
  p.rgb.resize(static_cast<std::size_t>(p.w * p.h * 3));
  file.ignore().read(reinterpret_cast<char*>(p.rgb.data()), static_cast<std::streamsize>(p.rgb.size()));
  if (!file) throw std::runtime_error("the picture ends too early");
  return p;
}

/// Channel c at row y and column x of h x w, between the four nearest pixels.
inline float sample(const Picture& p, std::int64_t y, std::int64_t h, std::int64_t x, std::int64_t w, std::int64_t c) {
  const auto place = [](std::int64_t i, std::int64_t to, std::int64_t from) {
    return std::clamp((static_cast<float>(i) + 0.5F) * static_cast<float>(from) / static_cast<float>(to) - 0.5F, 0.0F,
                      static_cast<float>(from - 1));
  };
  const float fy = place(y, h, p.h), fx = place(x, w, p.w);
  const auto y0 = static_cast<std::int64_t>(fy), x0 = static_cast<std::int64_t>(fx);
  const auto at = [&](std::int64_t row, std::int64_t column) {
    return static_cast<float>(p.rgb[static_cast<std::size_t>((std::min(row, p.h - 1) * p.w + std::min(column, p.w - 1)) * 3 + c)]);
  };
  const float dy = fy - static_cast<float>(y0), dx = fx - static_cast<float>(x0);
  return (1 - dy) * ((1 - dx) * at(y0, x0) + dx * at(y0, x0 + 1)) + dy * ((1 - dx) * at(y0 + 1, x0) + dx * at(y0 + 1, x0 + 1));
}
