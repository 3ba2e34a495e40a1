// The part of DLPack's stable C ABI by which types of Python lend their tensors (dmlc/dlpack, version 1.3).
#pragma once
#include "runtime/core/dlpack.h"
#include <cstdint>

extern "C" {

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
