// Scans in the normal form, by every algorithm, against the loop that defines them. In the interpreter what
// differs is the algebra, so that 1e-9 of the largest value is rounding and anything wrong is far above it.
#include "tests/unit/derive_fixture.h"
#include <cmath>

using namespace linmu::test;

namespace {

/// A scan of one state, all of whose terms are token operands: r_j (H heads), k_i and v_i (G heads), M, g, h.
struct Form {
  std::int64_t keys = 5, values = 4;
  std::vector<bool> inclusive = {true};
  std::int64_t writes = 1;
  std::vector<std::pair<int, int>> feedback = {}; ///< (write, read)
  enum { none, scalar, rowWise, byValue, both } decay = scalar;
  bool decaysByKey() const { return decay == scalar || decay == rowWise || decay == both; }
  bool decaysByValue() const { return decay == byValue || decay == both; }
  /// Of g; 0 without an axis.
  std::int64_t decays() const { return decay == scalar ? 0 : keys; }
  bool signs = false; ///< of the decays: s and t
  int key_axis = 0;
  std::int64_t heads = 4, groups = 2;
  bool reverse = false, order = false, init = true;
  bool lag = false;      ///< v_0 is v_0 + its value two tokens ago, with a tail of three
  double strongest = -1; ///< decays are uniform in [strongest, 0]
};

std::string number(std::int64_t value) { return std::to_string(value); }

std::string textOf(const Form &form) {
  std::string functionArguments, tokens, blockTypes, extra;
  auto token = [&](const std::string &name, std::int64_t heads, std::int64_t size, bool tail = false) {
    std::string axes = number(heads) + "x" + (size ? number(size) + "x" : "") + "f32>";
    std::string type = "tensor<?x?x" + axes, tailType = "tensor<?x3x" + axes;
    functionArguments += (functionArguments.empty() ? "%" : ", %") + name + ": " + type;
    tokens += std::string(tokens.empty() ? "%" : ", %") + name + "t = %" + name +
              (tail ? " tail %tail" : "") + " : " + type + (tail ? ", " + tailType : "");
    blockTypes += (blockTypes.empty() ? "%" : ", %") + name +
                  "t: " + (size ? "tensor<" + number(size) + "xf32>" : std::string("f32"));
    if (tail)
      extra = ", %tail: " + tailType;
  };
  std::string vectorK = "tensor<" + number(form.keys) + "xf32>",
              vectorV = "tensor<" + number(form.values) + "xf32>";
  std::string reads, readTypes, inclusive, writes, writeTypes, values, valueTypes, feedback, at;
  auto list = [](std::string &text, const std::string &item) { text += (text.empty() ? "" : ", ") + item; };
  for (size_t j = 0; j < form.inclusive.size(); ++j) {
    token("r" + number(j), form.heads, form.keys);
    list(reads, "%r" + number(j) + "t"), list(readTypes, vectorK);
    list(inclusive, form.inclusive[j] ? "true" : "false");
  }
  for (int i = 0; i < form.writes; ++i) {
    token("k" + number(i), form.groups, form.keys);
    token("v" + number(i), form.groups, form.values, form.lag && i == 0);
    list(writes, "%k" + number(i) + "t"), list(writeTypes, vectorK);
    list(values, form.lag && i == 0 ? "%lagged" : "%v" + number(i) + "t"), list(valueTypes, vectorV);
  }
  for (size_t f = 0; f < form.feedback.size(); ++f) {
    token("m" + number(f), form.heads, 0);
    list(feedback, "%m" + number(f) + "t");
    list(at, number(form.feedback[f].first) + ", " + number(form.feedback[f].second));
  }
  if (form.decaysByKey())
    token("g", form.heads, form.decays());
  if (form.decaysByKey() && form.signs)
    token("gs", form.heads, form.decays());
  if (form.decaysByValue())
    token("h", form.heads, form.values);
  if (form.decaysByValue() && form.signs)
    token("hs", form.heads, form.values);
  std::string stateType = "tensor<?x" + number(form.heads) + "x" +
                          (form.key_axis == 0 ? number(form.keys) + "x" + number(form.values)
                                              : number(form.values) + "x" + number(form.keys)) +
                          "xf32>";
  std::string output = "tensor<?x?x" + number(form.heads) + "x" + number(form.values) + "xf32>";
  std::string outputs, results, yields, yieldTypes, later;
  for (size_t j = 0; j < form.inclusive.size() + form.writes; ++j) {
    list(outputs, output), list(results, "%o" + number(j));
    list(yields, "%y" + number(j)), list(yieldTypes, vectorV);
    later += ", %y" + number(j) + ": " + vectorV;
  }
  std::string tailType = "tensor<?x3x" + number(form.groups) + "x" + number(form.values) + "xf32>";
  std::string text = "func.func @f(" + functionArguments + extra;
  text += form.init ? ", %s0: " + stateType : "";
  text += form.order ? ", %order: tensor<?x?xi32>" : "";
  text += ") -> (" + outputs + ", " + stateType + (form.lag ? ", " + tailType : "") + ") {\n";
  text += results + ", %s" + (form.lag ? ", %ft" : "") + " = pattern.normal_scan";
  text += form.reverse ? " reverse" : "";
  text += " tokens(" + tokens + ") states(%S = " + (form.init ? "%s0" : "zero") + " : " + stateType + ")";
  text += form.order ? " order(%order : tensor<?x?xi32>)" : "";
  text += " -> (" + outputs + ")\nstage {\n^bb0(" + blockTypes + "):\n";
  if (form.lag)
    text += "%before = pattern.lag %v0t by 2 : " + vectorV +
            "\n%lagged = arith.addf %v0t, %before : " + vectorV + "\n";
  text += "pattern.form key_axis " + number(form.key_axis);
  if (form.decaysByKey())
    text += " decay(%gt : " + (form.decays() ? vectorK : "f32") + ")";
  if (form.decaysByKey() && form.signs)
    text += " sign(%gst : " + (form.decays() ? vectorK : "f32") + ")";
  if (form.decaysByValue())
    text += " value_decay(%ht : " + vectorV + ")";
  if (form.decaysByValue() && form.signs)
    text += " value_sign(%hst : " + vectorV + ")";
  text += " reads(" + reads + " : " + readTypes + ") inclusive [" + inclusive + "] writes(" + writes + " : " +
          writeTypes + ") values(" + values + " : " + valueTypes + ")";
  text += feedback.empty() ? "" : " feedback(" + feedback + ")";
  text += " at [" + at + "]\n}\nfinish {\n^bb0(" + blockTypes + later + "):\npattern.yield outputs(" +
          yields + " : " + yieldTypes + ")\n}\nreturn " + results + ", %s" + (form.lag ? ", %ft" : "") +
          " : " + outputs + ", " + stateType + (form.lag ? ", " + tailType : "") + "\n}\n";
  return text;
}

/// Operands by name, and the loop that defines the results.
struct Problem {
  Form form;
  std::int64_t batch, tokens;
  std::vector<Memory> r, k, v, m;
  Memory g, h, s, t, tail, init, order;

  Problem(const Form &form, std::int64_t batch, std::int64_t tokens, unsigned seed)
      : form(form), batch(batch), tokens(tokens) {
    std::mt19937 random(seed);
    double size = 1 / std::sqrt(double(form.keys));
    for (size_t j = 0; j < form.inclusive.size(); ++j)
      r.push_back(randomMemory({batch, tokens, form.heads, form.keys}, -size, size, random));
    for (int i = 0; i < form.writes; ++i) {
      k.push_back(randomMemory({batch, tokens, form.groups, form.keys}, -size, size, random));
      v.push_back(randomMemory({batch, tokens, form.groups, form.values}, -1, 1, random));
    }
    for (size_t f = 0; f < form.feedback.size(); ++f)
      m.push_back(randomMemory({batch, tokens, form.heads}, -1, 1, random));
    std::vector<std::int64_t> shape{batch, tokens, form.heads};
    if (form.decays())
      shape.push_back(form.decays());
    g = randomMemory(shape, form.strongest, 0, random);
    h = randomMemory({batch, tokens, form.heads, form.values}, form.strongest, 0, random);
    s = randomMemory(g.shape, -1, 1, random);
    t = randomMemory(h.shape, -1, 1, random);
    for (Memory *signs : {&s, &t})
      for (auto &sign : signs->elements)
        sign = form.signs && sign < 0 ? -1 : 1;
    tail = randomMemory({batch, 3, form.groups, form.values}, -1, 1, random);
    init = form.key_axis == 0 ? randomMemory({batch, form.heads, form.keys, form.values}, -1, 1, random)
                              : randomMemory({batch, form.heads, form.values, form.keys}, -1, 1, random);
    order = randomOrder(batch, tokens, random);
  }

  std::int64_t tokenAt(std::int64_t b, std::int64_t p) const {
    p = form.reverse ? tokens - 1 - p : p;
    return form.order ? std::int64_t(order.elements[b * tokens + p]) : p;
  }

  /// Results in the order of the function's.
  std::vector<Memory> loop() const {
    std::int64_t reads = form.inclusive.size(), K = form.keys, V = form.values, H = form.heads;
    std::vector<Memory> results(reads + form.writes, Memory::filled({batch, tokens, H, V}, NAN));
    Memory final = init, finalTail = tail;
    for (std::int64_t b = 0; b < batch; ++b)
      for (std::int64_t h = 0; h < H; ++h) {
        std::int64_t group = h / (H / form.groups);
        auto stored = [&](std::int64_t i, std::int64_t j) {
          return (b * H + h) * K * V + (form.key_axis == 0 ? i * V + j : j * K + i);
        };
        auto at = [&](const Memory &x, std::int64_t p, std::int64_t heads, std::int64_t head,
                      std::int64_t size, std::int64_t i) {
          return x.elements[((b * tokens + tokenAt(b, p)) * heads + head) * size + i];
        };
        auto tailed = [&](std::int64_t p, std::int64_t i) {
          return p >= 0 ? at(v[0], p, form.groups, group, V, i)
                        : tail.elements[((b * 3 + 3 + p) * form.groups + group) * V + i];
        };
        Memory S = Memory::filled({K, V}, 0);
        for (std::int64_t i = 0; i < K && form.init; ++i)
          for (std::int64_t j = 0; j < V; ++j)
            S.at(i, j) = init.elements[stored(i, j)];
        for (std::int64_t p = 0; p < tokens; ++p) {
          auto read = [&](std::int64_t j, std::int64_t column) {
            double y = 0;
            for (std::int64_t i = 0; i < K; ++i)
              y += at(r[j], p, H, h, K, i) * S.at(i, column);
            return y;
          };
          Memory y = Memory::filled({reads, V}, 0), w = Memory::filled({form.writes, V}, 0);
          for (std::int64_t column = 0; column < V; ++column) {
            for (std::int64_t j = 0; j < reads; ++j)
              if (!form.inclusive[j])
                y.at(j, column) = read(j, column);
            for (std::int64_t i = 0; i < form.writes; ++i) {
              w.at(i, column) = at(v[i], p, form.groups, group, V, column);
              if (form.lag && i == 0)
                w.at(i, column) += tailed(p - 2, column);
              for (size_t f = 0; f < form.feedback.size(); ++f)
                if (form.feedback[f].first == i)
                  w.at(i, column) += at(m[f], p, H, h, 1, 0) * y.at(form.feedback[f].second, column);
            }
            for (std::int64_t row = 0; row < K; ++row) {
              std::int64_t size = form.decays() ? K : 1, place = form.decays() ? row : 0;
              if (form.decaysByKey())
                S.at(row, column) *= at(s, p, H, h, size, place) * std::exp(at(g, p, H, h, size, place));
              if (form.decaysByValue())
                S.at(row, column) *= at(t, p, H, h, V, column) * std::exp(at(this->h, p, H, h, V, column));
              for (std::int64_t i = 0; i < form.writes; ++i)
                S.at(row, column) += at(k[i], p, form.groups, group, K, row) * w.at(i, column);
            }
            for (std::int64_t j = 0; j < reads; ++j)
              if (form.inclusive[j])
                y.at(j, column) = read(j, column);
          }
          for (std::int64_t j = 0; j < reads + form.writes; ++j)
            for (std::int64_t column = 0; column < V; ++column)
              results[j].elements[((b * tokens + tokenAt(b, p)) * H + h) * V + column] =
                  j < reads ? y.at(j, column) : w.at(j - reads, column);
        }
        for (std::int64_t i = 0; i < K; ++i)
          for (std::int64_t j = 0; j < V; ++j)
            final.elements[stored(i, j)] = S.at(i, j);
        for (std::int64_t j = 0; j < 3; ++j)
          for (std::int64_t i = 0; i < V && form.lag; ++i)
            finalTail.elements[((b * 3 + j) * form.groups + group) * V + i] = tailed(tokens - 3 + j, i);
      }
    results.push_back(final);
    if (form.lag)
      results.push_back(finalTail);
    return results;
  }

  std::vector<Memory> run(Derived &derived) {
    std::vector<Memory> results = loop();
    for (Memory &result : results)
      result = Memory::filled(result.shape, NAN);
    std::vector<Memory *> operands;
    for (Memory &x : r)
      operands.push_back(&x);
    for (int i = 0; i < form.writes; ++i)
      operands.push_back(&k[i]), operands.push_back(&v[i]);
    for (Memory &x : m)
      operands.push_back(&x);
    if (form.decaysByKey())
      operands.push_back(&g);
    if (form.decaysByKey() && form.signs)
      operands.push_back(&s);
    if (form.decaysByValue())
      operands.push_back(&h);
    if (form.decaysByValue() && form.signs)
      operands.push_back(&t);
    if (form.lag)
      operands.push_back(&tail);
    if (form.init)
      operands.push_back(&init);
    if (form.order)
      operands.push_back(&order);
    for (Memory &result : results)
      operands.push_back(&result);
    execute(derived, operands, batch, tokens);
    return results;
  }
};

/// Lengths around a chunk of 8, and none.
constexpr std::int64_t aroundAChunk[] = {0, 1, 7, 8, 9, 29};

void expectAllAlgorithmsToMatch(const Form &form, llvm::ArrayRef<std::int64_t> lengths = aroundAChunk,
                                const std::string &chunk = "8") {
  // Two slices of the value columns, the second with fewer.
  std::string columns = ",columns=" + number((form.values + 1) / 2 + 1);
  for (const std::string &schedule :
       {"algorithm=chunked,chunk=" + chunk, "algorithm=chunked,chunk=" + chunk + columns,
        "algorithm=two_kernels,chunk=" + chunk, "algorithm=segmented,segments=3,chunk=" + chunk,
        "algorithm=segmented,segments=7,chunk=" + chunk, std::string("algorithm=recurrent")}) {
    Derived derived(textOf(form), schedule);
    ASSERT_TRUE(derived.ok()) << derived.diagnostics() << textOf(form);
    for (std::int64_t tokens : lengths) {
      Problem problem(form, 2, tokens, 7 + tokens);
      std::vector<Memory> expected = problem.loop(), actual = problem.run(derived);
      for (size_t i = 0; i < expected.size(); ++i)
        EXPECT_LT(worstDifference(actual[i], expected[i]), tolerance(1e-9))
            << "result " << i << " of " << schedule << " at " << tokens << " tokens";
    }
  }
}

} // namespace

TEST(DeriveScan, WithoutDecayMatchesTheLoop) { expectAllAlgorithmsToMatch({.decay = Form::none}); }
TEST(DeriveScan, ScalarDecayMatchesTheLoop) { expectAllAlgorithmsToMatch({}); }
TEST(DeriveScan, RowWiseDecayMatchesTheLoop) { expectAllAlgorithmsToMatch({.decay = Form::rowWise}); }
TEST(DeriveScan, StrongScalarDecayMatchesTheLoop) { expectAllAlgorithmsToMatch({.strongest = -200}); }
TEST(DeriveScan, StrongRowWiseDecayMatchesTheLoop) {
  expectAllAlgorithmsToMatch({.decay = Form::rowWise, .strongest = -200});
}
TEST(DeriveScan, DecayByValueMatchesTheLoop) {
  for (double strongest : {-1.0, -200.0, -0.001})
    expectAllAlgorithmsToMatch({.decay = Form::byValue, .strongest = strongest});
  expectAllAlgorithmsToMatch({.inclusive = {false, true}, .writes = 2, .decay = Form::byValue});
  expectAllAlgorithmsToMatch({.keys = 20, .values = 33, .decay = Form::byValue, .key_axis = 1});
}
TEST(DeriveScan, DecaysOfBothAxesMatchTheLoop) {
  for (double strongest : {-1.0, -200.0, -0.001})
    expectAllAlgorithmsToMatch({.decay = Form::both, .strongest = strongest});
  expectAllAlgorithmsToMatch({.inclusive = {false, true}, .writes = 2, .decay = Form::both});
  expectAllAlgorithmsToMatch({.keys = 20, .values = 33, .decay = Form::both, .key_axis = 1});
}
TEST(DeriveScan, DecaysOfEitherSignMatchTheLoop) {
  for (auto decay : {Form::scalar, Form::rowWise, Form::byValue, Form::both})
    for (double strongest : {-1.0, -200.0}) {
      Form form{.inclusive = {false, true}, .signs = true, .strongest = strongest};
      form.decay = decay;
      expectAllAlgorithmsToMatch(form);
    }
  for (auto decay : {Form::scalar, Form::rowWise}) {
    Form form{.inclusive = {false, true}, .feedback = {{0, 0}}, .signs = true};
    form.decay = decay;
    expectAllAlgorithmsToMatch(form);
  }
}
TEST(DeriveScan, ExclusiveReadsMatchTheLoop) {
  expectAllAlgorithmsToMatch({.inclusive = {false}});
  expectAllAlgorithmsToMatch({.inclusive = {false}, .decay = Form::rowWise});
}
TEST(DeriveScan, SeveralReadsAndWritesMatchTheLoop) {
  expectAllAlgorithmsToMatch({.inclusive = {true, false, true}, .writes = 2});
}
TEST(DeriveScan, FeedbackMatchesTheLoop) {
  for (auto decay : {Form::none, Form::scalar, Form::rowWise}) {
    Form form{.inclusive = {false, true}, .feedback = {{0, 0}}};
    form.decay = decay;
    expectAllAlgorithmsToMatch(form);
  }
}
TEST(DeriveScan, TwoWritesWithFeedbackOfTwoReadsMatchTheLoop) {
  expectAllAlgorithmsToMatch(
      {.inclusive = {false, false, true}, .writes = 2, .feedback = {{0, 0}, {1, 1}, {1, 0}}});
}
TEST(DeriveScan, FeedbackOnOneOfTwoWritesMatchesTheLoop) {
  expectAllAlgorithmsToMatch({.inclusive = {false}, .writes = 2, .feedback = {{1, 0}}});
}
TEST(DeriveScan, ReverseMatchesTheLoop) { expectAllAlgorithmsToMatch({.reverse = true}); }
TEST(DeriveScan, AnyOrderMatchesTheLoop) {
  expectAllAlgorithmsToMatch({.order = true});
  expectAllAlgorithmsToMatch({.reverse = true, .order = true, .lag = true});
}
TEST(DeriveScan, StatesFromZeroMatchTheLoop) { expectAllAlgorithmsToMatch({.init = false}); }
TEST(DeriveScan, StatesStoredWithTheKeyAxisLastMatchTheLoop) {
  expectAllAlgorithmsToMatch({.decay = Form::rowWise, .key_axis = 1});
  expectAllAlgorithmsToMatch({.inclusive = {false}, .feedback = {{0, 0}}, .key_axis = 1});
}
TEST(DeriveScan, LagsAndTailsMatchTheLoop) {
  expectAllAlgorithmsToMatch({.lag = true});
  expectAllAlgorithmsToMatch({.heads = 2, .groups = 2, .lag = true});
}

TEST(DeriveScan, HeadSizesThatAreNoPowersOfTwoMatchTheLoop) {
  expectAllAlgorithmsToMatch({.keys = 48, .values = 80, .heads = 3, .groups = 1});
  expectAllAlgorithmsToMatch(
      {.keys = 20, .values = 33, .inclusive = {false}, .feedback = {{0, 0}}, .heads = 1, .groups = 1});
}
// Weak decay keeps the whole past: an error of what is carried over chunks would grow.
TEST(DeriveScan, LongSequencesOfWeakDecayMatchTheLoop) {
  expectAllAlgorithmsToMatch({.keys = 32, .values = 16, .heads = 2, .groups = 1, .strongest = -0.001}, {1025},
                             "32");
  expectAllAlgorithmsToMatch(
      {.keys = 32, .values = 16, .decay = Form::rowWise, .heads = 1, .groups = 1, .strongest = -0.001},
      {1025}, "64");
}
TEST(DeriveScan, ShortSequencesRunRecurrentlyAndLongOnesInChunks) {
  Derived derived(textOf({}), "recurrent_below=5");
  ASSERT_TRUE(derived.ok()) << derived.diagnostics();
  EXPECT_EQ(linmu::interpreter::algorithmFor(derived.program(), {.tokens = 4}), "recurrent");
  EXPECT_EQ(linmu::interpreter::algorithmFor(derived.program(), {.tokens = 5}), "chunked(chunk=16)");
}
TEST(DeriveScan, ValueColumnsAreSplitWhereHeadsAndBatchLeaveCoresIdle) {
  Form form{.keys = 64, .values = 64, .heads = 1, .groups = 1};
  Derived derived(textOf(form), "cores=2");
  ASSERT_TRUE(derived.ok()) << derived.diagnostics();
  auto algorithm = [&](std::int64_t batch, std::int64_t tokens) {
    return linmu::interpreter::algorithmFor(derived.program(), {.batch = batch, .tokens = tokens});
  };
  EXPECT_EQ(algorithm(1, 8), "recurrent");
  EXPECT_EQ(algorithm(1, 100), "chunked(chunk=16)");
  EXPECT_EQ(algorithm(1, 1000), "chunked(chunk=16, columns=32)");
  EXPECT_EQ(algorithm(2, 1000), "chunked(chunk=16)");
}
TEST(DeriveScan, VariantsSayByWhichChoicesTheyWereDerived) {
  Derived derived(textOf({.keys = 64, .values = 64, .heads = 1, .groups = 1}), "cores=2,chunk=32");
  ASSERT_TRUE(derived.ok()) << derived.diagnostics();
  std::vector<std::string> schedules;
  for (auto variant : derived.program().getBody().getOps<linmu::tile::VariantOp>()) {
    llvm::raw_string_ostream stream(schedules.emplace_back());
    stream << *variant.getSchedule();
  }
  EXPECT_EQ(schedules,
            (std::vector<std::string>{R"([{algorithm = "recurrent"}])",
                                      R"([{algorithm = "chunked", chunk = 32 : i64, columns = 32 : i64}])",
                                      R"([{algorithm = "chunked", chunk = 32 : i64}])"}));
}
TEST(DeriveScan, AWrongResultIsSeen) {
  Derived derived(textOf({}), "algorithm=chunked,chunk=8");
  Problem problem({}, 1, 9, 1);
  std::vector<Memory> expected = problem.loop();
  problem.g.elements[3] -= 0.01;
  EXPECT_GT(worstDifference(problem.run(derived)[0], expected[0]), tolerance(1e-9));
}
