/* Kernels as the compiler would emit them; see runtime/core/package.h for how they are called. */
#include <stdint.h>

struct descriptor {
  float *allocated, *aligned;
  int64_t offset, sizes[4], strides[4];
};

/* Converted at run time: a constant would live in a section that the images do not have. */
static inline float number(int value) {
  __asm__("" : "+r"(value));
  return (float)value;
}

/* o[b, n, h, d] = x[b, n, h, d] + y[b, n, h, d]; block = b * N + n. */
void add(void *const *arguments, int64_t first, int64_t last, char *workspace) {
  const struct descriptor *x = arguments[0], *y = arguments[1], *o = arguments[2];
  for (int64_t block = first; block < last; ++block) {
    int64_t b = block / o->sizes[1], n = block % o->sizes[1];
    for (int64_t h = 0; h < o->sizes[2]; ++h)
      for (int64_t d = 0; d < o->sizes[3]; ++d)
        o->aligned[b * o->strides[0] + n * o->strides[1] + h * o->strides[2] + d] =
            x->aligned[b * x->strides[0] + n * x->strides[1] + h * x->strides[2] + d] +
            y->aligned[b * y->strides[0] + n * y->strides[1] + h * y->strides[2] + d];
  }
}

/* o[block, 0, 0, 0] += 1: shows that each block runs exactly once. */
void mark(void *const *arguments, int64_t first, int64_t last, char *workspace) {
  const struct descriptor *o = arguments[0];
  for (int64_t block = first; block < last; ++block)
    for (int64_t repeat = 0; repeat < 64; ++repeat) {
      float *at = &o->aligned[block * o->strides[1]];
      *(volatile float *)at = *(volatile float *)at + number(repeat == 0);
    }
}

/* o[n] = 1 where the 4096 bytes of workspace are aligned to 64 and writable. */
void touch(void *const *arguments, int64_t first, int64_t last, char *workspace) {
  const struct descriptor *o = arguments[0];
  for (int64_t i = 0; i < 4096; ++i)
    ((volatile char *)workspace)[i] = (char)i;
  for (int64_t block = first; block < last; ++block)
    o->aligned[block * o->strides[1]] = number((uintptr_t)workspace % 64 == 0);
}

/* t[b, c, 0, 0] = the sum of x[b, n, 0, 0] over chunk c of four tokens; block = b * C + c. */
void sum_part(void *const *arguments, int64_t first, int64_t last, char *workspace) {
  const struct descriptor *x = arguments[0], *t = arguments[1];
  for (int64_t block = first; block < last; ++block) {
    int64_t b = block / t->sizes[1], c = block % t->sizes[1];
    float sum = number((uintptr_t)t->aligned % 64 != 0);
    for (int64_t n = 4 * c; n < 4 * c + 4 && n < x->sizes[1]; ++n)
      sum += x->aligned[b * x->strides[0] + n * x->strides[1]];
    t->aligned[b * t->strides[0] + c * t->strides[1]] = sum;
  }
}

/* o[b, 0, 0, 0] = the sum of t[b, c, 0, 0]; block = b. */
void sum_whole(void *const *arguments, int64_t first, int64_t last, char *workspace) {
  const struct descriptor *t = arguments[0], *o = arguments[1];
  for (int64_t b = first; b < last; ++b) {
    float sum = number(0);
    for (int64_t c = 0; c < t->sizes[1]; ++c)
      sum += t->aligned[b * t->strides[0] + c * t->strides[1]];
    o->aligned[b * o->strides[0]] = sum;
  }
}

void nothing(void *const *arguments, int64_t first, int64_t last, char *workspace) {}
