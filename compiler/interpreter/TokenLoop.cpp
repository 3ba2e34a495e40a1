// scan and map: the sequential loop that defines them.
#include "compiler/interpreter/Evaluation.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::interpreter;
using pattern::StepValue;

namespace {

/// One walk: of a whole sequence of the batch, or, with a table of sequences, of some positions of the only
/// one.
struct Walk {
  std::int64_t batch, sequence; ///< of the tokens; of states and tails
  std::int64_t first, count;    ///< positions
};

/// Everything that the loop of one head of one sequence reads, prepared once.
template <typename LoopOp> class Loop {
public:
  Loop(LoopOp op, const Values &values, const Call &call)
      : op_(op), call_(call), heads_(op.getHeads()), order_(find(values, op.getOrder())),
        sequences_(find(values, op.getSequences())), segments_(find(values, op.getSegments())),
        segmentsTail_(find(values, op.getTailOf(op.getTokens().size()))),
        sourceMask_(find(values, op.getSourceMask())), outputMask_(find(values, op.getOutputMask())) {
    for (Value param : op.getParams())
      params_.emplace_back(values.at(param), 1);
    for (auto [index, token] : llvm::enumerate(op.getTokens())) {
      tokens_.emplace_back(values.at(token), 3);
      tails_.push_back(find(values, op.getTailOf(index)));
      masked_.push_back(sourceMask_ && llvm::is_contained(op.getZeroes(), int64_t(index)));
    }
    for (unsigned state = 0; state < op.getFinals().size(); ++state)
      inits_.push_back(find(values, op.getInitOf(state)));
    Call ofStates = call;
    ofStates.batch = countSequences();
    for (auto [index, result] : llvm::enumerate(op->getResults()))
      results_.push_back(zeros(result.getType(), index < op.getOutputs().size() ? call : ofStates));
  }

  FailureOr<std::vector<HostTensor>> run() {
    if (order_ && failed(checkOrder(op_, *order_, call_)))
      return failure();
    if (sequences_ && failed(checkSequences(op_, *sequences_, call_)))
      return failure();
    auto violation = parallelFor(countSequences() * heads_, call_.threads, [&](std::int64_t index) {
      return runHead(walkOf(index / heads_), index % heads_);
    });
    if (violation)
      return emitViolation(*violation, heads_);
    for (std::int64_t sequence = 0; sequence < countSequences(); ++sequence)
      keepTails(walkOf(sequence));
    return std::move(results_);
  }

private:
  static const HostTensor *find(const Values &values, Value value) {
    return value ? &values.find(value)->second : nullptr;
  }

  std::int64_t countSequences() const { return sequences_ ? sequences_->shape[0] - 1 : call_.batch; }
  Walk walkOf(std::int64_t sequence) const {
    if (!sequences_)
      return {sequence, sequence, 0, call_.tokens};
    auto first = std::int64_t(sequences_->elements[sequence]);
    return {0, sequence, first, std::int64_t(sequences_->elements[sequence + 1]) - first};
  }

  /// The token that a walk visits as its `step`-th.
  std::int64_t tokenAt(const Walk &walk, std::int64_t step) const {
    std::int64_t position = walk.first + (op_.getReverse() ? walk.count - 1 - step : step);
    return order_ ? std::int64_t(entry(*order_, walk.batch, position)) : position;
  }

  /// Head h of H reads head h / (H / G) of an operand with G heads.
  std::int64_t headOf(std::int64_t head, std::int64_t heads) const { return head / (heads_ / heads); }

  void readToken(unsigned operand, std::int64_t batch, std::int64_t token, std::int64_t head,
                 StepValue &slice) const {
    const Rows &rows = tokens_[operand];
    if (masked_[operand] && !entry(*sourceMask_, batch, token))
      std::fill(slice.elements.begin(), slice.elements.end(), 0.0);
    else
      std::copy_n(rows.at(batch, token, headOf(head, rows.extent(2))), rows.features, slice.elements.begin());
  }

  /// Whether the segment changes between the token visited as the `step`-th and the one before it.
  bool restartsAt(const Walk &walk, std::int64_t step) const {
    if (!segments_ || (step == 0 && !segmentsTail_))
      return false;
    double before = step > 0 ? entry(*segments_, walk.batch, tokenAt(walk, step - 1))
                             : entry(*segmentsTail_, walk.sequence, segmentsTail_->shape[1] - 1);
    return entry(*segments_, walk.batch, tokenAt(walk, step)) != before;
  }

  /// The slice `distance` steps before `step`. What a tail holds has passed the mask of its own part.
  void readLag(unsigned operand, const Walk &walk, std::int64_t step, std::int64_t distance,
               std::int64_t head, const StepValue *otherwise, StepValue &slice) const {
    if (step >= distance)
      return readToken(operand, walk.batch, tokenAt(walk, step - distance), head, slice);
    if (const HostTensor *tail = tails_[operand]) {
      Rows rows(*tail, 3);
      std::copy_n(rows.at(walk.sequence, rows.extent(1) + step - distance, headOf(head, rows.extent(2))),
                  rows.features, slice.elements.begin());
    } else if (otherwise) {
      slice.elements = otherwise->elements;
    } else {
      std::fill(slice.elements.begin(), slice.elements.end(), 0.0);
    }
  }

  std::optional<ViolationAt> runHead(const Walk &walk, std::int64_t head) {
    Step step(op_.getBody(), params_.size());
    unsigned firstToken = params_.size(), firstState = firstToken + tokens_.size();
    for (auto [index, param] : llvm::enumerate(params_))
      std::copy_n(param.tensor->elements.data() + headOf(head, param.extent(0)) * param.features,
                  param.features, step.argument(index).elements.begin());
    std::vector<StepValue> states(inits_.size());
    for (auto [index, init] : llvm::enumerate(inits_)) {
      states[index] = step.argument(firstState + index);
      if (init)
        std::copy_n(Rows(*init, 2).at(walk.sequence, head), states[index].elements.size(),
                    states[index].elements.begin());
    }
    if (auto violation = step.startHead())
      return ViolationAt{*violation, 0};

    pattern::YieldOp yield = op_.getYield();
    for (std::int64_t at = 0; at < walk.count; ++at) {
      std::int64_t token = tokenAt(walk, at);
      for (unsigned operand = 0; operand < tokens_.size(); ++operand)
        readToken(operand, walk.batch, token, head, step.argument(firstToken + operand));
      bool restart = restartsAt(walk, at);
      for (auto [index, state] : llvm::enumerate(states)) {
        if (restart)
          std::fill(state.elements.begin(), state.elements.end(), 0.0);
        step.argument(firstState + index).elements = state.elements;
      }
      auto violation = step.evaluate([&](pattern::LagOp lag, const StepValue *otherwise, StepValue &slice) {
        unsigned operand = cast<BlockArgument>(lag.getSource()).getArgNumber() - firstToken;
        readLag(operand, walk, at, lag.getDistance(), head, otherwise, slice);
      });
      if (violation)
        return ViolationAt{*violation, token};
      for (auto [index, value] : llvm::enumerate(yield.getStates()))
        states[index].elements = step[value].elements;
      if (outputMask_ && !entry(*outputMask_, walk.batch, token))
        continue; // results start as zeros
      for (auto [index, value] : llvm::enumerate(yield.getOutputs()))
        write(results_[index], Rows(results_[index], 3).at(walk.batch, token, head), step[value]);
    }
    for (auto [index, state] : llvm::enumerate(states)) {
      HostTensor &final = results_[op_.getOutputs().size() + index];
      write(final, Rows(final, 2).at(walk.sequence, head), state);
    }
    return {};
  }

  static void write(HostTensor &tensor, const double *row, const StepValue &value) {
    llvm::copy(value.elements, tensor.elements.begin() + (row - tensor.elements.data()));
  }

  /// The mask that zeroes what tail number `index` keeps of its operand, or null.
  const HostTensor *maskOfTail(unsigned index) {
    std::int64_t owner = op_.getTailOwners()[index];
    if (llvm::is_contained(op_.getZeroes(), owner))
      return sourceMask_;
    ArrayRef<std::int64_t> masks = op_.getTailMasks();
    return masks.empty() || masks[index] < 0 ? nullptr : tokens_[masks[index]].tensor;
  }

  /// Final tails: the last tokens of the tail followed by the tokens as lags read them, oldest first.
  void keepTails(const Walk &walk) {
    for (auto [index, owner] : llvm::enumerate(op_.getTailOwners())) {
      HostTensor &kept = results_[op_.getOutputs().size() + op_.getFinals().size() + index];
      bool ofSegments = owner == std::int64_t(tokens_.size());
      Rows to(kept, 3), before(ofSegments ? *segmentsTail_ : *tails_[owner], 3);
      Rows tokens = ofSegments ? Rows(*segments_, 3) : tokens_[owner];
      const HostTensor *mask = maskOfTail(index);
      std::int64_t length = to.extent(1);
      for (std::int64_t i = 0; i < length; ++i)
        for (std::int64_t head = 0; head < to.extent(2); ++head) {
          std::int64_t step = walk.count - length + i; // negative: so many tokens before the first
          if (step >= 0 && mask && !entry(*mask, walk.batch, tokenAt(walk, step)))
            continue; // results start as zeros
          const double *from = step < 0 ? before.at(walk.sequence, length + step, head)
                                        : tokens.at(walk.batch, tokenAt(walk, step), head);
          std::copy_n(from, to.features,
                      kept.elements.begin() + (to.at(walk.sequence, i, head) - kept.elements.data()));
        }
    }
  }

  mutable LoopOp op_; // accessors of ops are not const
  const Call &call_;
  std::int64_t heads_;
  const HostTensor *order_, *sequences_, *segments_, *segmentsTail_, *sourceMask_, *outputMask_;
  std::vector<Rows> params_, tokens_;
  std::vector<const HostTensor *> tails_, inits_;
  std::vector<bool> masked_; ///< by token operand: zero where the source mask is false
  std::vector<HostTensor> results_;
};

} // namespace

FailureOr<std::vector<HostTensor>> interpreter::evaluate(pattern::ScanOp op, const Values &values,
                                                         const Call &call) {
  return Loop(op, values, call).run();
}
FailureOr<std::vector<HostTensor>> interpreter::evaluate(pattern::MapOp op, const Values &values,
                                                         const Call &call) {
  return Loop(op, values, call).run();
}
