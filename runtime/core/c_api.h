/* LinMU's runtime for C: opens compiled packages (linmuc --package OUT.lmk) and launches them on DLPack
 * tensors.
 *
 *     linmu_kernel *kernel;
 *     if (linmu_kernel_open_file("cell.lmk", &kernel) != LINMU_OK) {
 *       fprintf(stderr, "%s\n", linmu_last_error());
 *       return 1;
 *     }
 *     const DLTensor *inputs[] = {&q, &k, &v, &g};
 *     DLTensor *results[] = {&o};
 *     if (linmu_kernel_launch(kernel, inputs, 4, results, 1, NULL) != LINMU_OK) ...
 *     linmu_kernel_close(kernel);
 *
 * C99 and C++. Link with -llinmu_runtime, or with liblinmu_runtime.a and the C++ standard library.
 *
 * Every function may be called from any thread, and one kernel from several at once; only
 * linmu_kernel_close() must be the last that uses its kernel. No function keeps a tensor, and none writes
 * anything before all of its operands have been checked.
 *
 * Versions: this header is version LINMU_C_API_VERSION. A later version adds functions, values of
 * enumerations, and members at the end of the structs that begin with `struct_size`; it changes and removes
 * nothing. A program therefore runs with every library whose linmu_api_version() is at least its
 * LINMU_C_API_VERSION. */
#ifndef LINMU_RUNTIME_CORE_C_API_H
#define LINMU_RUNTIME_CORE_C_API_H

#include "runtime/core/dlpack.h"
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LINMU_C_API __attribute__((visibility("default")))

#define LINMU_C_API_VERSION 1

/* LINMU_C_API_VERSION of the library. */
LINMU_C_API uint32_t linmu_api_version(void);

/* The library's version, "0.1.0". */
LINMU_C_API const char *linmu_version(void);

/* What a call came to: a linmu_status_code. */
typedef int32_t linmu_status;

enum linmu_status_code {
  LINMU_OK = 0,
  LINMU_INVALID_ARGUMENT = 1, /* a pointer, number or tensor does not fit */
  LINMU_UNSUPPORTED = 2,      /* a device of another kind, or code for a machine other than this one */
  LINMU_CORRUPT_FILE = 3,     /* a package that is damaged, of another format version, or no package at all */
  LINMU_IO = 4,               /* the file system or the operating system refused; no memory */
  LINMU_INTERNAL = 5          /* a defect of LinMU */
};

/* "ok", "invalid argument", "unsupported", ...; "unknown status" for a number that is none. */
LINMU_C_API const char *linmu_status_name(linmu_status status);

/* The message of the last call of this thread that did not return LINMU_OK: it names the operand, what was
 * expected and what was given. "" before the first. Valid until this thread's next call that fails. */
LINMU_C_API const char *linmu_last_error(void);

/* An opened package. */
typedef struct linmu_kernel linmu_kernel;

/* Opens a package and checks that this CPU can run it. On success *kernel is to be closed with
 * linmu_kernel_close(); otherwise it is NULL. The file, or the `size` bytes, are not needed afterwards.
 *
 * A package is machine code: its checks find damage, not malice. Open only those whose origin you trust. */
LINMU_C_API linmu_status linmu_kernel_open_file(const char *path, linmu_kernel **kernel);
LINMU_C_API linmu_status linmu_kernel_open_memory(const void *bytes, size_t size, linmu_kernel **kernel);

/* Does nothing for NULL. */
LINMU_C_API void linmu_kernel_close(linmu_kernel *kernel);

/* What a dimension's extent is. */
enum linmu_extent_kind {
  LINMU_EXTENT_CONSTANT = 0,    /* exactly `value` */
  LINMU_EXTENT_BATCH = 1,       /* B, the same for every operand of a call; an input of 1 broadcasts */
  LINMU_EXTENT_TOKENS = 2,      /* N, the length of a sequence, of a ragged batch that of all; 0 is valid */
  LINMU_EXTENT_MEDIA_ITEMS = 3, /* M, the rows of a media table */
  LINMU_EXTENT_SEQUENCES = 4    /* S, the sequences of a ragged batch, and `value` more */
};

typedef struct {
  int32_t kind;  /* a linmu_extent_kind */
  int64_t value; /* of a constant; of LINMU_EXTENT_SEQUENCES what is added to S; otherwise 0 */
} linmu_extent;

/* What the entries of an input mean. */
enum linmu_content {
  LINMU_CONTENT_VALUES = 0,
  LINMU_CONTENT_TOKEN_ORDER = 1, /* [B, N]: each row holds each of 0 .. N-1 once */
  LINMU_CONTENT_MEDIA_TABLE =
      2, /* [M, 4]: rows (first token, t, h, w) inside the N tokens, without overlap */
  LINMU_CONTENT_SEQUENCE_TABLE = 3 /* [S + 1]: from 0 to N, no entry below the one before */
};

/* An input or a result. The pointers live as long as the kernel. */
typedef struct {
  size_t struct_size;        /* set by the caller: sizeof(linmu_operand) */
  const char *name;          /* as the pattern's text names it, without % */
  DLDataType dtype;          /* f32, f16, bf16, i32, or bool of 8 bits */
  int32_t ndim;              /* at most 6 */
  const linmu_extent *shape; /* `ndim` of them */
  int32_t content;           /* a linmu_content */
  int32_t in_place_of;       /* of a result: the index of the input in whose memory it may lie, or -1 */
} linmu_operand;

/* The pattern's name, and what its code is for, "cpu:x86_64-...:NAME". NULL for a NULL kernel. */
LINMU_C_API const char *linmu_kernel_name(const linmu_kernel *kernel);
LINMU_C_API const char *linmu_kernel_target(const linmu_kernel *kernel);

/* Where the tensors of a launch lie, by DLPack's numbers: 1 CPU, 2 CUDA. 0 for a NULL kernel. */
LINMU_C_API int32_t linmu_kernel_device_type(const linmu_kernel *kernel);

/* How many tensors a launch takes. 0 for a NULL kernel. */
LINMU_C_API size_t linmu_kernel_input_count(const linmu_kernel *kernel);
LINMU_C_API size_t linmu_kernel_result_count(const linmu_kernel *kernel);

/* Describes one of them. Only the first `operand->struct_size` bytes are written; members that the library
 * does not know stay as they are. */
LINMU_C_API linmu_status linmu_kernel_input(const linmu_kernel *kernel, size_t index, linmu_operand *operand);
LINMU_C_API linmu_status linmu_kernel_result(const linmu_kernel *kernel, size_t index,
                                             linmu_operand *operand);

/* The extents of a result for given inputs, all of them: shape[0 .. ndim-1], at most 6. An extent that no
 * input has is -1: the caller decides it. */
LINMU_C_API linmu_status linmu_kernel_result_shape(const linmu_kernel *kernel, const DLTensor *const *inputs,
                                                   size_t input_count, size_t index, int64_t *shape);

/* How a launch with `batch` sequences of `tokens` tokens runs, e.g. "chunked(chunk=16)". *algorithm lives as
 * long as the kernel. */
LINMU_C_API linmu_status linmu_kernel_algorithm(const linmu_kernel *kernel, int64_t tokens, int64_t batch,
                                                const char **algorithm);

/* The memory that a launch on CUDA needs for what lies between its kernels; 0 where it needs none. */
LINMU_C_API linmu_status linmu_kernel_workspace_bytes(const linmu_kernel *kernel, int64_t tokens,
                                                      int64_t batch, int64_t media_items, int64_t *bytes);

/* What is 0 or NULL is as if it were not given. */
typedef struct {
  size_t struct_size; /* sizeof(linmu_launch_options) */
  int32_t threads;    /* of the CPU, at most so many; 0: LINMU_THREADS, else the number of cores */
  void *stream;       /* for CUDA: the CUstream (cudaStream_t); NULL is the legacy default stream */
  void *workspace;    /* for CUDA: memory of the tensors' device, aligned to 64 bytes, that nothing else uses
                         until the launch has run; NULL: the driver's stream-ordered memory */
  int64_t workspace_bytes; /* its size, at least linmu_kernel_workspace_bytes() */
} linmu_launch_options;

/* Runs the pattern and returns when the results are written; on CUDA, enqueues it and waits for nothing.
 * Tensors stand in the order of the signature and lie where linmu_kernel_device_type() says; the last
 * dimension is contiguous, the others have any strides. Results are written in place and
 * share no memory with inputs or each other, except that one with `in_place_of` may lie exactly where that
 * input does. `options` may be NULL. */
LINMU_C_API linmu_status linmu_kernel_launch(const linmu_kernel *kernel, const DLTensor *const *inputs,
                                             size_t input_count, DLTensor *const *results,
                                             size_t result_count, const linmu_launch_options *options);

#ifdef __cplusplus
}
#endif

#endif
