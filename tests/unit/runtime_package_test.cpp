#include "runtime/core/byte_stream.h"
#include "runtime/core/package.h"
#include "tests/unit/runtime_fixture.h"
#include <gtest/gtest.h>

using namespace linmu;
using namespace linmu::test;
using namespace std::string_literals;

namespace {

/// Puts the right checksum over altered fields, so that the checks behind it are reached.
std::vector<std::byte> resealed(std::vector<std::byte> bytes) {
  std::uint64_t sum = checksum(std::span(bytes).subspan(20));
  std::memcpy(bytes.data() + 12, &sum, sizeof sum);
  return bytes;
}

std::string messageFor(const Package &package) {
  Error error = errorOf([&] { deserialize(serialize(package), "file.lmk"); });
  EXPECT_EQ(error.code(), ErrorCode::corruptFile);
  return error.what();
}

TEST(Package, RoundTripKeepsEveryField) {
  Package uncompiled = withoutImages(cudaTotalPackage(), "extern \"C\" __global__ void sum_part() {}");
  Package several = cudaTotalPackage();
  several.images.push_back({"sm_80", "sum_part", {std::byte(1), std::byte(2)}});
  several.images.push_back({"sm_80", "sum_whole", {std::byte(3)}});
  several.variants[1].launches[1].shared_bytes = 200 << 10;
  for (Package package : {addPackage(), totalPackage(), uncompiled, several}) {
    package.cpu_features = {"avx2", "fma"};
    std::vector<std::byte> bytes = serialize(package);
    Package back = deserialize(bytes, "file.lmk");
    EXPECT_EQ(back.signature, package.signature);
    EXPECT_EQ(back.cpu_features, package.cpu_features);
    EXPECT_EQ(back.images, package.images);
    EXPECT_EQ(back.sources, package.sources);
    EXPECT_EQ(back.prelude, package.prelude);
    EXPECT_EQ(back.variants.back().launches.back().threads, package.variants.back().launches.back().threads);
    EXPECT_EQ(back.variants.back().launches.back().shared_bytes,
              package.variants.back().launches.back().shared_bytes);
    EXPECT_EQ(serialize(back), bytes);
  }
}

TEST(Package, EveryTruncationIsRefused) {
  std::vector<std::byte> bytes = serialize(totalPackage());
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    Error error = errorOf([&] { deserialize(std::span(bytes).first(length), "file.lmk"); });
    ASSERT_EQ(error.code(), ErrorCode::corruptFile) << length;
  }
}

TEST(Package, EveryFlippedByteIsRefused) {
  std::vector<std::byte> bytes = serialize(totalPackage());
  for (std::size_t at = 0; at < bytes.size(); ++at)
    for (int bit : {0, 3, 7}) {
      bytes[at] ^= std::byte(1 << bit);
      ASSERT_EQ(errorOf([&] { deserialize(bytes, "file.lmk"); }).code(), ErrorCode::corruptFile) << at;
      bytes[at] ^= std::byte(1 << bit);
    }
}

TEST(Package, LiesUnderARightChecksumAreRefusedOrHarmlessAndNeverAllocateTheirClaims) {
  std::vector<std::byte> original = serialize(totalPackage());
  AddressSpaceLimit limit(std::size_t(8)
                          << 30); // a claimed count of 2^56 items would be refused by the system
  for (std::size_t at = 20; at < original.size(); ++at)
    for (std::uint8_t value : {0x00, 0x01, 0x7f, 0xff}) {
      std::vector<std::byte> bytes = original;
      bytes[at] = std::byte(value);
      try {
        deserialize(resealed(bytes), "file.lmk");
      } catch (const Error &error) {
        ASSERT_EQ(error.code(), ErrorCode::corruptFile) << error.what();
      }
    }
  for (std::size_t length = 20; length < original.size(); ++length) {
    std::vector<std::byte> bytes(original.begin(), original.begin() + length);
    ASSERT_EQ(errorOf([&] { deserialize(resealed(bytes), "file.lmk"); }).code(), ErrorCode::corruptFile)
        << length;
  }
}

TEST(Package, AnotherFormatIsNamed) {
  std::vector<std::byte> bytes = serialize(addPackage());
  bytes[8] = std::byte(99);
  EXPECT_STREQ(errorOf([&] { deserialize(bytes, "file.lmk"); }).what(),
               "file.lmk: is a package of format version 99, expected 7");
  bytes[0] = std::byte(0);
  EXPECT_STREQ(errorOf([&] { deserialize(bytes, "file.lmk"); }).what(), "file.lmk: is not a kernel package");
}

TEST(Package, DamageIsDescribed) {
  std::vector<std::byte> bytes = serialize(addPackage());
  const auto message = [](std::span<const std::byte> damaged) {
    return std::string(errorOf([&] { deserialize(damaged, "file.lmk"); }).what());
  };
  EXPECT_EQ(message(std::span(bytes).first(3)), "file.lmk: truncated: expected 8 more bytes, got 3");
  std::vector<std::byte> changed = bytes;
  changed.back() ^= std::byte(1);
  EXPECT_EQ(message(changed),
            "file.lmk: the checksum does not fit the content; the file is damaged or incomplete");
  changed = bytes;
  changed[26] = std::byte(1); // the length of the key, a field of 8 bytes, becomes 2^48 more
  EXPECT_EQ(message(resealed(changed)), "file.lmk: a count of 281474976710664 items does not fit the " +
                                            std::to_string(bytes.size() - 28) + " bytes that are left");
}

TEST(Package, UnknownKindsAreNamed) {
  Package package = addPackage();
  package.signature.inputs[0].dtype = DType(99);
  EXPECT_EQ(messageFor(package), "file.lmk: input 'x' has the unknown element type 99");
  package = addPackage();
  package.signature.results[0].shape[0].kind = Extent::Kind(9);
  EXPECT_EQ(messageFor(package), "file.lmk: result 'o' has an extent of the unknown kind 9");
  package = addPackage();
  package.signature.inputs[1].content = OperandSpec::Content(9);
  EXPECT_EQ(messageFor(package), "file.lmk: input 'y' has content of the unknown kind 9");
  package = addPackage();
  package.variants[0].launches[0].operands[0].kind = Binding::Kind(9);
  EXPECT_EQ(messageFor(package), "file.lmk: kernel 'add' has an operand of the unknown kind 9");
  package = totalPackage();
  package.temporaries[1].dtype = DType(99);
  EXPECT_EQ(messageFor(package), "file.lmk: temporary 1 has the unknown element type 99");
}

TEST(Package, TrailingBytesAreRefused) {
  std::vector<std::byte> bytes = serialize(addPackage());
  bytes.push_back(std::byte(0));
  EXPECT_STREQ(errorOf([&] { deserialize(resealed(bytes), "file.lmk"); }).what(),
               "file.lmk: 1 bytes follow the last field");
}

TEST(Package, AnEntryOutsideTheImageIsNamed) {
  Package package = addPackage();
  package.variants[0].launches[0].entry = package.images[0].code.size();
  std::string size = std::to_string(package.images[0].code.size());
  EXPECT_EQ(messageFor(package), "file.lmk: kernel 'add' enters the image at byte " + size + " of " + size);
}

TEST(Package, WhatACudaPackageCannotBeIsNamed) {
  const auto message = [](auto change) {
    Package package = cudaAddPackage();
    change(package, package.variants[0].launches[0]);
    return messageFor(package);
  };
  EXPECT_EQ(message([](Package &package, Launch &) { package.images.clear(); }),
            "file.lmk: code for CUDA must be either images or sources to make them from");
  EXPECT_EQ(message([](Package &package, Launch &) { package.sources = {{"add", "text"}}; }),
            "file.lmk: code for CUDA must be either images or sources to make them from");
  EXPECT_EQ(message([](Package &package, Launch &) { package.prelude = "text"; }),
            "file.lmk: there is a prelude and no source for it to stand before");
  for (const char *name : {"", "sm_", "sm_9", "sm_090", "sm_90b", "sm_9000", "compute_90", "sm_a"})
    EXPECT_EQ(message([&](Package &package, Launch &) { package.images[0].architecture = name; }),
              "file.lmk: image 0 is for the unknown architecture '" + std::string(name) + "'");
  EXPECT_EQ(message([](Package &package, Launch &) { package.images.push_back(package.images[0]); }),
            "file.lmk: two images are of kernel 'add' for sm_90a");
  EXPECT_EQ(message([](Package &package, Launch &) { package.images[0].code.clear(); }),
            "file.lmk: the image of kernel 'add' for sm_90a is empty");
  EXPECT_EQ(message([](Package &, Launch &launch) { launch.threads = 0; }),
            "file.lmk: kernel 'add' has blocks of 0 threads, expected 1 to 1024");
  EXPECT_EQ(message([](Package &, Launch &launch) { launch.threads = 1025; }),
            "file.lmk: kernel 'add' has blocks of 1025 threads, expected 1 to 1024");
  EXPECT_EQ(message([](Package &, Launch &launch) { launch.shared_bytes = -1; }),
            "file.lmk: kernel 'add' has an impossible shared memory of -1 bytes");
  EXPECT_EQ(message([](Package &, Launch &launch) { launch.kernel.clear(); }),
            "file.lmk: kernel '' has no symbol");
  EXPECT_EQ(message([](Package &, Launch &launch) { launch.entry = 16; }),
            "file.lmk: kernel 'add' has an entry or a workspace of the CPU, and runs on CUDA");
  EXPECT_EQ(message([](Package &, Launch &launch) { launch.operands.assign(455, {Binding::input, 0}); }),
            "file.lmk: kernel 'add' takes 32784 bytes of arguments, the most is 32764");
}

TEST(Package, EachArchitectureHasExactlyTheKernelsThatAreLaunched) {
  Package package = cudaTotalPackage();
  package.images.push_back(fakeImage("sm_80", "sum_part"));
  EXPECT_EQ(messageFor(package),
            "file.lmk: a launch names kernel 'sum_whole', of which there is no code for sm_80");
  package.images.push_back(fakeImage("sm_80", "sum_whole"));
  EXPECT_EQ(deserialize(serialize(package), "file.lmk").images.size(), 4u);
  package.images.push_back(fakeImage("sm_80", "add"));
  EXPECT_EQ(messageFor(package), "file.lmk: no launch names kernel 'add', of which there is code for sm_80");
}

TEST(Package, ThereIsOneSourceOfEachKernelThatIsLaunched) {
  const auto message = [](auto change) {
    Package package = withoutImages(cudaTotalPackage(), "text");
    change(package);
    return messageFor(package);
  };
  EXPECT_EQ(message([](Package &package) { package.sources.pop_back(); }),
            "file.lmk: a launch names kernel 'sum_whole', of which there is no CUDA source");
  EXPECT_EQ(message([](Package &package) { package.sources[1].kernel = "sum_part"; }),
            "file.lmk: two sources are of kernel 'sum_part'");
  EXPECT_EQ(message([](Package &package) { package.sources.push_back({"add", "text"}); }),
            "file.lmk: no launch names kernel 'add', of which there is CUDA source");
  for (const auto &[prelude, text] : {std::pair("a\0"s, "b"s), std::pair("a"s, "b\0"s)})
    EXPECT_EQ(message([&](Package &package) {
                package.prelude = prelude;
                package.sources[1].text = text;
              }),
              "file.lmk: the CUDA source holds a zero byte");
}

TEST(Package, WhatACpuPackageCannotBeIsNamed) {
  Package package = addPackage();
  package.images.push_back(package.images[0]);
  EXPECT_EQ(messageFor(package),
            "file.lmk: code for '" + hostTarget() + "' must be one image without a source");
  package = addPackage();
  package.images[0].kernel = "add";
  EXPECT_EQ(messageFor(package),
            "file.lmk: code for '" + hostTarget() + "' must be one image without a source");
  package = addPackage();
  package.variants[0].launches[0].threads = 128;
  EXPECT_EQ(messageFor(package),
            "file.lmk: kernel 'add' has threads or shared memory of a CUDA block, and runs on the CPU");
}

TEST(Package, AnOperandIndexOutOfRangeIsNamed) {
  Package package = addPackage();
  package.variants[0].launches[0].operands[1].index = 2;
  EXPECT_EQ(messageFor(package), "file.lmk: kernel 'add' uses operand 2 of 2");
}

TEST(Package, OneVariantTheLastRunsInAnyCase) {
  Package package = totalPackage();
  package.variants[0].condition = Variant::always;
  EXPECT_EQ(messageFor(package),
            "file.lmk: variant 'two launches' can never run, 'also two' before it has no "
            "condition");
  package = totalPackage();
  package.variants.pop_back();
  EXPECT_EQ(messageFor(package), "file.lmk: no variant runs in any case");
  package.variants.clear();
  EXPECT_EQ(messageFor(package), "file.lmk: no variant runs in any case");
}

TEST(Package, ExpressionsMakeOneValueAndAreThere) {
  using Term = Expression::Term;
  Package package = totalPackage();
  package.expressions[1] = {{{Term::batch}, {Term::add}}};
  EXPECT_EQ(messageFor(package), "file.lmk: expression 1 does not make one value");
  package.expressions[1] = {{{Term::batch}, {Term::tokens}}};
  EXPECT_EQ(messageFor(package), "file.lmk: expression 1 does not make one value");
  package.expressions[1] = {};
  EXPECT_EQ(messageFor(package), "file.lmk: expression 1 does not make one value");
  package.expressions[1] = Expression::of(-1);
  EXPECT_EQ(messageFor(package), "file.lmk: expression 1 does not make one value");
  package.expressions[1] = {{{Term::Kind(99)}}};
  EXPECT_EQ(messageFor(package), "file.lmk: expression 1 does not make one value");
  package = totalPackage();
  package.temporaries[0].shape[0] = 4;
  EXPECT_EQ(messageFor(package), "file.lmk: temporary 0 uses expression 4 of 4");
  package = totalPackage();
  package.variants[0].condition = 7;
  EXPECT_EQ(messageFor(package), "file.lmk: variant 'also two' uses expression 7 of 4");
  package = totalPackage();
  package.variants[1].launches[1].operands[0] = {Binding::expression, 4};
  EXPECT_EQ(messageFor(package), "file.lmk: kernel 'sum_whole' uses operand 4 of 4");
}

TEST(Expression, IsArithmeticOnWhatACallIsAbout) {
  using Term = Expression::Term;
  Symbols symbols{.batch = 3, .tokens = 100, .media_items = 2, .sequences = 5, .longest_sequence = 60};
  auto of = [&](std::int64_t a, Term::Kind kind, std::int64_t b) {
    return Expression{{{Term::constant, a}, {Term::constant, b}, {kind}}}.evaluate(symbols);
  };
  EXPECT_EQ(
      (Expression{{{Term::tokens}, {Term::constant, 64}, {Term::ceilDivide}, {Term::batch}, {Term::multiply}}}
           .evaluate(symbols)),
      6);
  EXPECT_EQ(Expression::of(Term::mediaItems).evaluate(symbols), 2);
  EXPECT_EQ(Expression::of(Term::sequences).evaluate(symbols), 5);
  EXPECT_EQ(Expression::of(Term::longestSequence).evaluate(symbols), 60);
  EXPECT_EQ(of(7, Term::subtract, 5), 2);
  EXPECT_EQ(of(5, Term::subtract, 7), 0);
  EXPECT_EQ(of(7, Term::divide, 2), 3);
  EXPECT_EQ(of(7, Term::divide, 0), 0);
  EXPECT_EQ(of(7, Term::remainder, 4), 3);
  EXPECT_EQ(of(7, Term::minimum, 4), 4);
  EXPECT_EQ(of(7, Term::maximum, 4), 7);
  EXPECT_EQ(of(7, Term::less, 4), 0);
  EXPECT_EQ(of(4, Term::equal, 4), 1);
  EXPECT_EQ(of(1, Term::both, 0), 0);
  EXPECT_EQ(of(1, Term::either, 0), 1);
  EXPECT_EQ(of(INT64_MAX, Term::add, 1), INT64_MAX);
  EXPECT_EQ(of(INT64_MAX, Term::multiply, 2), INT64_MAX);
  EXPECT_EQ(of(INT64_MAX, Term::ceilDivide, 2), INT64_MAX / 2 + 1);
}

TEST(Package, ImpossibleExtentsGridsAndWorkspacesAreNamed) {
  Package package = addPackage();
  package.signature.inputs[1].shape[2].value = -1;
  EXPECT_EQ(messageFor(package), "file.lmk: input 'y' has the impossible extent -1");
  package = addPackage();
  package.signature.results[0].shape.resize(7);
  EXPECT_EQ(messageFor(package), "file.lmk: result 'o' has rank 7, the most is 6");
  package = addPackage();
  package.variants[0].launches[0].grid.clear();
  EXPECT_EQ(messageFor(package), "file.lmk: kernel 'add' has a grid of 0 dimensions");
  package.variants[0].launches[0].grid = {0, 1, 2};
  EXPECT_EQ(messageFor(package), "file.lmk: kernel 'add' uses expression 2 of 2");
  package = addPackage();
  package.variants[0].launches[0].workspace_bytes = -8;
  EXPECT_EQ(messageFor(package), "file.lmk: kernel 'add' has an impossible workspace of -8 bytes");
  package = addPackage();
  package.variants[0].launches[0].blocks_together = 0;
  EXPECT_EQ(messageFor(package), "file.lmk: kernel 'add' runs 0 blocks together");
}

} // namespace
