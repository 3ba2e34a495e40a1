// The parts of the extension module that have files of their own.
#pragma once
#include <pybind11/pybind11.h>

namespace linmu::python {

/// `RuleDispatch`: from the tensors of a call to the kernel of their sizes and types.
void registerDispatch(pybind11::module_ &module);

/// `interpret`: the definition of a pattern in fp64.
void registerInterpreter(pybind11::module_ &module);

} // namespace linmu::python
