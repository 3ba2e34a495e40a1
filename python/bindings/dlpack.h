// The part of DLPack's stable C ABI that exchanges tensors (dmlc/dlpack, versions 0 and 1.3).
#pragma once
#include <cstdint>

extern "C" {

struct DLDevice {
  std::int32_t device_type; ///< 1: CPU, 2: CUDA, 3: the host's, pinned for CUDA, 13: managed by CUDA
  std::int32_t device_id;
};

struct DLDataType {
  std::uint8_t code; ///< 0 int, 1 uint, 2 float, 4 bfloat, 6 bool
  std::uint8_t bits;
  std::uint16_t lanes;
};

struct DLTensor {
  void *data;
  DLDevice device;
  std::int32_t ndim;
  DLDataType dtype;
  std::int64_t *shape;
  std::int64_t *strides; ///< in elements; null for contiguous
  std::uint64_t byte_offset;
};

struct DLManagedTensor {
  DLTensor dl_tensor;
  void *manager_ctx;
  void (*deleter)(DLManagedTensor *self);
};

struct DLPackVersion {
  std::uint32_t major, minor;
};

struct DLManagedTensorVersioned {
  DLPackVersion version;
  void *manager_ctx;
  void (*deleter)(DLManagedTensorVersioned *self);
  std::uint64_t flags;
  DLTensor dl_tensor;
};

/// What a type's attribute __dlpack_c_exchange_api__ points to, in a capsule "dlpack_exchange_api". Functions
/// return 0, or -1 with a Python exception or a call of `set_error`; none of them synchronises streams.
struct DLPackExchangeAPI {
  DLPackVersion version;
  DLPackExchangeAPI *previous;
  int (*allocate)(DLTensor *prototype, DLManagedTensorVersioned **out, void *error_context,
                  void (*set_error)(void *error_context, const char *kind, const char *message));
  int (*export_managed)(void *object, DLManagedTensorVersioned **out);
  int (*import_managed)(DLManagedTensorVersioned *tensor, void **out_object);
  int (*view)(void *object, DLTensor *out); ///< may be null; `out` is good while the object is
  int (*current_stream)(std::int32_t device_type, std::int32_t device_id, void **out_stream);
};
}
