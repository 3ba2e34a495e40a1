// The portable prelude as part of a test, for functions that ask nothing of the emulation.
#pragma once
#define LINMU_FUNCTION inline
// clang-format off: each builds on those before it
#include "compiler/target/cuda/emulation/Machine.h"
#include "compiler/target/cuda/emulation/Numbers.h"
#include "compiler/target/cuda/prelude/types.cuh"
#include "compiler/target/cuda/prelude/portable/prelude.h"
#include "compiler/target/cuda/prelude/portable/math.h"
#include "compiler/target/cuda/prelude/portable/functions.h"
#include "compiler/target/cuda/prelude/portable/target.h"
#include "compiler/target/cuda/prelude/integers.cuh"
#include "compiler/target/cuda/prelude/floats.cuh"
#include "compiler/target/cuda/prelude/conversions.cuh"
#include "compiler/target/cuda/prelude/vector.cuh"
#include "compiler/target/cuda/prelude/operands.cuh"
#include "compiler/target/cuda/prelude/fragments.cuh"
// clang-format on
