// The C++ interface of the `cuda` dialect.
#pragma once
#include "compiler/target/cuda/layout/LinearLayout.h"
#include "dialects/tile/Tile.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/TensorEncoding.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "compiler/target/cuda/dialect/CudaDialect.h.inc"

#define GET_ATTRDEF_CLASSES
#include "compiler/target/cuda/dialect/CudaAttributes.h.inc"

#define GET_OP_CLASSES
#include "compiler/target/cuda/dialect/CudaOps.h.inc"
