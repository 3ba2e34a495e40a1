// Patterns of any size whose steps share values: where a pass goes through every path instead of every value,
// its time doubles with each op.
#pragma once
#include <functional>
#include <string>

namespace linmu::test {

struct GrowingPattern {
  const char *name;
  /// Ops of the step, over the vectors %q, %k and %v and the scalars %x0 and %z0 in [0, 1] of the token, and
  /// the states %S0, %S1, ... of `rank`. Defines %o, the output, and the next states %N0, %N1, ...
  std::function<std::string(int n)> step;
  std::function<int(int n)> states = [](int) { return 1; };
  int rank = 2;
};

/// The pattern of size `n` as text. `number` stands in a comment, so that texts differ.
inline std::string textOf(const GrowingPattern &pattern, int n, int number = 0) {
  const std::string rows = "tensor<?x?x1x16xf32>", scalars = "tensor<?x?x1xf32>";
  const std::string state = pattern.rank == 2 ? "tensor<?x1x16x16xf32>" : "tensor<?x1x16xf32>";
  std::string inits, results, next, types;
  for (int i = 0; i < pattern.states(n); ++i) {
    std::string comma = i ? ", " : "", number = std::to_string(i);
    inits += comma + "%S" + number + " = zero : " + state;
    results += ", %F" + number;
    next += comma + "%N" + number;
    types += comma + (pattern.rank == 2 ? "!m" : "!v");
  }
  return "// " + std::to_string(number) + "\n!v = tensor<16xf32>\n!m = tensor<16x16xf32>\n" +
         "func.func @growing(%qs: " + rows + ", %ks: " + rows + ", %vs: " + rows + ", %gs: " + scalars +
         ", %hs: " + scalars + ") -> " + rows + " {\n  %y" + results +
         " = pattern.scan tokens(%q = %qs : " + rows + ", %k = %ks : " + rows + ", %v = %vs : " + rows +
         ", %g = %gs : " + scalars + ", %h = %hs : " + scalars + ")\n      states(" + inits + ") -> (" +
         rows + ") {\n    %x0 = pattern.sigmoid %g : f32\n" + "    %z0 = pattern.sigmoid %h : f32\n" +
         pattern.step(n) + "    pattern.yield outputs(%o : !v) states(" + next + " : " + types +
         ")\n  }\n  return %y : " + rows + "\n}\n";
}

/// `line` once for each i below n: # is i, and @ is i + 1.
inline std::string repeated(int n, const std::string &line) {
  std::string text;
  for (int i = 0; i < n; ++i)
    for (char c : line)
      if (c == '#' || c == '@')
        text += std::to_string(c == '#' ? i : i + 1);
      else
        text += c;
  return text;
}

/// The step's end: the state decays by `decay`, takes `value` at `key` and is read by %q.
inline std::string written(const std::string &decay, const std::string &state = "%S0",
                           const std::string &key = "%k", const std::string &value = "%v") {
  return "    %decay = pattern.broadcast " + decay + " : f32 to !m\n    %kept = arith.mulf %decay, " + state +
         " : !m\n    %write = pattern.outer " + key + ", " + value +
         " : !v, !v\n    %N0 = arith.addf %kept, %write : !m\n    %o = pattern.read %N0, %q : !m, !v\n";
}

} // namespace linmu::test
