// Walks in parts as machine code, by each algorithm, against the whole in fp64.
#include "compiler/api/compiler_api.h"
#include "runtime/core/kernel.h"
#include "tests/unit/cut_walk.h"
#include <cstring>

namespace linmu::test::cuts {
namespace {

// f32 arithmetic over tens of tokens of size one.
constexpr double tolerance = 2e-5;
// Two chunks of 16, the second ragged; three of 8.
constexpr int tokens = 21;

/// Memory of an operand or a result in its storage type.
class Buffer {
public:
  Buffer(DType dtype, std::vector<std::int64_t> shape) : tensor_{dtype, std::move(shape), {}} {
    std::int64_t count = 1;
    for (std::int64_t extent : tensor_.shape)
      count *= extent;
    // What is not written stays not a number.
    words_.assign(std::size_t(count), -1);
  }
  explicit Buffer(const HostTensor &tensor) : Buffer(tensor.dtype, tensor.shape) {
    for (std::size_t i = 0; i < words_.size(); ++i)
      if (tensor.dtype == DType::f32) {
        float value = float(tensor.elements[i]);
        std::memcpy(&words_[i], &value, sizeof value);
      } else if (tensor.dtype == DType::i32) {
        words_[i] = std::int32_t(tensor.elements[i]);
      } else {
        reinterpret_cast<std::uint8_t *>(words_.data())[i] = tensor.elements[i] != 0;
      }
  }
  TensorView view() {
    TensorView view{words_.data(), tensor_.dtype, int(tensor_.shape.size()), {}, {}};
    std::int64_t stride = 1;
    for (int axis = view.rank - 1; axis >= 0; --axis) {
      view.sizes[axis] = tensor_.shape[axis];
      view.strides[axis] = stride;
      stride *= view.sizes[axis];
    }
    return view;
  }
  HostTensor read() const {
    HostTensor tensor = tensor_;
    for (std::int32_t word : words_) {
      float value;
      std::memcpy(&value, &word, sizeof value);
      tensor.elements.push_back(tensor.dtype == DType::f32 ? value : word);
    }
    return tensor;
  }

private:
  HostTensor tensor_;
  std::vector<std::int32_t> words_;
};

Kernel compileFor(const std::string &text, const std::map<std::string, std::string> &schedule) {
  compiler::Options options;
  options.schedule = schedule;
  compiler::Bytes package = compiler::compile(text, options);
  if (package.ok)
    return Kernel::open(deserialize(package.bytes, "kernel"));
  throw std::runtime_error(package.diagnostics + text);
}

/// One call; states and tails lie in the memory of those before, where they may.
std::vector<HostTensor> launch(const Kernel &kernel, const std::vector<HostTensor> &inputs, int length) {
  std::vector<Buffer> buffers(inputs.begin(), inputs.end());
  std::vector<TensorView> inputViews, resultViews;
  for (Buffer &buffer : buffers)
    inputViews.push_back(buffer.view());
  std::size_t results = kernel.signature().results.size();
  buffers.reserve(inputs.size() + results);
  std::vector<std::size_t> places;
  for (const OperandSpec &spec : kernel.signature().results) {
    places.push_back(spec.in_place_of);
    if (spec.in_place_of == OperandSpec::none) {
      std::vector<std::int64_t> shape;
      for (const Extent &extent : spec.shape)
        shape.push_back(extent.kind == Extent::batch    ? batch
                        : extent.kind == Extent::tokens ? length
                                                        : extent.value);
      places.back() = buffers.size();
      buffers.emplace_back(spec.dtype, shape);
    }
    resultViews.push_back(buffers[places.back()].view());
  }
  kernel(inputViews, resultViews, {1});
  std::vector<HostTensor> values;
  for (std::size_t place : places)
    values.push_back(buffers[place].read());
  return values;
}

/// Without the keys that have no effect on maps, which are refused there.
std::map<std::string, std::string> forMaps(std::map<std::string, std::string> schedule) {
  schedule.erase("chunk");
  if (schedule.contains("algorithm") && schedule["algorithm"] != "recurrent")
    schedule.erase("algorithm");
  return schedule;
}

/// Compiles each combination once and runs it at every cut.
void check(const std::vector<Combination> &all, const std::map<std::string, std::string> &schedule) {
  unsigned seed = 0;
  for (const Combination &with : all) {
    Kernel kernel = compileFor(textOf(with), with.map ? forMaps(schedule) : schedule);
    Operands operands = operandsOf(with, tokens, ++seed);
    auto run = [&](const std::vector<HostTensor> &inputs) {
      return launch(kernel, inputs, int(inputs[0].shape[1]));
    };
    std::vector<Cuts> every = cutsOf(tokens);
    every.push_back({});
    for (const Cuts &cuts : every) {
      Operands wanted = expected(with, operands, cuts), actual = inParts(with, operands, cuts, run);
      for (const std::string &name : resultsOf(with))
        EXPECT_LT(worstDifference(actual[name], wanted[name]), tolerance)
            << name << " of " << with.name() << ", cut at " << testing::PrintToString(cuts);
    }
  }
}

/// Parts of a few tokens by the recurrent algorithm, the others in chunks.
const std::map<std::string, std::string> mixed{{"recurrent_below", "4"}, {"chunk", "16"}};
const std::map<std::string, std::string> recurrent{{"algorithm", "recurrent"}};
const std::map<std::string, std::string> segmented{
    {"algorithm", "segmented"}, {"chunk", "8"}, {"segments", "3"}};
const std::map<std::string, std::string> chunked{{"algorithm", "chunked"}, {"chunk", "16"}};

std::vector<Combination> scansOf(std::vector<Combination> all) {
  std::erase_if(all, [](const Combination &with) { return with.map; });
  return all;
}

class CutKernels : public testing::TestWithParam<int> {
protected:
  std::vector<Combination> covering() const { return partOf(coveringCombinations(), GetParam()); }
  std::vector<Combination> all() const { return partOf(allCombinations(), GetParam()); }
};

TEST_P(CutKernels, WalksInPartsEqualTheWholeWithBothAlgorithms) { check(covering(), mixed); }
TEST_P(CutKernels, WalksInPartsEqualTheWholeRecurrent) { check(covering(), recurrent); }
TEST_P(CutKernels, WalksInPartsEqualTheWholeInSegments) { check(scansOf(covering()), segmented); }
// Each compiles 2304 patterns.
TEST_P(CutKernels, DISABLED_WalksInPartsEqualTheWholeRecurrentForAllCombinations) { check(all(), recurrent); }
TEST_P(CutKernels, DISABLED_WalksInPartsEqualTheWholeInChunksForAllCombinations) { check(all(), chunked); }
INSTANTIATE_TEST_SUITE_P(Loops, CutKernels, testing::Range(0, 8));

TEST(CutCombinations, CoverEveryThreeClauses) {
  // Lags and segments have the most values: 12 and 3, beside a third clause of 2.
  EXPECT_GE(coveringCombinations().size(), 12u * 3 * 2);
  EXPECT_LE(coveringCombinations().size(), 150u);
}

} // namespace
} // namespace linmu::test::cuts
