#include "tests/unit/cut_walk.h"
#include <algorithm>
#include <cmath>
#include <numeric>

namespace linmu::test::cuts {

std::vector<Cuts> cutsOf(int tokens) {
  int middle = tokens / 2, last = tokens - 1;
  return {{0},
          {1},
          {2},
          {3},
          {middle},
          {last},
          {tokens},
          {1, 2},
          {2, middle},
          {3, 3},
          {middle, middle + 1},
          {middle, last},
          {0, last},
          {1, tokens}};
}

/// The tokens of sequence `b` in the order of the walk.
static std::vector<int> walkOf(const Combination &with, const Operands &operands, int b) {
  const HostTensor &order = operands.at("order");
  std::vector<int> walk(order.shape[1]);
  for (int p = 0; p < int(walk.size()); ++p)
    walk[p] = with.order ? int(at(order, {b, p})) : p;
  if (with.reverse)
    std::reverse(walk.begin(), walk.end());
  return walk;
}

namespace {

/// One sequence, its tokens by step.
struct Sequence {
  const Combination &with;
  const Operands &operands;
  int b;
  std::vector<int> walk;

  /// Element `i` of the token at `step` for head `h` as lags see it; negative steps lie in the tail.
  double value(const std::string &name, int step, int h, int i) const {
    const HostTensor &from = operands.at(step < 0 ? name + "tail" : name);
    int row = step < 0 ? with.tailOf(name) + step : walk[step];
    if (step >= 0 && name != "g" && with.sourceMask && !at(operands.at("source"), {b, row}))
      return 0;
    if (name == "g")
      return with.sharedHeads ? at(from, {b, row}) : at(from, {b, row, h});
    return at(from, {b, row, h / (with.heads() / with.groups()), i});
  }
  /// The same `distance` steps earlier, in a part that begins at `start`.
  double lag(const std::string &name, int step, int distance, int start, int h, int i) const {
    if (with.before == Before::tail || step - distance >= start)
      return value(name, step - distance, h, i);
    return with.before == Before::otherwise ? value(name, step, h, i) : 0;
  }
  bool restarts(int step, int start) const {
    if (with.segments == Segments::none || (with.segments == Segments::bare && step == start))
      return false;
    double before = step ? at(operands.at("id"), {b, walk[step - 1]}) : at(operands.at("idtail"), {b, 0});
    return at(operands.at("id"), {b, walk[step]}) != before;
  }
};

} // namespace

/// The outputs and the state of head `h`.
static void walkHead(const Sequence &sequence, int h, const Cuts &cuts, HostTensor &y, HostTensor &state) {
  const Combination &with = sequence.with;
  double *S = state.elements.data() + (sequence.b * with.heads() + h) * features * features;
  int start = 0;
  for (int step = 0; step < int(sequence.walk.size()); ++step) {
    if (std::find(cuts.begin(), cuts.end(), step) != cuts.end())
      start = step;
    double k[features], v[features], g = sequence.value("g", step, h, 0);
    if (with.lag)
      g += weights[0] * sequence.lag("g", step, 1, start, h, 0);
    double a = 1 / (1 + std::exp(-g));
    for (int i = 0; i < features; ++i) {
      k[i] = sequence.value("k", step, h, i);
      v[i] = sequence.value("v", step, h, i);
      if (with.lag)
        k[i] += weights[0] * sequence.lag("k", step, with.lag, start, h, i);
      for (int distance = 1; distance <= with.lag; ++distance)
        v[i] += weights[distance - 1] * sequence.lag("v", step, distance, start, h, i);
    }
    if (sequence.restarts(step, start))
      std::fill_n(S, features * features, 0.0);
    int token = sequence.walk[step];
    double q[features], out[features] = {};
    for (int i = 0; i < features; ++i)
      q[i] = at(sequence.operands.at("q"), {sequence.b, token, h, i});
    for (int i = 0; i < features; ++i)
      for (int j = 0; j < features; ++j) {
        double &element = S[i * features + j];
        element = a * element + k[i] * v[j];
        out[j] += q[i] * element;
      }
    bool live = !with.outputMask || at(sequence.operands.at("live"), {sequence.b, token});
    for (int j = 0; j < features; ++j)
      y.elements[((sequence.b * sequence.walk.size() + token) * with.heads() + h) * features + j] =
          !live      ? 0
          : with.map ? a * v[j] + k[j] * q[j]
                     : out[j];
  }
}

/// The last entries of the tail and, behind them, of what the walk read.
static HostTensor tailAfter(const std::string &name, const Combination &with, const Operands &operands) {
  HostTensor tail = operands.at(name + "tail");
  int length = int(tail.shape[1]), heads = tail.shape.size() > 2 ? int(tail.shape[2]) : 1;
  int size = tail.shape.size() > 3 ? features : 1;
  for (int b = 0; b < batch; ++b) {
    Sequence sequence{with, operands, b, walkOf(with, operands, b)};
    int tokens = int(sequence.walk.size());
    for (int l = 0; l < length; ++l)
      for (int head = 0; head < heads; ++head)
        for (int i = 0; i < size; ++i) {
          int step = tokens - length + l;
          double value = name == "id" ? step < 0 ? at(operands.at("idtail"), {b, 0})
                                                 : at(operands.at("id"), {b, sequence.walk[step]})
                                      : sequence.value(name, step, head * (with.heads() / heads), i);
          tail.elements[((b * length + l) * heads + head) * size + i] = value;
        }
  }
  return tail;
}

Operands expected(const Combination &with, const Operands &operands, const Cuts &cuts) {
  Operands results;
  HostTensor y = operands.at("q"), state = operands.at("s0");
  for (int b = 0; b < batch; ++b) {
    Sequence sequence{with, operands, b, walkOf(with, operands, b)};
    for (int h = 0; h < with.heads(); ++h)
      walkHead(sequence, h, cuts, y, state);
  }
  for (const std::string &name : resultsOf(with))
    results[name] = name == "y"    ? y
                    : name == "s0" ? state
                                   : tailAfter(name.substr(0, name.size() - 4), with, operands);
  return results;
}

/// Rows [B, n, ...] of a token operand; `rows` lists the tokens of each sequence.
static HostTensor gather(const HostTensor &tensor, const std::vector<std::vector<int>> &rows) {
  HostTensor result = tensor;
  result.shape[1] = std::int64_t(rows[0].size());
  result.elements.clear();
  std::int64_t size =
      std::accumulate(tensor.shape.begin() + 2, tensor.shape.end(), std::int64_t(1), std::multiplies<>());
  for (std::size_t b = 0; b < rows.size(); ++b)
    for (int row : rows[b]) {
      auto from = tensor.elements.begin() + (std::int64_t(b) * tensor.shape[1] + row) * size;
      result.elements.insert(result.elements.end(), from, from + size);
    }
  return result;
}

/// The order table of a part: the position of each token of the walk among the part's own tokens.
static HostTensor orderOf(const Combination &with, const std::vector<std::vector<int>> &visited,
                          const std::vector<std::vector<int>> &rows) {
  HostTensor order{DType::i32, {batch, std::int64_t(rows[0].size())}, {}};
  for (int b = 0; b < batch; ++b) {
    std::vector<int> walk = visited[b];
    if (with.reverse)
      std::reverse(walk.begin(), walk.end());
    for (int token : walk)
      order.elements.push_back(
          double(std::lower_bound(rows[b].begin(), rows[b].end(), token) - rows[b].begin()));
  }
  return order;
}

Operands inParts(const Combination &with, const Operands &operands, const Cuts &cuts, const Run &run) {
  int tokens = int(operands.at("q").shape[1]);
  Operands held = operands, results;
  HostTensor y = operands.at("q");
  std::fill(y.elements.begin(), y.elements.end(), NAN);
  Cuts ends = cuts;
  ends.push_back(tokens);
  int begin = 0;
  for (int end : ends) {
    std::vector<std::vector<int>> visited, rows;
    for (int b = 0; b < batch; ++b) {
      std::vector<int> walk = walkOf(with, operands, b);
      visited.emplace_back(walk.begin() + begin, walk.begin() + end);
      rows.push_back(visited.back());
      std::sort(rows.back().begin(), rows.back().end());
    }
    for (const char *name : {"q", "k", "v", "g", "id", "source", "live"})
      held[name] = gather(operands.at(name), rows);
    held["order"] = orderOf(with, visited, rows);
    std::vector<HostTensor> inputs;
    for (const std::string &name : inputsOf(with))
      inputs.push_back(held.at(name));
    std::vector<HostTensor> outputs = run(inputs);
    std::vector<std::string> names = resultsOf(with);
    if (outputs.size() != names.size())
      return {};
    std::int64_t size = with.heads() * features;
    for (int b = 0; b < batch; ++b)
      for (int i = 0; i < end - begin; ++i)
        std::copy_n(outputs[0].elements.begin() + (b * (end - begin) + i) * size, size,
                    y.elements.begin() + (b * tokens + rows[b][i]) * size);
    for (std::size_t i = 1; i < names.size(); ++i)
      held[names[i]] = results[names[i]] = outputs[i];
    begin = end;
  }
  results["y"] = y;
  return results;
}

} // namespace linmu::test::cuts
