// What a launch says about tensors that do not fit.
#include "runtime/core/kernel.h"
#include "tests/unit/runtime_fixture.h"
#include <array>
#include <gtest/gtest.h>

using namespace linmu;
using namespace linmu::test;

namespace {

class Operands : public testing::Test {
protected:
  std::string message() {
    Error error = errorOf([&] { kernel(inputs, results); });
    EXPECT_EQ(error.code(), ErrorCode::invalidArgument);
    EXPECT_EQ(o, (std::array<float, 24>{})) << "something was written before the error";
    return error.what();
  }

  std::array<float, 24> x{}, y{}, o{};
  Kernel kernel = Kernel::open(addPackage());
  std::vector<TensorView> inputs{view(x.data(), {1, 2, 3, 4}), view(y.data(), {1, 2, 3, 4})};
  std::vector<TensorView> results{view(o.data(), {1, 2, 3, 4})};
};

TEST_F(Operands, CountsAreNamed) {
  inputs.pop_back();
  EXPECT_EQ(message(), "pattern 'sum2': expected 2 inputs, got 1");
  inputs.push_back(view(y.data(), {1, 2, 3, 4}));
  results.clear();
  EXPECT_EQ(message(), "pattern 'sum2': expected 1 results, got 0");
}

TEST_F(Operands, AConstantExtentIsNamed) {
  inputs[1] = view(y.data(), {1, 2, 4, 3});
  EXPECT_EQ(message(), "operand 'y' of pattern 'sum2': expected shape [B=1, N=2, 3, 4], got [1, 2, 4, 3]");
}

TEST_F(Operands, ARankIsNamed) {
  inputs[0] = view(x.data(), {2, 3, 4});
  EXPECT_EQ(message(), "operand 'x' of pattern 'sum2': expected shape [B, N, 3, 4], got [2, 3, 4]");
}

TEST_F(Operands, TokensThatDisagreeAreNamed) {
  inputs[1] = view(y.data(), {1, 1, 3, 4});
  EXPECT_EQ(message(), "operand 'y' of pattern 'sum2': expected shape [B=1, N=2, 3, 4], got [1, 1, 3, 4]");
}

TEST_F(Operands, BatchesThatDisagreeAreNamed) {
  inputs = {view(x.data(), {2, 1, 3, 4}), view(y.data(), {3, 1, 3, 4})};
  EXPECT_EQ(message(), "operand 'y' of pattern 'sum2': expected shape [B=2, N=1, 3, 4], got [3, 1, 3, 4]");
}

TEST_F(Operands, AResultDoesNotBroadcast) {
  inputs[0] = view(x.data(), {2, 1, 3, 4});
  inputs[1] = view(y.data(), {1, 1, 3, 4});
  results[0] = view(o.data(), {1, 1, 3, 4});
  EXPECT_EQ(message(), "result 'o' of pattern 'sum2': expected shape [B=2, N=1, 3, 4], got [1, 1, 3, 4]");
}

TEST_F(Operands, AResultDoesNotWidenTheBatch) {
  inputs = {view(x.data(), {1, 1, 3, 4}), view(y.data(), {1, 1, 3, 4})};
  results[0] = view(o.data(), {2, 1, 3, 4});
  EXPECT_EQ(message(), "result 'o' of pattern 'sum2': expected shape [B=1, N=1, 3, 4], got [2, 1, 3, 4]");
}

TEST_F(Operands, ADtypeIsNamed) {
  inputs[1].dtype = DType::bf16;
  EXPECT_EQ(message(), "operand 'y' of pattern 'sum2': expected dtype f32, got bf16");
}

TEST_F(Operands, AStrideIsNamed) {
  inputs[0].strides[3] = 2;
  EXPECT_EQ(message(), "operand 'x' of pattern 'sum2': expected stride 1 along the last dimension, got 2");
}

TEST_F(Operands, AResultWhoseElementsCoincideIsNamed) {
  results[0].strides[2] = 0;
  EXPECT_EQ(message(),
            "result 'o' of pattern 'sum2': expected a stride other than 0 along dimension 2, got 0");
}

TEST_F(Operands, ANullPointerIsNamed) {
  inputs[0].data = nullptr;
  EXPECT_EQ(message(), "operand 'x' of pattern 'sum2': expected data, got a null pointer");
}

TEST_F(Operands, MisalignedDataIsNamed) {
  inputs[0].data = reinterpret_cast<char *>(x.data()) + 2;
  EXPECT_EQ(message(),
            "operand 'x' of pattern 'sum2': expected data aligned to 4 bytes, got an address that is 2 "
            "bytes past it");
}

TEST_F(Operands, ANegativeSizeIsNamed) {
  inputs[0].sizes[1] = -1;
  EXPECT_EQ(message(), "operand 'x' of pattern 'sum2': expected shape [B=1, N=-1, 3, 4], got [1, -1, 3, 4]");
}

} // namespace
