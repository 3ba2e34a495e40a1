#include "runtime/core/package_validate.h"
#include "runtime/core/cuda/architecture.h"
#include "runtime/core/cuda/arguments.h"
#include "runtime/core/error.h"
#include "runtime/core/tensor_view.h"
#include <algorithm>
#include <cstdint>
#include <map>
#include <set>

namespace linmu {

namespace {

constexpr std::int64_t largest_extent = std::int64_t(1) << 40;
constexpr std::int64_t largest_workspace = std::int64_t(1) << 32;
constexpr std::int32_t most_threads = 1024;                           // of a CUDA block
constexpr std::int64_t largest_shared_memory = std::int64_t(1) << 20; // more than any architecture has
constexpr std::size_t largest_arguments = 32764;                      // bytes that a CUDA kernel can take

class Validator {
public:
  Validator(const Package &package, const std::string &origin) : package_(package), origin_(origin) {}

  void run() const {
    for (const OperandSpec &operand : package_.signature.inputs)
      shape("input '" + operand.name + "'", operand.dtype, operand.shape);
    for (const OperandSpec &operand : package_.signature.results)
      shape("result '" + operand.name + "'", operand.dtype, operand.shape);
    for (const OperandSpec &operand : package_.signature.inputs)
      content(operand);
    for (std::uint32_t i = 0; i < package_.signature.results.size(); ++i)
      if (package_.signature.results[i].in_place_of != OperandSpec::none)
        inPlace(i);
    for (std::size_t i = 0; i < package_.expressions.size(); ++i)
      if (!package_.expressions[i].isValid())
        fail("expression " + std::to_string(i) + " does not make one value");
    for (std::size_t i = 0; i < package_.temporaries.size(); ++i) {
      const Temporary &temporary = package_.temporaries[i];
      const std::string what = "temporary " + std::to_string(i);
      element(what, temporary.dtype, temporary.shape.size());
      expressions(what, temporary.shape);
    }
    conditions();
    for (const Variant &variant : package_.variants)
      for (const Launch &item : variant.launches)
        launch(item);
    isForCuda() ? codeForCuda() : codeForCpu();
  }

private:
  [[noreturn]] void fail(const std::string &what) const {
    throw Error(ErrorCode::corruptFile, origin_ + ": " + what);
  }

  void element(const std::string &what, DType dtype, std::size_t rank) const {
    if (dtype > DType::i1)
      fail(what + " has the unknown element type " + std::to_string(int(dtype)));
    if (rank > std::size_t(TensorView::maxRank))
      fail(what + " has rank " + std::to_string(rank) + ", the most is " +
           std::to_string(TensorView::maxRank));
  }

  void expressions(const std::string &what, const std::vector<ExpressionId> &ids) const {
    for (ExpressionId id : ids)
      if (id >= package_.expressions.size())
        fail(what + " uses expression " + std::to_string(id) + " of " +
             std::to_string(package_.expressions.size()));
  }

  void shape(const std::string &what, DType dtype, const std::vector<Extent> &extents) const {
    element(what, dtype, extents.size());
    for (const Extent &extent : extents) {
      if (extent.kind > Extent::sequences)
        fail(what + " has an extent of the unknown kind " + std::to_string(int(extent.kind)));
      if (extent.value < 0 || extent.value > largest_extent)
        fail(what + " has the impossible extent " + std::to_string(extent.value));
    }
  }

  void content(const OperandSpec &operand) const {
    bool fits = true;
    if (operand.content == OperandSpec::tokenOrder)
      fits = operand.shape == std::vector<Extent>{{Extent::batch, 0}, {Extent::tokens, 0}} ||
             operand.shape == std::vector<Extent>{{Extent::constant, 1}, {Extent::tokens, 0}};
    else if (operand.content == OperandSpec::mediaTable)
      fits = operand.shape == std::vector<Extent>{{Extent::mediaItems, 0}, {Extent::constant, 4}};
    else if (operand.content == OperandSpec::sequenceTable)
      fits = operand.shape == std::vector<Extent>{{Extent::sequences, 1}};
    else if (operand.content != OperandSpec::values)
      fail("input '" + operand.name + "' has content of the unknown kind " + std::to_string(operand.content));
    if (!fits || (operand.content != OperandSpec::values && operand.dtype != DType::i32))
      fail("input '" + operand.name + "' has not the type of its content, " +
           (operand.content == OperandSpec::tokenOrder   ? "a token order"
            : operand.content == OperandSpec::mediaTable ? "a media table"
                                                         : "a table of sequences"));
  }

  /// What a result replaces is of its type, and nothing reads it after the launch that writes the result.
  void inPlace(std::uint32_t index) const {
    const Signature &signature = package_.signature;
    const OperandSpec &result = signature.results[index];
    const std::string what = "result '" + result.name + "' in place of input ";
    if (result.in_place_of >= signature.inputs.size())
      fail(what + std::to_string(result.in_place_of) + " of " + std::to_string(signature.inputs.size()));
    const OperandSpec &input = signature.inputs[result.in_place_of];
    if (input.dtype != result.dtype || input.shape != result.shape)
      fail(what + "'" + input.name + "' has another type");
    for (const Variant &variant : package_.variants) {
      bool written = false;
      for (const Launch &launch : variant.launches) {
        auto uses = [&](Binding::Kind kind, std::uint32_t wanted) {
          return std::any_of(launch.operands.begin(), launch.operands.end(), [&](const Binding &binding) {
            return binding.kind == kind && binding.index == wanted;
          });
        };
        if (written && uses(Binding::input, result.in_place_of))
          fail(what + "'" + input.name + "', which kernel '" + launch.kernel + "' reads later");
        written = written || uses(Binding::result, index);
      }
    }
  }

  /// One variant, the last, runs in any case.
  void conditions() const {
    const std::vector<Variant> &variants = package_.variants;
    if (variants.empty() || variants.back().condition != Variant::always)
      fail("no variant runs in any case");
    for (std::size_t i = 0; i + 1 < variants.size(); ++i) {
      if (variants[i].condition == Variant::always)
        fail("variant '" + variants[i + 1].algorithm + "' can never run, '" + variants[i].algorithm +
             "' before it has no condition");
      expressions("variant '" + variants[i].algorithm + "'", {variants[i].condition});
    }
  }

  bool isForCuda() const { return package_.target == "cuda"; }

  void codeForCpu() const {
    const std::vector<PackageImage> &images = package_.images;
    if (images.size() > 1 || !package_.sources.empty() || !package_.prelude.empty() ||
        (!images.empty() && (!images[0].architecture.empty() || !images[0].kernel.empty())))
      fail("code for '" + package_.target + "' must be one image without a source");
  }

  using Kernels = std::set<std::string>;

  /// `held` says of which kernels there is `what`: of exactly those that launches name.
  void kernels(const Kernels &held, const std::string &what) const {
    Kernels launched;
    for (const Variant &variant : package_.variants)
      for (const Launch &launch : variant.launches)
        launched.insert(launch.kernel);
    for (const std::string &kernel : launched)
      if (!held.contains(kernel))
        fail("a launch names kernel '" + kernel + "', of which there is no " + what);
    for (const std::string &kernel : held)
      if (!launched.contains(kernel))
        fail("no launch names kernel '" + kernel + "', of which there is " + what);
  }

  void codeForCuda() const {
    if (package_.images.empty() == package_.sources.empty())
      fail("code for CUDA must be either images or sources to make them from");
    package_.sources.empty() ? images() : sources();
  }

  void images() const {
    if (!package_.prelude.empty())
      fail("there is a prelude and no source for it to stand before");
    std::map<std::string, Kernels> held; // by architecture
    for (std::size_t i = 0; i < package_.images.size(); ++i) {
      const auto &[architecture, kernel, code] = package_.images[i];
      if (!cuda::Architecture::parse(architecture))
        fail("image " + std::to_string(i) + " is for the unknown architecture '" + architecture + "'");
      if (code.empty())
        fail("the image of kernel '" + kernel + "' for " + architecture + " is empty");
      if (!held[architecture].insert(kernel).second)
        fail("two images are of kernel '" + kernel + "' for " + architecture);
    }
    for (const auto &[architecture, of_architecture] : held)
      kernels(of_architecture, "code for " + architecture);
  }

  void sources() const {
    Kernels held;
    bool has_zero = package_.prelude.find('\0') != std::string::npos;
    for (const KernelSource &source : package_.sources) {
      if (!held.insert(source.kernel).second)
        fail("two sources are of kernel '" + source.kernel + "'");
      has_zero = has_zero || source.text.find('\0') != std::string::npos;
    }
    if (has_zero)
      fail("the CUDA source holds a zero byte");
    kernels(held, "CUDA source");
  }

  void launchOnCpu(const std::string &what, const Launch &launch) const {
    std::size_t code = package_.images.empty() ? 0 : package_.images[0].code.size();
    if (launch.entry >= code)
      fail(what + " enters the image at byte " + std::to_string(launch.entry) + " of " +
           std::to_string(code));
    if (launch.threads != 0 || launch.shared_bytes != 0)
      fail(what + " has threads or shared memory of a CUDA block, and runs on the CPU");
  }

  void launchOnCuda(const std::string &what, const Launch &launch) const {
    if (launch.kernel.empty() || launch.kernel.find('\0') != std::string::npos)
      fail(what + " has no symbol");
    if (launch.entry != 0 || launch.workspace_bytes != 0)
      fail(what + " has an entry or a workspace of the CPU, and runs on CUDA");
    if (launch.threads < 1 || launch.threads > most_threads)
      fail(what + " has blocks of " + std::to_string(launch.threads) + " threads, expected 1 to " +
           std::to_string(most_threads));
    if (launch.shared_bytes < 0 || launch.shared_bytes > largest_shared_memory)
      fail(what + " has an impossible shared memory of " + std::to_string(launch.shared_bytes) + " bytes");
    if (std::size_t bytes = 8 * cuda::argumentWords(package_, launch); bytes > largest_arguments)
      fail(what + " takes " + std::to_string(bytes) + " bytes of arguments, the most is " +
           std::to_string(largest_arguments));
  }

  void launch(const Launch &launch) const {
    const std::string what = "kernel '" + launch.kernel + "'";
    if (!isForCuda())
      launchOnCpu(what, launch);
    if (launch.grid.empty() || launch.grid.size() > 3)
      fail(what + " has a grid of " + std::to_string(launch.grid.size()) + " dimensions");
    expressions(what, launch.grid);
    if (launch.workspace_bytes < 0 || launch.workspace_bytes > largest_workspace)
      fail(what + " has an impossible workspace of " + std::to_string(launch.workspace_bytes) + " bytes");
    if (launch.blocks_together < 1 || launch.blocks_together > largest_extent)
      fail(what + " runs " + std::to_string(launch.blocks_together) + " blocks together");
    for (const Binding &binding : launch.operands) {
      if (binding.kind > Binding::expression)
        fail(what + " has an operand of the unknown kind " + std::to_string(int(binding.kind)));
      std::size_t count = binding.kind == Binding::input       ? package_.signature.inputs.size()
                          : binding.kind == Binding::result    ? package_.signature.results.size()
                          : binding.kind == Binding::temporary ? package_.temporaries.size()
                                                               : package_.expressions.size();
      if (binding.index >= count)
        fail(what + " uses operand " + std::to_string(binding.index) + " of " + std::to_string(count));
    }
    if (isForCuda())
      launchOnCuda(what, launch);
  }

  const Package &package_;
  const std::string &origin_;
};

} // namespace

void validate(const Package &package, const std::string &origin) { Validator(package, origin).run(); }

} // namespace linmu
