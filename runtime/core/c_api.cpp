#include "runtime/core/c_api.h"
#include "runtime/core/dlpack_view.h"
#include "runtime/core/error.h"
#include "runtime/core/kernel.h"
#include "runtime/core/operand_check.h"
#include "runtime/core/package_file.h"
#include "runtime/core/version.h"
#include <algorithm>
#include <cstring>
#include <new>

using namespace linmu;

struct linmu_kernel {
  explicit linmu_kernel(Kernel opened) : kernel(std::move(opened)) {
    for (auto *specs : {&kernel.signature().inputs, &kernel.signature().results})
      for (const OperandSpec &spec : *specs) {
        std::vector<linmu_extent> &shape = shapes.emplace_back();
        for (const Extent &extent : spec.shape)
          shape.push_back({std::int32_t(extent.kind), extent.value});
      }
  }

  linmu_operand describe(const OperandSpec &spec, const std::vector<linmu_extent> &shape) const {
    return {sizeof(linmu_operand),
            spec.name.c_str(),
            dlpackType(spec.dtype),
            std::int32_t(shape.size()),
            shape.data(),
            std::int32_t(spec.content),
            spec.in_place_of == OperandSpec::none ? -1 : std::int32_t(spec.in_place_of)};
  }

  Kernel kernel;
  std::vector<std::vector<linmu_extent>> shapes; ///< of the inputs, then of the results
};

namespace {

static_assert(int(Extent::constant) == LINMU_EXTENT_CONSTANT && int(Extent::batch) == LINMU_EXTENT_BATCH &&
              int(Extent::tokens) == LINMU_EXTENT_TOKENS &&
              int(Extent::mediaItems) == LINMU_EXTENT_MEDIA_ITEMS &&
              int(Extent::sequences) == LINMU_EXTENT_SEQUENCES);
static_assert(int(OperandSpec::values) == LINMU_CONTENT_VALUES &&
              int(OperandSpec::tokenOrder) == LINMU_CONTENT_TOKEN_ORDER &&
              int(OperandSpec::mediaTable) == LINMU_CONTENT_MEDIA_TABLE &&
              int(OperandSpec::sequenceTable) == LINMU_CONTENT_SEQUENCE_TABLE);

/// A fixed array: there may be no memory to say that there is no memory. Longer messages are cut.
thread_local char last_error[2048] = "";

linmu_status fail(linmu_status status, std::string_view message, std::string_view hint = {}) {
  std::size_t size = 0;
  for (std::string_view part : {message, std::string_view(hint.empty() ? "" : "; "), hint}) {
    const std::size_t taken = std::min(part.size(), sizeof last_error - 1 - size);
    std::memcpy(last_error + size, part.data(), taken);
    size += taken;
  }
  last_error[size] = '\0';
  return status;
}

linmu_status statusOf(ErrorCode code) {
  switch (code) {
  case ErrorCode::invalidPattern: // no function here takes a pattern's text
  case ErrorCode::internal:
    return LINMU_INTERNAL;
  case ErrorCode::invalidArgument:
    return LINMU_INVALID_ARGUMENT;
  case ErrorCode::unsupported:
    return LINMU_UNSUPPORTED;
  case ErrorCode::corruptFile:
    return LINMU_CORRUPT_FILE;
  case ErrorCode::io:
    return LINMU_IO;
  }
  return LINMU_INTERNAL;
}

/// No exception crosses into C.
template <typename Body> linmu_status guarded(Body body) noexcept {
  try {
    body();
    return LINMU_OK;
  } catch (const Error &error) {
    return fail(statusOf(error.code()), error.what(), error.hint());
  } catch (const std::bad_alloc &) {
    return fail(LINMU_IO, "out of memory");
  } catch (const std::exception &error) {
    return fail(LINMU_INTERNAL, error.what());
  } catch (...) {
    return fail(LINMU_INTERNAL, "unknown exception");
  }
}

void require(const void *pointer, const char *what) {
  if (!pointer)
    throw Error(ErrorCode::invalidArgument, std::string(what) + ": expected a pointer, got NULL");
}

linmu_status open(linmu_kernel **kernel, std::string_view what, const void *source, auto read) {
  if (kernel)
    *kernel = nullptr;
  return guarded([&] {
    require(kernel, "kernel");
    require(source, what.data());
    *kernel = new linmu_kernel(Kernel::open(read()));
  });
}

void requireStruct(const void *pointer, std::size_t size, std::size_t least, const char *type) {
  require(pointer, type);
  if (size < least)
    throw Error(ErrorCode::invalidArgument, std::string(type) + ": expected struct_size to be sizeof(" +
                                                type + "), at least " + std::to_string(least) + ", got " +
                                                std::to_string(size));
}

const Signature &signatureOf(const linmu_kernel *kernel) {
  require(kernel, "kernel");
  return kernel->kernel.signature();
}

const OperandSpec &operandOf(const Signature &signature, bool input, std::size_t index) {
  const std::vector<OperandSpec> &specs = input ? signature.inputs : signature.results;
  if (index >= specs.size())
    throw Error(ErrorCode::invalidArgument,
                "pattern '" + signature.name + "': expected the index of one of " +
                    std::to_string(specs.size()) + (input ? " inputs" : " results") + ", got " +
                    std::to_string(index));
  return specs[index];
}

linmu_status describe(const linmu_kernel *kernel, bool input, std::size_t index, linmu_operand *operand) {
  return guarded([&] {
    const Signature &signature = signatureOf(kernel);
    requireStruct(operand, operand ? operand->struct_size : 0, sizeof(linmu_operand), "linmu_operand");
    const OperandSpec &spec = operandOf(signature, input, index);
    const std::size_t before = input ? 0 : signature.inputs.size();
    linmu_operand described = kernel->describe(spec, kernel->shapes[before + index]);
    described.struct_size = operand->struct_size;
    *operand = described;
  });
}

std::vector<TensorView> viewsOf(const Signature &signature, bool input, const DLTensor *const *tensors,
                                std::size_t count) {
  const std::vector<OperandSpec> &specs = input ? signature.inputs : signature.results;
  if (count != specs.size())
    throw Error(ErrorCode::invalidArgument,
                "pattern '" + signature.name + "': expected " + std::to_string(specs.size()) +
                    (input ? " inputs" : " results") + ", got " + std::to_string(count));
  if (count > 0)
    require(tensors, input ? "inputs" : "results");
  std::vector<TensorView> views;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string who = std::string(input ? "operand '" : "result '") + specs[i].name + "' of pattern '" +
                            signature.name + "'";
    if (!tensors[i])
      throw Error(ErrorCode::invalidArgument, who + ": expected a tensor, got NULL");
    views.push_back(viewOf(*tensors[i], who, specs[i].dtype));
  }
  return views;
}

/// Whether an input has a dimension of this kind.
bool isKnown(const Signature &signature, Extent::Kind kind) {
  return std::any_of(signature.inputs.begin(), signature.inputs.end(), [&](const OperandSpec &spec) {
    return std::any_of(spec.shape.begin(), spec.shape.end(),
                       [&](const Extent &extent) { return extent.kind == kind; });
  });
}

} // namespace

uint32_t linmu_api_version(void) { return LINMU_C_API_VERSION; }

const char *linmu_version(void) { return version(); }

const char *linmu_status_name(linmu_status status) {
  switch (status) {
  case LINMU_OK:
    return "ok";
  case LINMU_INVALID_ARGUMENT:
    return "invalid argument";
  case LINMU_UNSUPPORTED:
    return "unsupported";
  case LINMU_CORRUPT_FILE:
    return "corrupt file";
  case LINMU_IO:
    return "input or output";
  case LINMU_INTERNAL:
    return "internal";
  default:
    return "unknown status";
  }
}

const char *linmu_last_error(void) { return last_error; }

linmu_status linmu_kernel_open_file(const char *path, linmu_kernel **kernel) {
  return open(kernel, "path", path, [&] { return deserialize(readPackageFile(path), path); });
}

linmu_status linmu_kernel_open_memory(const void *bytes, size_t size, linmu_kernel **kernel) {
  return open(kernel, "bytes", bytes, [&] {
    return deserialize({static_cast<const std::byte *>(bytes), size}, "the package in memory");
  });
}

void linmu_kernel_close(linmu_kernel *kernel) { delete kernel; }

const char *linmu_kernel_name(const linmu_kernel *kernel) {
  return kernel ? kernel->kernel.signature().name.c_str() : nullptr;
}

const char *linmu_kernel_target(const linmu_kernel *kernel) {
  return kernel ? kernel->kernel.package().target.c_str() : nullptr;
}

int32_t linmu_kernel_device_type(const linmu_kernel *kernel) {
  return !kernel ? 0 : kernel->kernel.deviceKind() == Device::cuda ? dlpack_cuda : dlpack_cpu;
}

size_t linmu_kernel_input_count(const linmu_kernel *kernel) {
  return kernel ? kernel->kernel.signature().inputs.size() : 0;
}

size_t linmu_kernel_result_count(const linmu_kernel *kernel) {
  return kernel ? kernel->kernel.signature().results.size() : 0;
}

linmu_status linmu_kernel_input(const linmu_kernel *kernel, size_t index, linmu_operand *operand) {
  return describe(kernel, true, index, operand);
}

linmu_status linmu_kernel_result(const linmu_kernel *kernel, size_t index, linmu_operand *operand) {
  return describe(kernel, false, index, operand);
}

linmu_status linmu_kernel_result_shape(const linmu_kernel *kernel, const DLTensor *const *inputs,
                                       size_t input_count, size_t index, int64_t *shape) {
  return guarded([&] {
    const Signature &signature = signatureOf(kernel);
    require(shape, "shape");
    const OperandSpec &spec = operandOf(signature, false, index);
    std::vector<TensorView> views = viewsOf(signature, true, inputs, input_count);
    Symbols symbols = checkOperands({signature.name, signature.inputs, {}}, views, {});
    std::vector<std::int64_t> extents = shapeOf(spec, symbols);
    for (std::size_t axis = 0; axis < extents.size(); ++axis) {
      const Extent::Kind kind = spec.shape[axis].kind;
      shape[axis] = kind == Extent::constant || isKnown(signature, kind) ? extents[axis] : -1;
    }
  });
}

linmu_status linmu_kernel_algorithm(const linmu_kernel *kernel, int64_t tokens, int64_t batch,
                                    const char **algorithm) {
  return guarded([&] {
    signatureOf(kernel);
    require(algorithm, "algorithm");
    *algorithm = kernel->kernel.algorithm(tokens, batch).c_str();
  });
}

linmu_status linmu_kernel_workspace_bytes(const linmu_kernel *kernel, int64_t tokens, int64_t batch,
                                          int64_t media_items, int64_t *bytes) {
  return guarded([&] {
    signatureOf(kernel);
    require(bytes, "bytes");
    *bytes = kernel->kernel.workspaceBytes(tokens, batch, media_items);
  });
}

linmu_status linmu_kernel_launch(const linmu_kernel *kernel, const DLTensor *const *inputs,
                                 size_t input_count, DLTensor *const *results, size_t result_count,
                                 const linmu_launch_options *options) {
  return guarded([&] {
    const Signature &signature = signatureOf(kernel);
    LaunchOptions launch;
    if (options) {
      requireStruct(options, options->struct_size, sizeof(linmu_launch_options), "linmu_launch_options");
      launch.threads = options->threads;
      launch.stream = options->stream;
      launch.workspace = options->workspace;
      launch.workspace_bytes = options->workspace_bytes;
    }
    std::vector<TensorView> in = viewsOf(signature, true, inputs, input_count);
    std::vector<TensorView> out = viewsOf(signature, false, results, result_count);
    kernel->kernel(in, out, launch);
  });
}
