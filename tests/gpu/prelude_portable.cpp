// The kernels for the host, under names that do not meet those of the device.
#define prelude portable_prelude
#define matmul portable_matmul
#define row_sums portable_row_sums
#define handover portable_handover
#define LINMU_FUNCTION inline
// clang-format off: each builds on those before it
#include "compiler/target/cuda/emulation/Machine.h"
#include "compiler/target/cuda/emulation/Numbers.h"
#include "compiler/target/cuda/prelude/types.cuh"
#include "compiler/target/cuda/prelude/portable/prelude.h"
#include "compiler/target/cuda/prelude/portable/math.h"
#include "compiler/target/cuda/prelude/portable/target.h"
#include "compiler/target/cuda/prelude/portable/functions.h"
#include "compiler/target/cuda/prelude/integers.cuh"
#include "compiler/target/cuda/prelude/floats.cuh"
#include "compiler/target/cuda/prelude/conversions.cuh"
#include "compiler/target/cuda/prelude/vector.cuh"
#include "compiler/target/cuda/prelude/operands.cuh"
#include "compiler/target/cuda/prelude/fragments.cuh"
#include "compiler/target/cuda/prelude/portable/entry.h"
// clang-format on
#include "tests/gpu/prelude_cases.h"

using namespace prelude;

#define __global__
#define __launch_bounds__(...)
#define LINMU_TEST_KERNEL static void

template <class To, class From> static GlobalPlace same_place(Global<From> from) { return from.place; }
template <class T> static i64 word_of_place(Global<T> first) { return first.place.buffer; }

#include "tests/gpu/prelude_functions.cuh"
#include "tests/gpu/prelude_kernels.cuh"
#include "tests/unit/kernels/handover.cu"
#include "tests/unit/kernels/matmul.cu"
#include "tests/unit/kernels/row_sums.cu"

const std::map<std::string, const linmu::emulation::Kernel *> linmu::prelude_test::portableKernels = {
    {"indices", &Entry<indices>::kernel},
    {"accesses", &Entry<accesses>::kernel},
    {"halves", &Entry<halves>::kernel},
    {"bytes", &Entry<bytes>::kernel},
    {"copies", &Entry<copies>::kernel},
    {"warps", &Entry<warps>::kernel},
    {"matrices", &Entry<matrices>::kernel},
    {"products", &Entry<products>::kernel},
    {"conversions", &Entry<conversions>::kernel},
    {"exponentials", &Entry<exponentials>::kernel},
    {"handover", &Entry<handover>::kernel},
    {"matmul", &Entry<matmul>::kernel},
    {"row_sums", &Entry<row_sums>::kernel},
    {"approximations", &Entry<approximations>::kernel},
    {"powers", &Entry<powers>::kernel},
    {"roundings", &Entry<roundings>::kernel},
    {"arithmetic", &Entry<arithmetic>::kernel},
    {"integers", &Entry<integers>::kernel},
    {"places", &Entry<places>::kernel},
    {"conversions_of_types", &Entry<conversions_of_types>::kernel},
    {"fragments", &Entry<fragments>::kernel},
    {"operands", &Entry<operands>::kernel},
    {"fences", &Entry<fences>::kernel},
};
