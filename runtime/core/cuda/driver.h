// The part of NVIDIA's driver API that launches need, from a library loaded at run time: machines without a
// GPU have none, and nothing here needs CUDA's headers.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

namespace linmu::cuda {

// The driver's own handle types, under names of ours.
using Status = int; ///< CUresult; 0 is success
using DeviceHandle = int;
using DevicePointer = unsigned long long;
using Context = struct ContextTag *;
using Module = struct ModuleTag *;
using Function = struct FunctionTag *;
using Stream = struct StreamTag *;

/// Numbers of the driver's ABI, with the names that cuda.h gives them in the comments.
namespace abi {
constexpr Status not_initialized = 3;         // CUDA_ERROR_NOT_INITIALIZED
constexpr Status no_device = 100;             // CUDA_ERROR_NO_DEVICE
constexpr int multiprocessor_count = 16;      // CU_DEVICE_ATTRIBUTE_*
constexpr int compute_major = 75;             //
constexpr int compute_minor = 76;             //
constexpr int shared_per_block_opt_in = 97;   // MAX_SHARED_MEMORY_PER_BLOCK_OPTIN
constexpr int shared_per_multiprocessor = 81; // MAX_SHARED_MEMORY_PER_MULTIPROCESSOR
constexpr int pointer_device_ordinal = 9;     // CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL
constexpr int function_most_threads = 0;      // CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK
constexpr int function_shared_dynamic = 8;    // CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
constexpr int capture_mode_relaxed = 2;       // CU_STREAM_CAPTURE_MODE_RELAXED
constexpr int capture_none = 0;               // CU_STREAM_CAPTURE_STATUS_NONE
} // namespace abi

/// The driver's functions, of CUDA 11.2 or later. All members but the one that says so are set.
struct Driver {
  Status (*init)(unsigned flags);
  Status (*driver_version)(int *version); ///< 13000 for CUDA 13.0
  Status (*device_count)(int *count);
  Status (*device_get)(DeviceHandle *device, int ordinal);
  Status (*device_name)(char *name, int bytes, DeviceHandle device);
  Status (*device_attribute)(int *value, int attribute, DeviceHandle device);
  Status (*primary_context_retain)(Context *context, DeviceHandle device);
  Status (*context_current)(Context *context);
  Status (*context_push)(Context context);
  Status (*context_pop)(Context *context);
  Status (*context_device)(DeviceHandle *device);
  Status (*pointer_attribute)(void *value, int attribute, DevicePointer pointer);
  Status (*module_load)(Module *module, const void *image);
  Status (*module_unload)(Module module);
  Status (*module_function)(Function *function, Module module, const char *name);
  Status (*function_attribute)(int *value, int attribute, Function function);
  Status (*function_set_attribute)(Function function, int attribute, int value);
  /// Offset and size of one parameter; null before CUDA 12.4.
  Status (*function_parameter)(Function function, std::size_t index, std::size_t *offset, std::size_t *bytes);
  Status (*launch)(Function function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                   unsigned block_y, unsigned block_z, unsigned shared_bytes, Stream stream,
                   void **parameters, void **extra);
  Status (*allocate_async)(DevicePointer *memory, std::size_t bytes, Stream stream);
  Status (*free_async)(DevicePointer memory, Stream stream);
  Status (*copy_to_device_async)(DevicePointer device, const void *host, std::size_t bytes, Stream stream);
  Status (*copy_to_host_async)(void *host, DevicePointer device, std::size_t bytes, Stream stream);
  Status (*stream_synchronize)(Stream stream);
  Status (*stream_capturing)(Stream stream, int *status);
  Status (*exchange_capture_mode)(int *mode);
  Status (*error_name)(Status status, const char **name);
  Status (*error_text)(Status status, const char **text);

  /// The library of this process, initialised: Settings::cuda_driver, by default libcuda.so.1. Throws
  /// Error(unsupported) that says in one sentence what is missing.
  static const Driver &instance();

  /// Loads and initialises `library`; for instance(), and for tests.
  static Driver load(const std::string &library);

  /// Throws Error that says what could not be done and the driver's reason, unless `status` is 0.
  void check(Status status, const std::string &what) const;
};

} // namespace linmu::cuda
