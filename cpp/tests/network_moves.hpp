// Random cases of the ops that move elements; their results are exact.
#pragma once

#include "network_cases.hpp"

namespace dwsep::test {

inline Case identity_case(Random& random) {
  Case c{describe("identity"), {draw(random, draw_shape(random))}, {}, 0};
  c.wanted = c.inputs[0];
  return c;
}

inline Case reshape_case(Random& random) {
  Case c{describe("reshape"), {draw(random, draw_shape(random))}, {}, 0};
  const Dims& x = c.inputs[0].shape;
  Dims shape, given;
  const Int how = random(0, 2);
  if (how == 0) {  // factors in any order
    Int left = x.count();
    while (left > 1 && shape.rank() < 6) {
      Int factor = random(1, std::min<Int>(left, 12));
      while (left % factor != 0) --factor;
      shape.push_back(factor);
      left /= factor;
    }
    shape.push_back(left);
  } else {  // axes joined, split off or padded with 1
    for (int i = 0; i < x.rank(); ++i) {
      if (shape.rank() > 0 && random(0, 2) == 0) {
        shape[shape.rank() - 1] *= x[i];
      } else if (x[i] % 2 == 0 && random(0, 2) == 0 && shape.rank() < 5) {
        shape.push_back(2);
        shape.push_back(x[i] / 2);
      } else if (shape.rank() < 7) {
        shape.push_back(x[i]);
      } else {
        shape[shape.rank() - 1] *= x[i];
      }
      if (random(0, 5) == 0 && shape.rank() < 4) shape.push_back(1);
    }
  }
  given = shape;
  for (int i = 0; i < given.rank(); ++i) {
    if (i < x.rank() && x[i] == shape[i] && random(0, 2) == 0) given[i] = 0;
  }
  if (given.rank() > 0 && random(0, 1) == 0) given[static_cast<int>(random(0, given.rank() - 1))] = -1;
  c.d.attributes["shape"] = list(given);
  c.wanted = c.inputs[0];
  c.wanted.shape = shape;
  return c;
}

inline Case transpose_case(Random& random) {
  Dims shape = draw_shape(random);
  if (random(0, 2) == 0) shape = {1, random.of({1, 2, 3, 4, 5, 16, 33, 40}), random(1, 20), random(1, 20)};
  std::vector<Int> perm;
  for (int i = 0; i < shape.rank(); ++i) perm.insert(perm.begin() + random(0, i), i);
  if (shape.rank() == 4 && random(0, 1) == 0) perm = random(0, 1) == 0 ? std::vector<Int>{0, 2, 3, 1} : std::vector<Int>{0, 3, 1, 2};
  Case c{describe("transpose"), {draw(random, shape)}, {}, 0};
  c.d.attributes["perm"] = perm;
  Dims y;
  for (const Int axis : perm) y.push_back(shape[static_cast<int>(axis)]);
  c.wanted = chosen(c.inputs[0], y, [&](const Dims& i) {
    Dims at = i;
    for (int k = 0; k < i.rank(); ++k) at[static_cast<int>(perm[index(k)])] = i[k];
    return at;
  });
  return c;
}

inline Case concat_case(Random& random) {
  Case c{describe("concat"), {}, {}, 0};
  Dims shape = draw_shape(random, 1);
  const int axis = static_cast<int>(random(0, shape.rank() - 1));
  const Int count = random(1, 4);
  Int total = 0;
  std::vector<Int> starts;
  for (Int i = 0; i < count; ++i) {
    shape[axis] = random(1, 20);
    starts.push_back(total);
    total += shape[axis];
    c.inputs.push_back(draw(random, shape));
  }
  c.d.attributes["axis"] = std::vector<Int>{axis};
  c.wanted = Values(with(shape, axis, total));
  for (std::size_t k = 0; k < c.inputs.size(); ++k) {
    for_each(c.inputs[k].shape, [&](const Dims& i) { c.wanted.at(with(i, axis, i[axis] + starts[k])) = c.inputs[k].at(i); });
  }
  return c;
}

/// range(*slice(start, stop, step).indices(size)), as Python's manual defines it.
inline std::vector<Int> python_slice(Int start, Int stop, Int step, Int size) {
  const Int none = step > 0 ? std::numeric_limits<Int>::max() : std::numeric_limits<Int>::min();
  std::vector<Int> picked;
  if (start < 0) start += size;
  start = step > 0 ? std::max<Int>(start, 0) : std::min(start, size - 1);
  if (stop == none) {
    stop = step > 0 ? size : -1;
  } else {
    if (stop < 0) stop = std::max<Int>(stop + size, step > 0 ? 0 : -1);
    stop = std::min(stop, size);
  }
  for (Int i = start; step > 0 ? i < stop : i > stop; i += step) {
    if (i >= 0 && i < size) picked.push_back(i);
  }
  return picked;
}

inline Case slice_case(Random& random) {
  Case c{describe("slice"), {draw(random, draw_shape(random))}, {}, 0};
  const Dims& x = c.inputs[0].shape;
  std::vector<std::vector<Int>> picked;
  std::vector<Int> starts, stops, steps;
  Dims y;
  for (int i = 0; i < x.rank(); ++i) {
    Int step = random(0, 2) == 0 ? random.of({1, 2, 3, -1, -2, 100}) : 1;
    const bool whole = random(0, 1) == 0;
    const Int none = step > 0 ? std::numeric_limits<Int>::max() : std::numeric_limits<Int>::min();
    starts.push_back(whole ? (step > 0 ? 0 : -1) : random(-x[i] - 1, x[i] + 1));
    stops.push_back(whole || random(0, 2) == 0 ? none : random(-x[i] - 1, x[i] + 1));
    steps.push_back(step);
    picked.push_back(python_slice(starts.back(), stops.back(), step, x[i]));
    y.push_back(static_cast<Int>(picked.back().size()));
  }
  c.d.attributes["starts"] = starts;
  c.d.attributes["stops"] = stops;
  c.d.attributes["steps"] = steps;
  c.wanted = chosen(c.inputs[0], y, [&](const Dims& i) {
    Dims at = i;
    for (int k = 0; k < i.rank(); ++k) at[k] = picked[index(k)][index(i[k])];
    return at;
  });
  return c;
}

inline Case pad_case(Random& random) {
  const std::string mode = random.word({"constant", "reflect", "edge"});
  Case c{describe("pad"), {draw(random, draw_shape(random))}, {}, 0};
  const Dims& x = c.inputs[0].shape;
  Dims before = x, after = x, y = x;
  for (int i = 0; i < x.rank(); ++i) {
    const Int most = mode == "reflect" ? std::min<Int>(x[i] - 1, 4) : 4;
    before[i] = random(0, 1) == 0 ? 0 : random(0, most);
    after[i] = random(0, 1) == 0 ? 0 : random(0, most);
    y[i] = before[i] + x[i] + after[i];
  }
  c.d.attributes["mode"] = mode;
  c.d.attributes["before"] = list(before);
  c.d.attributes["after"] = list(after);
  c.d.attributes["value"] = std::vector<double>{0.5};
  c.wanted = chosen(
      c.inputs[0], y,
      [&](const Dims& i) {
        Dims at = i;
        for (int k = 0; k < i.rank(); ++k) {
          at[k] = i[k] - before[k];
          if (mode == "edge") at[k] = std::clamp<Int>(at[k], 0, x[k] - 1);
          if (mode == "reflect" && at[k] < 0) at[k] = -at[k];
          if (mode == "reflect" && at[k] >= x[k]) at[k] = 2 * (x[k] - 1) - at[k];
          if (at[k] >= x[k]) at[k] = -1;
        }
        return at;
      },
      0.5);
  return c;
}

inline Case gather_case(Random& random) {
  Case c{describe("gather"), {draw(random, draw_shape(random, 1, 4))}, {}, 0};
  const Dims& x = c.inputs[0].shape;
  const int axis = static_cast<int>(random(0, x.rank() - 1));
  Dims picked{random(1, 20)}, y;
  if (random(0, 2) == 0) picked = random(0, 1) == 0 ? Dims{} : Dims{random(1, 3), random(1, 4)};
  std::vector<Int> indices;
  for (Int i = 0; i < picked.count(); ++i) indices.push_back(random(-x[axis], x[axis] - 1));
  c.d.attributes["axis"] = std::vector<Int>{random(0, 1) == 0 ? axis : axis - x.rank()};
  c.d.attributes["indices"] = indices;
  if (picked.rank() != 1) c.d.attributes["indices_shape"] = list(picked);
  for (int i = 0; i < axis; ++i) y.push_back(x[i]);
  for (const Int size : picked) y.push_back(size);
  for (int i = axis + 1; i < x.rank(); ++i) y.push_back(x[i]);
  c.wanted = chosen(c.inputs[0], y, [&](const Dims& i) {
    Dims at;
    Int place = 0;
    for (int k = 0; k < axis; ++k) at.push_back(i[k]);
    for (int k = 0; k < picked.rank(); ++k) place = place * picked[k] + i[axis + k];
    at.push_back((indices[index(place)] + x[axis]) % x[axis]);
    for (int k = axis + picked.rank(); k < i.rank(); ++k) at.push_back(i[k]);
    return at;
  });
  return c;
}

inline Case expand_case(Random& random) {
  Dims shape = draw_shape(random), x, given = shape;
  for (int i = static_cast<int>(random(0, 2) == 0 ? random(0, shape.rank()) : 0); i < shape.rank(); ++i) {
    x.push_back(random(0, 1) == 0 ? 1 : shape[i]);
  }
  for (int i = 0; i < x.rank(); ++i) {
    const int k = i + shape.rank() - x.rank();
    if (x[i] == shape[k]) given[k] = random.of({0, 1, shape[k]});
  }
  Case c{describe("expand"), {draw(random, x)}, {}, 0};
  c.d.attributes["shape"] = list(given);
  c.wanted = chosen(c.inputs[0], shape, [&](const Dims& i) { return broadcast_index(i, x); });
  return c;
}

inline Case zero_insert_case(Random& random) {
  Case c{describe("zero_insert"), {draw(random, draw_image(random))}, {}, 0};
  const Dims& x = c.inputs[0].shape;
  const Int sh = random(1, 3), sw = random(1, 3);
  c.d.attributes["stride"] = std::vector<Int>{sh, sw};
  c.wanted = chosen(c.inputs[0], {x[0], (x[1] - 1) * sh + 1, (x[2] - 1) * sw + 1, x[3]}, [&](const Dims& i) {
    return Dims{i[0], i[1] % sh == 0 ? i[1] / sh : -1, i[2] % sw == 0 ? i[2] / sw : -1, i[3]};
  });
  return c;
}

}  // namespace dwsep::test
