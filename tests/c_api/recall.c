/* Runs the package of tests/c_api/recall.mlir through the C API, and compares it with the recurrence.
 *
 * usage: recall PACKAGE TOKENS...
 *
 * One line for each number of tokens; exit status 0 if every one is right. */
#include "runtime/core/c_api.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { batch = 2, heads = 2, width = 8 };

/* Sums in f32 of some tens of terms of size one. */
static const double tolerance = 2e-5;

static void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, linmu_last_error());
  exit(1);
}

static DLTensor tensor(float *data, int32_t ndim, int64_t *shape) {
  DLTensor made;
  memset(&made, 0, sizeof made);
  made.data = data;
  made.device.device_type = 1;
  made.ndim = ndim;
  made.dtype.code = 2;
  made.dtype.bits = 32;
  made.dtype.lanes = 1;
  made.shape = shape;
  return made;
}

/* What the package says of an operand is what recall.mlir says. -1 stands for B, -2 for N. */
static void check_operand(const linmu_operand *operand, const char *name, int32_t ndim,
                          const int64_t *shape) {
  int32_t axis;
  if (strcmp(operand->name, name) != 0 || operand->ndim != ndim || operand->dtype.code != 2 ||
      operand->dtype.bits != 32 || operand->dtype.lanes != 1 || operand->content != LINMU_CONTENT_VALUES) {
    fprintf(stderr, "expected the operand '%s', got '%s' of %d axes\n", name, operand->name,
            (int)operand->ndim);
    exit(1);
  }
  for (axis = 0; axis < ndim; ++axis) {
    const linmu_extent extent = operand->shape[axis];
    const int64_t found = extent.kind == LINMU_EXTENT_BATCH    ? -1
                          : extent.kind == LINMU_EXTENT_TOKENS ? -2
                                                               : extent.value;
    if (found != shape[axis]) {
      fprintf(stderr, "operand '%s' has an unexpected axis %d\n", name, (int)axis);
      exit(1);
    }
  }
}

static void check_signature(const linmu_kernel *kernel) {
  static const int64_t rows[] = {-1, -2, heads, width}, gates[] = {-1, -2, heads},
                       state[] = {-1, heads, width, width};
  static const struct {
    const char *name;
    int32_t ndim;
    const int64_t *shape;
  } inputs[] = {{"q", 4, rows}, {"k", 4, rows}, {"v", 4, rows}, {"g", 3, gates}, {"before", 4, state}},
    results[] = {{"o", 4, rows}, {"after", 4, state}};
  linmu_operand operand;
  size_t i;
  operand.struct_size = sizeof operand;
  if (linmu_kernel_input_count(kernel) != 5 || linmu_kernel_result_count(kernel) != 2) {
    fprintf(stderr, "expected five inputs and two results\n");
    exit(1);
  }
  for (i = 0; i < 5; ++i) {
    if (linmu_kernel_input(kernel, i, &operand) != LINMU_OK)
      fail("input");
    check_operand(&operand, inputs[i].name, inputs[i].ndim, inputs[i].shape);
  }
  for (i = 0; i < 2; ++i) {
    if (linmu_kernel_result(kernel, i, &operand) != LINMU_OK)
      fail("result");
    check_operand(&operand, results[i].name, results[i].ndim, results[i].shape);
  }
}

/* Between -1 and 1, another sequence for each seed. */
static float *numbers(size_t count, size_t seed) {
  float *made = malloc(count * sizeof(float));
  size_t i;
  if (!made && count)
    exit(1);
  for (i = 0; i < count; ++i)
    made[i] = (float)((double)((i + seed * 131) * 7919 % 2003) / 1001 - 1);
  return made;
}

/* The operands of one launch, all contiguous. */
typedef struct {
  float *q, *k, *v, *g, *before, *o, *after;
} operands;

/* The recurrence in double, one head of one sequence after the other. Returns the largest error. */
static double largest_error(const operands *x, int64_t tokens) {
  double worst = 0;
  int64_t b, h, n, i, j;
  for (b = 0; b < batch; ++b)
    for (h = 0; h < heads; ++h) {
      double state[width][width];
      const int64_t state_at = (b * heads + h) * width * width;
      for (i = 0; i < width; ++i)
        for (j = 0; j < width; ++j)
          state[i][j] = x->before[state_at + i * width + j];
      for (n = 0; n < tokens; ++n) {
        const int64_t row = (b * tokens + n) * heads + h;
        const double decay = 1 / (1 + exp(-(double)x->g[row]));
        for (j = 0; j < width; ++j) {
          double read = 0;
          for (i = 0; i < width; ++i) {
            state[i][j] = decay * state[i][j] + (double)x->k[row * width + i] * x->v[row * width + j];
            read += state[i][j] * x->q[row * width + i];
          }
          worst = fmax(worst, fabs(read - x->o[row * width + j]));
        }
      }
      for (i = 0; i < width; ++i)
        for (j = 0; j < width; ++j)
          worst = fmax(worst, fabs(state[i][j] - x->after[state_at + i * width + j]));
    }
  return worst;
}

static int run(const linmu_kernel *kernel, int64_t tokens) {
  int64_t rows[] = {batch, 0, heads, width}, gates[] = {batch, 0, heads},
          state[] = {batch, heads, width, width}, shape[6];
  const size_t row_count = (size_t)(batch * tokens * heads), state_count = batch * heads * width * width;
  operands x;
  DLTensor q, k, v, g, before, o, after;
  const DLTensor *inputs[5];
  DLTensor *results[2];
  linmu_launch_options options;
  const char *algorithm;
  double error;
  size_t i;
  rows[1] = gates[1] = tokens;
  x.q = numbers(row_count * width, 1), x.k = numbers(row_count * width, 2);
  x.v = numbers(row_count * width, 3), x.g = numbers(row_count, 4);
  x.before = numbers(state_count, 5);
  x.o = numbers(row_count * width, 6), x.after = numbers(state_count, 7);
  for (i = 0; i < row_count * width; ++i)
    x.o[i] = (float)NAN; /* what a launch leaves out shows: fmax() skips it, so it is looked for below */
  q = tensor(x.q, 4, rows), k = tensor(x.k, 4, rows), v = tensor(x.v, 4, rows), g = tensor(x.g, 3, gates);
  before = tensor(x.before, 4, state), o = tensor(x.o, 4, rows), after = tensor(x.after, 4, state);
  inputs[0] = &q, inputs[1] = &k, inputs[2] = &v, inputs[3] = &g, inputs[4] = &before;
  results[0] = &o, results[1] = &after;
  if (linmu_kernel_result_shape(kernel, inputs, 5, 0, shape) != LINMU_OK)
    fail("shape of result 0");
  if (memcmp(shape, rows, sizeof rows) != 0) {
    fprintf(stderr, "result 0 has an unexpected shape\n");
    return 1;
  }
  if (linmu_kernel_algorithm(kernel, tokens, batch, &algorithm) != LINMU_OK)
    fail("algorithm");
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.threads = 2;
  if (linmu_kernel_launch(kernel, inputs, 5, results, 2, tokens == 1 ? NULL : &options) != LINMU_OK)
    fail("launch");
  error = largest_error(&x, tokens);
  for (i = 0; i < row_count * width; ++i)
    if (isnan(x.o[i]))
      error = INFINITY;
  printf("%ld tokens, %s: largest error %.1e\n", (long)tokens, algorithm, error);
  free(x.q), free(x.k), free(x.v), free(x.g), free(x.before), free(x.o), free(x.after);
  return error <= tolerance ? 0 : 1;
}

int main(int argc, char **argv) {
  linmu_kernel *kernel;
  int i, failed = 0;
  if (argc < 3) {
    fprintf(stderr, "usage: recall PACKAGE TOKENS...\n");
    return 2;
  }
  if (linmu_api_version() < LINMU_C_API_VERSION) {
    fprintf(stderr, "the library is older than this program\n");
    return 1;
  }
  if (linmu_kernel_open_file(argv[1], &kernel) != LINMU_OK)
    fail("open");
  check_signature(kernel);
  printf("linmu %s, pattern '%s' for %s\n", linmu_version(), linmu_kernel_name(kernel),
         linmu_kernel_target(kernel));
  for (i = 2; i < argc; ++i)
    failed |= run(kernel, strtol(argv[i], NULL, 10));
  linmu_kernel_close(kernel);
  return failed;
}
