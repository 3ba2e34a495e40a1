/* The part of DLPack's stable C ABI that exchanges one tensor (dmlc/dlpack, version 1). C99 and C++.
 *
 * A program that has DLPack's own header includes it first: then nothing is declared here. */
#ifndef LINMU_RUNTIME_CORE_DLPACK_H
#define LINMU_RUNTIME_CORE_DLPACK_H

#ifndef DLPACK_DLPACK_H_
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  int32_t device_type; /* 1: CPU, 2: CUDA, 3: the host's, pinned for CUDA, 13: managed by CUDA */
  int32_t device_id;
} DLDevice;

typedef struct {
  uint8_t code; /* 0 int, 1 uint, 2 float, 4 bfloat, 6 bool */
  uint8_t bits;
  uint16_t lanes;
} DLDataType;

typedef struct {
  void *data;
  DLDevice device;
  int32_t ndim;
  DLDataType dtype;
  int64_t *shape;
  int64_t *strides; /* in elements; null for contiguous */
  uint64_t byte_offset;
} DLTensor;

typedef struct DLManagedTensor {
  DLTensor dl_tensor;
  void *manager_ctx;
  void (*deleter)(struct DLManagedTensor *self);
} DLManagedTensor;

typedef struct {
  uint32_t major; /* another major has another layout behind the deleter */
  uint32_t minor;
} DLPackVersion;

typedef struct DLManagedTensorVersioned {
  DLPackVersion version;
  void *manager_ctx;
  void (*deleter)(struct DLManagedTensorVersioned *self);
  uint64_t flags;
  DLTensor dl_tensor;
} DLManagedTensorVersioned;

#define DLPACK_FLAG_BITMASK_READ_ONLY (UINT64_C(1) << 0)

#ifdef __cplusplus
}
#endif
#endif /* DLPACK_DLPACK_H_ */

#endif
