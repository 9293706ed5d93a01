#include "bindings/numpy.hpp"

namespace dwsep::python {

Numpy numpy;

}  // namespace dwsep::python
