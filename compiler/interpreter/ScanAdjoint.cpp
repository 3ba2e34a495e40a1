// scan_adjoint: the states of the scan, one a token, then the walk back that defines the gradients.
#include "compiler/interpreter/Evaluation.h"
#include <cmath>

using namespace mlir;
using namespace linmu;
using namespace linmu::interpreter;
using pattern::StepValue;

namespace {

using Vector = std::vector<double>;

/// The form's operands at one token.
struct Token {
  Vector decay, value_decay; ///< with their signs: one or K elements, and V; none without decay
  std::vector<Vector> reads, keys, values;
  Vector feedback; ///< one a term
  Vector coupling; ///< the same
};

/// A state of one sequence and head as it is stored.
struct State {
  int64_t keys = 1, values = 1;
  bool values_first = false; ///< V x K
  Vector elements;

  double &at(int64_t k, int64_t v) { return elements[values_first ? v * keys + k : k * values + v]; }
  /// r^T S
  Vector read(const Vector &key) {
    Vector result(values, 0.0);
    for (int64_t k = 0; k < keys; ++k)
      for (int64_t v = 0; v < values; ++v)
        result[v] += key[k] * at(k, v);
    return result;
  }
  /// S w
  Vector readByValue(const Vector &value) {
    Vector result(keys, 0.0);
    for (int64_t k = 0; k < keys; ++k)
      for (int64_t v = 0; v < values; ++v)
        result[k] += at(k, v) * value[v];
    return result;
  }
  /// S + k w^T
  void write(const Vector &key, const Vector &value) {
    for (int64_t k = 0; k < keys; ++k)
      for (int64_t v = 0; v < values; ++v)
        at(k, v) += key[k] * value[v];
  }
};

/// Coupled states, or the only one.
using States = std::vector<State>;

void add(Vector &sum, const Vector &term, double factor = 1) {
  for (auto [element, more] : llvm::zip_equal(sum, term))
    element += factor * more;
}

double dot(const Vector &a, const Vector &b) {
  double sum = 0;
  for (auto [x, y] : llvm::zip_equal(a, b))
    sum += x * y;
  return sum;
}

class Adjoint {
public:
  Adjoint(pattern::ScanAdjointOp op, const Values &values, const Call &call)
      : op_(op), form_(op.getForm()), call_(call), heads_(op.getHeads()), order_(find(values, op.getOrder())),
        sequences_(find(values, op.getSequences())) {
    for (unsigned state = 0; state < op.getNumStates(); ++state) {
      inits_.push_back(find(values, op.getInitOf(state)));
      finals_.push_back(find(values, op.getFinalCotangentOf(state)));
    }
    for (Value token : op.getTokens())
      tokens_.emplace_back(values.at(token), 3);
    auto cotangent = [&](Value value) {
      return value ? std::optional(Rows(values.at(value), 3)) : std::nullopt;
    };
    for (size_t read = 0; read < form_.getReads().size(); ++read)
      read_cotangents_.push_back(cotangent(op.getReadCotangent(read)));
    for (size_t write = 0; write < form_.getWrites().size(); ++write)
      write_cotangents_.push_back(cotangent(op.getWriteCotangent(write)));
    Call ofStates = call;
    ofStates.batch = countSequences();
    for (Value gradient : op.getGradients())
      results_.push_back(zeros(gradient.getType(), call));
    for (Value gradient : op.getInitGradients())
      results_.push_back(zeros(gradient.getType(), ofStates));
    if (auto tensor = dyn_cast<RankedTensorType>(op.getStateSlice())) {
      int64_t axis = form_.getKeyAxis();
      zero_.values_first = axis == 1;
      for (int64_t other = 0; other < tensor.getRank(); ++other)
        (other == axis ? zero_.keys : zero_.values) = tensor.getDimSize(other);
    }
    zero_.elements.assign(zero_.keys * zero_.values, 0.0);
  }

  FailureOr<std::vector<HostTensor>> run() {
    if (order_ && failed(checkOrder(op_, *order_, call_)))
      return failure();
    if (sequences_ && failed(checkSequences(op_, *sequences_, call_)))
      return failure();
    auto violation = parallelFor(countSequences() * heads_, call_.threads,
                                 [&](std::int64_t index) { return runHead(index / heads_, index % heads_); });
    if (violation)
      return emitViolation(*violation, heads_);
    return std::move(results_);
  }

private:
  static const HostTensor *find(const Values &values, Value value) {
    return value ? &values.find(value)->second : nullptr;
  }
  std::int64_t countSequences() const { return sequences_ ? sequences_->shape[0] - 1 : call_.batch; }

  /// The tokens of a sequence as the scan visits them.
  std::vector<std::int64_t> visited(std::int64_t sequence) const {
    std::int64_t first = 0, end = call_.tokens;
    if (sequences_) {
      first = std::int64_t(sequences_->elements[sequence]);
      end = std::int64_t(sequences_->elements[sequence + 1]);
    }
    std::vector<std::int64_t> tokens;
    for (std::int64_t position = first; position < end; ++position)
      tokens.push_back(order_ ? std::int64_t(entry(*order_, sequences_ ? 0 : sequence, position)) : position);
    if (op_.getReverse())
      std::reverse(tokens.begin(), tokens.end());
    return tokens;
  }

  States statesOf(llvm::ArrayRef<const HostTensor *> tensors, std::int64_t sequence,
                  std::int64_t head) const {
    States states(tensors.size(), zero_);
    for (auto [state, tensor] : llvm::zip_equal(states, tensors))
      if (tensor)
        std::copy_n(Rows(*tensor, 2).at(sequence, head), state.elements.size(), state.elements.begin());
    return states;
  }

  Vector cotangent(const std::optional<Rows> &rows, std::int64_t batch, std::int64_t token,
                   std::int64_t head) const {
    Vector value(zero_.values, 0.0);
    if (rows)
      std::copy_n(rows->at(batch, token, head), value.size(), value.begin());
    return value;
  }

  Token tokenOf(Step &step) const {
    auto all = [&](OperandRange operands) {
      std::vector<Vector> vectors;
      for (Value operand : operands)
        vectors.push_back(step[operand].elements);
      return vectors;
    };
    auto factors = [&](Value logarithms, Value signs) {
      Vector result;
      if (logarithms)
        for (double logarithm : step[logarithms].elements)
          result.push_back(std::exp(logarithm));
      if (signs)
        for (auto [factor, sign] : llvm::zip_equal(result, step[signs].elements))
          factor *= sign;
      return result;
    };
    Token token{.decay = factors(form_.getDecay(), form_.getSign()),
                .value_decay = factors(form_.getValueDecay(), form_.getValueSign()),
                .reads = all(form_.getReads()),
                .keys = all(form_.getWrites()),
                .values = all(form_.getValues()),
                .feedback = {},
                .coupling = {}};
    for (Value factor : form_.getFeedback())
      token.feedback.push_back(step[factor].elements.front());
    for (Value factor : form_.getCoupling())
      token.coupling.push_back(step[factor].elements.front());
    return token;
  }

  /// The place of the decay that row k of the state has.
  static std::size_t decayPlace(const Token &token, int64_t k) { return token.decay.size() == 1 ? 0 : k; }
  /// A decay of zero forgets whatever there was, if no number too.
  void decay(const Token &token, State &state) const {
    for (int64_t k = 0; k < state.keys; ++k)
      for (int64_t v = 0; v < state.values; ++v) {
        double factor = token.decay.empty() ? 1 : token.decay[decayPlace(token, k)];
        factor *= token.value_decay.empty() ? 1 : token.value_decay[v];
        state.at(k, v) = factor == 0 ? 0 : factor * state.at(k, v);
      }
  }

  /// What is left of the states at a token: sum over q of A_pq S_q, or its transpose.
  States left(const Token &token, States states, bool transposed) const {
    if (!form_.isCoupled()) {
      decay(token, states.front());
      return states;
    }
    States result(states.size(), zero_);
    for (auto [term, factor] : llvm::enumerate(token.coupling)) {
      auto [to, from] = termOf(term);
      if (transposed)
        std::swap(to, from);
      if (factor != 0)
        add(result[to].elements, states[from].elements, factor);
    }
    return result;
  }
  /// The states (p, q) of a factor of the coupling.
  std::pair<std::size_t, std::size_t> termOf(std::size_t term) const {
    return {form_.getCouplingIndex()[2 * term], form_.getCouplingIndex()[2 * term + 1]};
  }
  std::size_t stateOfRead(std::size_t read) const { return form_.getStateOfRead(read); }

  bool inclusive(std::size_t read) const { return form_.getInclusive()[read]; }
  std::size_t writeOf(std::size_t term) const { return form_.getFeedbackIndex()[2 * term]; }
  std::size_t readOf(std::size_t term) const { return form_.getFeedbackIndex()[2 * term + 1]; }

  /// w_i, from the state before the token.
  std::vector<Vector> writesOf(const Token &token, States &before) const {
    std::vector<Vector> writes = token.values;
    for (std::size_t term = 0; term < token.feedback.size(); ++term)
      add(writes[writeOf(term)], before[stateOfRead(readOf(term))].read(token.reads[readOf(term)]),
          token.feedback[term]);
    return writes;
  }

  States next(const Token &token, States before) const {
    std::vector<Vector> writes = writesOf(token, before);
    States after = left(token, before, /*transposed=*/false);
    for (std::size_t write = 0; write < writes.size(); ++write)
      for (int64_t state : form_.getStatesOfWrite(write))
        after[state].write(token.keys[write], writes[write]);
    return after;
  }

  std::optional<ViolationAt> runHead(std::int64_t sequence, std::int64_t head) {
    std::int64_t batch = sequences_ ? 0 : sequence;
    Step step(op_.getBody(), 0);
    if (auto violation = step.startHead())
      return ViolationAt{*violation, 0};
    std::vector<std::int64_t> order = visited(sequence);
    std::vector<States> states{statesOf(inits_, sequence, head)};
    std::vector<Token> tokens;
    for (std::int64_t token : order) {
      for (auto [index, rows] : llvm::enumerate(tokens_))
        std::copy_n(rows.at(batch, token, head / (heads_ / rows.extent(2))), rows.features,
                    step.argument(index).elements.begin());
      if (auto violation = step.evaluate([](pattern::LagOp, const StepValue *, StepValue &) {}))
        return ViolationAt{*violation, token};
      tokens.push_back(tokenOf(step));
      states.push_back(next(tokens.back(), states.back()));
    }
    States adjoint = statesOf(finals_, sequence, head);
    for (std::size_t at = order.size(); at-- > 0;)
      walkBack(tokens[at], states[at], states[at + 1], adjoint, batch, order[at], head);
    for (auto [state, gradient] :
         llvm::zip_equal(adjoint, llvm::MutableArrayRef(results_).take_back(adjoint.size())))
      write(gradient, Rows(gradient, 2).at(sequence, head), state.elements);
    return {};
  }

  /// The gradients of one token; `adjoint` goes from D behind it to D before it.
  void walkBack(const Token &token, States &before, States &after, States &adjoint, std::int64_t batch,
                std::int64_t row, std::int64_t head) {
    std::vector<Vector> dy, dw, dReads, dKeys, writes = writesOf(token, before);
    for (auto [read, rows] : llvm::enumerate(read_cotangents_)) {
      dy.push_back(cotangent(rows, batch, row, head));
      if (inclusive(read))
        adjoint[stateOfRead(read)].write(token.reads[read], dy[read]);
    }
    for (auto [write, rows] : llvm::enumerate(write_cotangents_)) {
      dw.push_back(cotangent(rows, batch, row, head));
      dKeys.emplace_back(zero_.keys, 0.0);
      for (int64_t state : form_.getStatesOfWrite(write)) {
        add(dw[write], adjoint[state].read(token.keys[write]));
        add(dKeys[write], adjoint[state].readByValue(writes[write]));
      }
    }
    Vector dFeedback, dDecay(token.decay.size(), 0.0), dValueDecay(token.value_decay.size(), 0.0);
    for (std::size_t term = 0; term < token.feedback.size(); ++term) {
      State &read = before[stateOfRead(readOf(term))];
      dFeedback.push_back(dot(dw[writeOf(term)], read.read(token.reads[readOf(term)])));
      add(dy[readOf(term)], dw[writeOf(term)], token.feedback[term]);
    }
    for (std::size_t read = 0; read < dy.size(); ++read)
      dReads.push_back((inclusive(read) ? after : before)[stateOfRead(read)].readByValue(dy[read]));
    Vector dCoupling;
    for (std::size_t term = 0; term < token.coupling.size(); ++term)
      dCoupling.push_back(dot(adjoint[termOf(term).first].elements, before[termOf(term).second].elements));
    adjoint = left(token, adjoint, /*transposed=*/true);
    for (int64_t k = 0; k < zero_.keys && !form_.isCoupled(); ++k)
      for (int64_t v = 0; v < zero_.values; ++v) {
        double decayed = adjoint.front().at(k, v);
        double crosses = decayed == 0 ? 0 : before.front().at(k, v) * decayed;
        if (!dDecay.empty())
          dDecay[decayPlace(token, k)] += crosses;
        if (!dValueDecay.empty())
          dValueDecay[v] += crosses;
      }
    for (std::size_t read = 0; read < dy.size(); ++read)
      if (!inclusive(read))
        adjoint[stateOfRead(read)].write(token.reads[read], dy[read]);

    std::size_t result = 0;
    auto give = [&](const Vector &gradient) {
      HostTensor &tensor = results_[result++];
      write(tensor, Rows(tensor, 3).at(batch, row, head), gradient);
    };
    if (form_.getDecay())
      give(dDecay);
    if (form_.getValueDecay())
      give(dValueDecay);
    for (const std::vector<Vector> &gradients : {dReads, dKeys, dw})
      llvm::for_each(gradients, give);
    for (const Vector &gradients : {dFeedback, dCoupling})
      for (double gradient : gradients)
        give({gradient});
  }

  static void write(HostTensor &tensor, const double *row, const Vector &value) {
    llvm::copy(value, tensor.elements.begin() + (row - tensor.elements.data()));
  }

  mutable pattern::ScanAdjointOp op_; // accessors of ops are not const
  mutable pattern::FormOp form_;
  const Call &call_;
  std::int64_t heads_;
  const HostTensor *order_, *sequences_;
  llvm::SmallVector<const HostTensor *> inits_, finals_; ///< of each state; null: zero
  std::vector<Rows> tokens_;
  std::vector<std::optional<Rows>> read_cotangents_, write_cotangents_; ///< none: zero
  State zero_;
  std::vector<HostTensor> results_;
};

} // namespace

FailureOr<std::vector<HostTensor>> interpreter::evaluate(pattern::ScanAdjointOp op, const Values &values,
                                                         const Call &call) {
  return Adjoint(op, values, call).run();
}
