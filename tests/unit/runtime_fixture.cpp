#include "tests/unit/runtime_fixture.h"
#include "runtime/core/cpu_features.h"
#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <unistd.h>

namespace linmu::test {

std::vector<std::byte> image(const std::string &kernel) {
  std::ifstream file(std::string(LINMU_TEST_KERNELS) + "/kernel_" + kernel + ".bin", std::ios::binary);
  std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  EXPECT_FALSE(bytes.empty()) << kernel;
  auto *begin = reinterpret_cast<const std::byte *>(bytes.data());
  return {begin, begin + bytes.size()};
}

std::string hostTarget() { return "cpu:" + std::string(architecture()) + "-unknown-linux-gnu:test"; }

static OperandSpec operand(const std::string &name, std::int64_t heads, std::int64_t features) {
  return {name,
          DType::f32,
          {{Extent::batch, 0}, {Extent::tokens, 0}, {Extent::constant, heads}, {Extent::constant, features}}};
}

Package addPackage() {
  Package package;
  package.key = "00c0ffee";
  package.target = hostTarget();
  package.signature = {"sum2", {operand("x", 3, 4), operand("y", 3, 4)}, {operand("o", 3, 4)}};
  package.images = {{"", "", image("add")}};
  Launch launch;
  launch.kernel = "add";
  package.expressions = {Expression::of(Expression::Term::tokens), Expression::of(Expression::Term::batch)};
  launch.grid = {0, 1};
  launch.operands = {{Binding::input, 0}, {Binding::input, 1}, {Binding::result, 0}};
  package.variants = {{Variant::always, "rows", {launch}}};
  return package;
}

Package totalPackage() {
  Package package;
  package.key = "70741";
  package.target = hostTarget();
  OperandSpec total = operand("o", 1, 1);
  total.shape[1] = {Extent::constant, 1};
  package.signature = {"total", {operand("x", 1, 1)}, {total}};
  using Term = Expression::Term;
  enum : ExpressionId { one, batch, parts_of_four, fewer_than_eight };
  package.expressions = {Expression::of(1),
                         Expression::of(Term::batch),
                         {{{Term::tokens}, {Term::constant, 4}, {Term::ceilDivide}}},
                         {{{Term::tokens}, {Term::constant, 8}, {Term::less}}}};
  package.temporaries = {{DType::i1, {one}}, {DType::f32, {batch, parts_of_four, one, one}}};
  std::vector<std::byte> code = image("sum_part");
  std::uint64_t second = (code.size() + 15) / 16 * 16;
  code.resize(second);
  std::vector<std::byte> whole = image("sum_whole");
  code.insert(code.end(), whole.begin(), whole.end());
  package.images = {{"", "", std::move(code)}};
  Launch parts{"sum_part", 0, {parts_of_four, batch}, 0, {{Binding::input, 0}, {Binding::temporary, 1}}};
  Launch sum{"sum_whole", second, {batch}, 0, {{Binding::temporary, 1}, {Binding::result, 0}}};
  package.variants = {{fewer_than_eight, "also two", {parts, sum}},
                      {Variant::always, "two launches", {parts, sum}}};
  return package;
}

PackageImage fakeImage(const std::string &architecture, const std::string &kernel, const std::string &names) {
  const std::string &code = names.empty() ? kernel : names;
  auto bytes = std::as_bytes(std::span(code.c_str(), code.size() + 1));
  return {architecture, kernel, {bytes.begin(), bytes.end()}};
}

static Package forCuda(Package package) {
  package.target = "cuda";
  package.images.clear();
  for (const Launch &launch : package.variants.back().launches)
    package.images.push_back(fakeImage("sm_90a", launch.kernel));
  for (Variant &variant : package.variants)
    for (Launch &launch : variant.launches) {
      launch.entry = 0;
      launch.threads = 128;
    }
  return package;
}

Package cudaAddPackage() { return forCuda(addPackage()); }

Package cudaTotalPackage() { return forCuda(totalPackage()); }

Package withoutImages(Package package, const std::string &text) {
  package.prelude = "// " + package.signature.name + "\n";
  for (const PackageImage &image : package.images)
    package.sources.push_back({image.kernel, text});
  package.images.clear();
  return package;
}

Package resultOnlyPackage(const std::string &kernel, std::int64_t workspace_bytes) {
  Package package;
  package.key = "1";
  package.target = hostTarget();
  package.signature = {kernel, {}, {operand("o", 1, 1)}};
  package.images = {{"", "", image(kernel)}};
  package.expressions = {Expression::of(Expression::Term::tokens)};
  package.variants = {{Variant::always, kernel, {{kernel, 0, {0}, workspace_bytes, {{Binding::result, 0}}}}}};
  return package;
}

TensorView view(float *data, std::initializer_list<std::int64_t> sizes) {
  TensorView result;
  result.data = data;
  result.rank = int(sizes.size());
  std::copy(sizes.begin(), sizes.end(), result.sizes.begin());
  std::int64_t stride = 1;
  for (int axis = result.rank - 1; axis >= 0; --axis) {
    result.strides[axis] = stride;
    stride *= result.sizes[axis];
  }
  return result;
}

Error errorOf(const std::function<void()> &body) {
  try {
    body();
  } catch (const Error &error) {
    return error;
  }
  ADD_FAILURE() << "no error was thrown";
  return Error(ErrorCode::internal, "no error was thrown");
}

AddressSpaceLimit::AddressSpaceLimit(std::size_t more) {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  getrlimit(RLIMIT_AS, &before_);
  rlimit tight = before_;
  tight.rlim_cur = std::min<rlim_t>(before_.rlim_max, pages * sysconf(_SC_PAGESIZE) + more);
  setrlimit(RLIMIT_AS, &tight);
}

} // namespace linmu::test
