// The exported API: keys, signatures, and that nothing that comes in crashes or throws.
#include "compiler/api/compiler_api.h"
#include "quiet_moment.h"
#include "runtime/core/package.h"
#include <gtest/gtest.h>

namespace linmu::compiler {
namespace {

const std::string recurrence = R"(!rows = tensor<?x?x2x8xf32>
!state = tensor<?x2x8x8xf32>
func.func @recall(%q: !rows, %k: !rows, %v: !rows, %g: tensor<?x?x2xf32>, %s0: !state, %media: tensor<?x4xi32>,
                  %id: tensor<?x?xi32>, %tail: tensor<?x1x2x8xf32>, %w: tensor<8xf32>)
    -> (!rows, !state, tensor<?x1x2x8xf32>) {
  %i = pattern.token_order #pattern.order<t, x, y> media(%media : tensor<?x4xi32>) like %q : !rows -> tensor<?x?xi32>
  %o, %s, %t = pattern.scan tokens(%qt = %q : !rows, %kt = %k tail %tail : !rows, tensor<?x1x2x8xf32>, %vt = %v : !rows,
      %gt = %g : tensor<?x?x2xf32>) states(%S = %s0 : !state) order(%i : tensor<?x?xi32>)
      segments(%id : tensor<?x?xi32>) -> (!rows) {
    %a = pattern.sigmoid %gt : f32
    %half = arith.constant 0.5 : f32
    %b = arith.mulf %a, %half : f32
    %A = pattern.broadcast %b : f32 to tensor<8x8xf32>
    %D = arith.mulf %A, %S : tensor<8x8xf32>
    %before = pattern.lag %kt by 1 : tensor<8xf32>
    %W = pattern.outer %before, %vt : tensor<8xf32>, tensor<8xf32>
    %S1 = arith.addf %D, %W : tensor<8x8xf32>
    %y = pattern.read %S1, %qt : tensor<8x8xf32>, tensor<8xf32>
    pattern.yield outputs(%y : tensor<8xf32>) states(%S1 : tensor<8x8xf32>)
  }
  return %o, %s, %t : !rows, !state, tensor<?x1x2x8xf32>
}
)";

/// The defaults but for one field, and the file's name.
template <typename Field>
Options with(Field Options::*field, const std::type_identity_t<Field> &value,
             const std::string &filename = "<pattern>") {
  Options options;
  options.filename = filename;
  options.*field = value;
  return options;
}

/// `text` with every occurrence replaced; there must be one.
std::string replaced(std::string text, const std::string &from, const std::string &to) {
  EXPECT_NE(text.find(from), std::string::npos) << from;
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

std::string keyOf(const std::string &text, const Options &options = {}) {
  Text key = cacheKey(text, options);
  EXPECT_TRUE(key.ok) << key.diagnostics;
  return key.text;
}

TEST(CacheKey, isEqualForTextsThatDifferInNamesCommentsLayoutOrAliases) {
  std::string key = keyOf(recurrence);
  EXPECT_EQ(key.size(), 32u);
  EXPECT_EQ(keyOf(replaced(recurrence, "%half", "%factor")), key);
  EXPECT_EQ(keyOf(replaced(recurrence, "%q", "%query")), key);
  EXPECT_EQ(keyOf(replaced(recurrence, "@recall", "@remember")), key);
  EXPECT_EQ(keyOf("// A comment.\n\n" + replaced(recurrence, " {\n", "   {\n\n // and more\n")), key);
  EXPECT_EQ(keyOf(replaced(recurrence, "!rows", "!renamed")), key);
  EXPECT_EQ(keyOf(recurrence, with(&Options::filename, "elsewhere.mlir")), key);
  EXPECT_EQ(
      keyOf(
          recurrence +
              "func.func @other(%x: !rows) -> !rows {\n  %y = pattern.map tokens(%a = %x : !rows) -> (!rows) "
              "{\n    pattern.yield outputs(%a : tensor<8xf32>)\n  }\n  return %y : !rows\n}\n",
          with(&Options::function, "recall")),
      key);
}

TEST(CacheKey, andCodeAreEqualForStepsThatDifferInTheOrderOfOpsOrInRepeatedAndUnusedOnes) {
  std::string a = "    %a = pattern.sigmoid %gt : f32\n", half = "    %half = arith.constant 0.5 : f32\n",
              before = "    %before = pattern.lag %kt by 1 : tensor<8xf32>\n";
  std::string ordered = replaced(recurrence, a + half, half + a);
  std::string early = replaced(replaced(recurrence, before, ""), a, before + a);
  std::string repeated =
      replaced(replaced(recurrence, before,
                        before + replaced(a, "%a", "%a2") + replaced(half, "%half", "%h2") +
                            "    %b2 = arith.mulf %a2, %h2 : f32\n"),
               "outer %before", "outer %later");
  repeated = replaced(repeated, "    %W =",
                      "    %B2 = pattern.broadcast %b2 : f32 to tensor<8xf32>\n"
                      "    %unused = arith.mulf %B2, %qt : tensor<8xf32>\n"
                      "    %later = pattern.lag %kt by 1 : tensor<8xf32>\n    %W =");
  Bytes code = compile(recurrence, {});
  ASSERT_TRUE(code.ok) << code.diagnostics;
  for (const std::string &text : {ordered, early, repeated}) {
    EXPECT_EQ(keyOf(text), keyOf(recurrence)) << text;
    EXPECT_EQ(compile(text, {}).bytes, code.bytes) << text;
  }
  EXPECT_NE(keyOf(replaced(recurrence, "%D, %W", "%W, %D")), keyOf(recurrence));
}

TEST(CacheKey, differsWhereCodeCouldDiffer) {
  std::vector<std::string> keys = {
      keyOf(recurrence),
      keyOf(replaced(recurrence, "constant 0.5", "constant 0.25")),
      keyOf(replaced(recurrence, "<t, x, y>", "<y, x, t>")),
      keyOf(replaced(recurrence, "pattern.scan tokens", "pattern.scan reverse tokens")),
      keyOf(replaced(recurrence, "read %S1", "read %D")),
      keyOf(replaced(recurrence, "tensor<?x1x2x8xf32>", "tensor<?x1x2x8xbf16>"),
            with(&Options::aliases, {{"rows", "tensor<?x?x2x8xbf16>"}})),
      keyOf(recurrence, with(&Options::schedule, {{"chunk", "64"}})),
      keyOf(recurrence, with(&Options::schedule, {{"algorithm", "recurrent"}})),
      keyOf(recurrence, with(&Options::cpu, "skylake")),
  };
  for (std::size_t i = 0; i < keys.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      EXPECT_NE(keys[i], keys[j]) << i << " and " << j;
}

TEST(CacheKey, comesInUnderThreeMilliseconds) {
  keyOf(recurrence);
  double seconds = leastSeconds(3e-3, 20, [] { keyOf(recurrence); });
  RecordProperty("milliseconds", std::to_string(seconds * 1e3));
  EXPECT_LT(seconds, 3e-3);
}

Signature signatureOf(const std::string &text, const Options &options = {}) {
  Bytes bytes = signature(text, options);
  EXPECT_TRUE(bytes.ok) << bytes.diagnostics;
  return deserialize(bytes.bytes, "test").signature;
}

TEST(CompilerSignature, namesOperandsAsTheTextDoesAndTellsAxesFromUses) {
  using E = Extent;
  Signature signature = signatureOf(recurrence);
  EXPECT_EQ(signature.name, "recall");
  auto rows = [](const char *name) {
    return OperandSpec{name, DType::f32, {{E::batch}, {E::tokens}, {E::constant, 2}, {E::constant, 8}}};
  };
  std::vector<OperandSpec> inputs = {
      rows("q"),
      rows("k"),
      rows("v"),
      {"g", DType::f32, {{E::batch}, {E::tokens}, {E::constant, 2}}},
      {"s0", DType::f32, {{E::batch}, {E::constant, 2}, {E::constant, 8}, {E::constant, 8}}},
      {"media", DType::i32, {{E::mediaItems}, {E::constant, 4}}, OperandSpec::mediaTable},
      {"id", DType::i32, {{E::batch}, {E::tokens}}},
      {"tail", DType::f32, {{E::batch}, {E::constant, 1}, {E::constant, 2}, {E::constant, 8}}},
      {"w", DType::f32, {{E::constant, 8}}},
  };
  EXPECT_EQ(signature.inputs, inputs);
  std::vector<OperandSpec> results = {
      rows("o"),
      {"s",
       DType::f32,
       {{E::batch}, {E::constant, 2}, {E::constant, 8}, {E::constant, 8}},
       OperandSpec::values,
       /*in_place_of=*/4},
      {"t",
       DType::f32,
       {{E::batch}, {E::constant, 1}, {E::constant, 2}, {E::constant, 8}},
       OperandSpec::values,
       /*in_place_of=*/7},
  };
  EXPECT_EQ(signature.results, results);
}

TEST(CompilerSignature, givesResultsOfOneNameDifferentNames) {
  Signature signature = signatureOf(
      R"(func.func @f(%x: tensor<?x?x2xf32>) -> (tensor<?x?x2xf32>, tensor<?x?x2xf32>, tensor<?x?x2xf32>) {
  %y:2 = pattern.map tokens(%a = %x : tensor<?x?x2xf32>) -> (tensor<?x?x2xf32>, tensor<?x?x2xf32>) {
    pattern.yield outputs(%a, %a : f32, f32)
  }
  return %y#1, %y#1, %y#0 : tensor<?x?x2xf32>, tensor<?x?x2xf32>, tensor<?x?x2xf32>
})");
  std::vector<std::string> names;
  for (const OperandSpec &result : signature.results)
    names.push_back(result.name);
  EXPECT_EQ(names, (std::vector<std::string>{"y_1", "y_1_1", "y_0"}));
}

TEST(Aliases, replaceTheTypeAndKeepLinesWhereTheyAre) {
  Signature signature = signatureOf(replaced(recurrence, "tensor<?x1x2x8xf32>", "tensor<?x1x2x8xf16>"),
                                    with(&Options::aliases, {{"rows", "tensor<?x?x2x8xf16>"}}));
  EXPECT_EQ(signature.inputs[0].dtype, DType::f16);
  EXPECT_EQ(signature.results[0].dtype, DType::f16);
  // The tail keeps f32, which the scan on line 7 refuses.
  Text key = cacheKey(recurrence, with(&Options::aliases, {{"rows", "tensor<?x?x2x8xf16>"}}, "a.mlir"));
  EXPECT_FALSE(key.ok);
  EXPECT_TRUE(key.diagnostics.starts_with("a.mlir:7:16: error: 'pattern.scan' op requires tail #0 "))
      << key.diagnostics;
  key = cacheKey(recurrence, with(&Options::aliases, {{"rows", "tensor<\n>"}}, "a.mlir"));
  EXPECT_EQ(key.diagnostics, "a.mlir:1:1: error: requires what replaces alias '!rows' on one line\n");
}

TEST(CacheKey, isOfTheTextThatIsGivenAndNotOfWhatLiesBehindIt) {
  const std::string longer = recurrence + "func";
  const std::string_view text(longer.data(), recurrence.size());
  EXPECT_EQ(cacheKey(text, {}).text, keyOf(recurrence));
  // A text may end in a word, which goes on in memory.
  Text cut = cacheKey(std::string_view(longer).substr(0, longer.size() - 2), {});
  EXPECT_FALSE(cut.ok);
  EXPECT_NE(cut.diagnostics.find("'fu'"), std::string::npos) << cut.diagnostics;
}

TEST(Functions, areListedInTheOrderOfTheText) {
  Names names = functions(replaced(recurrence, "@recall", "@z") +
                              replaced(recurrence.substr(recurrence.find("func.func")), "@recall", "@a"),
                          {});
  EXPECT_TRUE(names.ok) << names.diagnostics;
  EXPECT_EQ(names.names, (std::vector<std::string>{"z", "a"}));
}

TEST(Interpret, refusesWhatDoesNotFitWithAMessage) {
  Tensors tensors = interpret(recurrence, with(&Options::filename, "a.mlir"), {});
  EXPECT_FALSE(tensors.ok);
  EXPECT_EQ(tensors.diagnostics, "a.mlir:3:1: error: pattern 'recall': expected 9 inputs, got 0\n");
}

const std::string mixture = R"(!t = tensor<?x?x2x8xf32>
func.func @mixture(%x: !t, %y: !t, %g: tensor<?x?x2xf32>, %i: tensor<?x?xi32>) -> (!t, !t, tensor<?x2x8xf32>) {
  %o, %s = pattern.scan tokens(%xt = %x : !t, %gt = %g : tensor<?x?x2xf32>) states(%S = zero : tensor<?x2x8xf32>)
      order(%i : tensor<?x?xi32>) -> (!t) {
    %a = pattern.sigmoid %gt : f32
    %A = pattern.broadcast %a : f32 to tensor<8xf32>
    %D = arith.mulf %A, %S : tensor<8xf32>
    %S1 = arith.addf %D, %xt : tensor<8xf32>
    pattern.yield outputs(%S1 : tensor<8xf32>) states(%S1 : tensor<8xf32>)
  }
  %p = pattern.map tokens(%xt = %x : !t, %yt = %y : !t) -> (!t) {
    %m = arith.mulf %xt, %yt : tensor<8xf32>
    pattern.yield outputs(%m : tensor<8xf32>)
  }
  return %o, %p, %s : !t, !t, tensor<?x2x8xf32>
}
)";

using Strings = std::vector<std::string>;

std::pair<Strings, Strings> namesOf(const Signature &signature) {
  std::pair<Strings, Strings> names;
  for (const OperandSpec &input : signature.inputs)
    names.first.push_back(input.name);
  for (const OperandSpec &result : signature.results)
    names.second.push_back(result.name);
  return names;
}

TEST(Gradients, takeInputsAndCotangentsOfTheResultsNamedAndGiveWhatIsAskedFor) {
  auto names = [&](const Gradient &gradient) {
    return namesOf(signatureOf(mixture, with(&Options::gradient, gradient)));
  };
  EXPECT_EQ(names({}),
            std::pair(Strings({"x", "y", "g", "i", "d_o", "d_p", "d_s"}), Strings({"d_x", "d_y", "d_g"})));
  EXPECT_EQ(names({{"g", "x"}, {}}).second, Strings({"d_x", "d_g"}));
  EXPECT_EQ(names({{"y"}, {"p"}}), std::pair(Strings({"x", "y", "g", "i", "d_p"}), Strings({"d_y"})));
  EXPECT_EQ(signatureOf(mixture, with(&Options::gradient, Gradient{})).name, "mixture_gradient");
}

TEST(Gradients, haveTheKeyAndTheCodeOfTheirText) {
  for (const Gradient &gradient : {Gradient{}, Gradient{{"x", "g"}, {"o"}}, Gradient{{"y"}, {"p"}}}) {
    Options options = with(&Options::gradient, gradient);
    Text written = text(mixture, options);
    ASSERT_TRUE(written.ok) << written.diagnostics;
    EXPECT_EQ(keyOf(mixture, options), keyOf(written.text)) << written.text;
    EXPECT_EQ(compile(mixture, options).bytes, compile(written.text, {}).bytes) << written.text;
  }
}

TEST(Gradients, leaveOutWhatTheyDoNotNeed) {
  // The product's gradient with respect to one factor needs neither the scan nor that factor.
  Text written = text(mixture, with(&Options::gradient, Gradient{{"y"}, {"p"}}));
  EXPECT_EQ(written.text.find("pattern.scan"), written.text.npos) << written.text;
  EXPECT_EQ(written.text.find("= %y"), written.text.npos) << written.text;
}

TEST(Gradients, ofNamesThatDoNotExistAreErrors) {
  auto refusal = [&](const Gradient &gradient) {
    Text key = cacheKey(mixture, with(&Options::gradient, gradient, "a.mlir"));
    EXPECT_FALSE(key.ok);
    return key.diagnostics;
  };
  EXPECT_EQ(refusal({{"z"}, {}}), "a.mlir:2:1: error: has no input 'z' to differentiate; it has: x, y, g\n");
  EXPECT_EQ(refusal({{"i"}, {}}), "a.mlir:2:1: error: requires inputs of floats to differentiate, got "
                                  "'i' of type 'tensor<?x?xi32>'\n");
  EXPECT_EQ(refusal({{}, {"z"}}),
            "a.mlir:2:1: error: has no result 'z' of floats to differentiate; it has: o, p, s\n");
}

TEST(BuildIdentity, isAHashOfTheSources) { EXPECT_EQ(buildIdentity().size(), 64u); }

} // namespace
} // namespace linmu::compiler
