#include "compiler/derive/token_walk.h"
#include "compiler/derive/resets.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace linmu;

/// One state of the normal form for one token, in the orientation in which it is stored.
namespace {
struct TokenState {
  TileBuilder &builder;
  int64_t key_axis;
  Type type;
  bool resets; ///< the state may hold what a key or weight of zero leaves out, though it is no number

  ArrayRef<int64_t> shape() const { return cast<RankedTensorType>(type).getShape(); }
  int64_t rank() const { return isa<RankedTensorType>(type) ? cast<RankedTensorType>(type).getRank() : 0; }

  /// A vector over the key axis (or, with `keys` false, over the other one; or a scalar), over the state.
  Value spread(Value value, bool keys) const {
    if (rankOf(value) == rank())
      return value;
    if (rankOf(value) == 0)
      return builder.fill(value, shape());
    return builder.along(value, keys ? key_axis : 1 - key_axis, shape());
  }
  /// A factor times what was read with a key. Where the state may be reset, zero times what the state held is
  /// zero, whatever that was, but what the key holds stays.
  Value times(Value factor, Value of, Value key) const {
    Value product = builder.multiply(factor, of);
    if (!resets)
      return product;
    Value zero = builder.splat(product.getType(), 0);
    Value none = arith::CmpFOp::create(builder, arith::CmpFPredicate::OEQ, factor, zero);
    return builder.select(none, readOfZero(key, product), product);
  }
  /// What a key reads of a state of zeros, of the type of `like`.
  Value readOfZero(Value key, Value like) const {
    Value own = key_axis < 0 ? spread(key, true) : key;
    Value product = builder.multiply(own, builder.splat(own.getType(), 0));
    if (key_axis >= 0 && rankOf(product) == 1)
      product = builder.sum(product, 0);
    bool whole = rankOf(product) == rankOf(like);
    return whole ? product : builder.fill(product, cast<RankedTensorType>(like.getType()).getShape());
  }
  /// r^T S
  Value read(Value state, Value key) const {
    Value product = builder.multiply(spread(key, true), state);
    return key_axis < 0 ? product : builder.sum(product, key_axis);
  }
  /// k w^T
  Value outer(Value key, Value value) const {
    return builder.multiply(spread(key, true), spread(value, false));
  }
};
} // namespace

/// What is left of coupled states: sum over q of A_pq S_q.
static SmallVector<Value> mixed(TileBuilder &builder, pattern::FormOp form, StepEmitter &step,
                                const TokenState &of, ValueRange states) {
  SmallVector<Value> next(states.size());
  for (auto [term, value] : llvm::enumerate(form.getCoupling())) {
    Value &sum = next[form.getCouplingIndex()[2 * term]];
    Value factor = of.spread(step.get(value).tile, true);
    Value part = builder.multiply(factor, states[form.getCouplingIndex()[2 * term + 1]]);
    // What is left out may be no number.
    if (of.resets) {
      Value zero = builder.splat(part.getType(), 0);
      Value none = arith::CmpFOp::create(builder, arith::CmpFPredicate::OEQ, factor, zero);
      part = builder.select(none, zero, part);
    }
    sum = sum ? builder.add(sum, part) : part;
  }
  for (Value &state : next)
    if (!state)
      state = builder.splat(of.type, 0);
  return next;
}

/// S' and the reads and writes of one state, or of coupled ones, appended to `reads` as y_0, y_1, ..., w_0,
/// w_1, ... Without `readsAndWrites` that of K x K matrices into which no values are written.
static SmallVector<Value> advance(TileBuilder &builder, pattern::FormOp form, StepEmitter &step,
                                  ValueRange states, SmallVectorImpl<Value> *readsAndWrites) {
  int64_t keyAxis = readsAndWrites ? int64_t(form.getKeyAxis()) : 0;
  TokenState of{builder, keyAxis, states.front().getType(), mayReset(form)};
  auto tile = [&](Value value) { return step.get(value).tile; };
  SmallVector<Value> reads(form.getReads().size());
  for (auto [j, key] : llvm::enumerate(form.getReads()))
    if (!form.getInclusive()[j])
      reads[j] = of.read(states[form.getStateOfRead(j)], tile(key));

  SmallVector<Value> writes;
  for (Value value : form.getValues())
    writes.push_back(readsAndWrites ? step.slice(value).tile
                                    : builder.splat(builder.f32Tile(of.shape().take_back()), 0));
  for (auto [term, weight] : llvm::enumerate(form.getFeedback())) {
    Value &write = writes[form.getFeedbackIndex()[2 * term]];
    Value read = reads[form.getFeedbackIndex()[2 * term + 1]];
    Value factor = tile(weight);
    if (rankOf(read) == 1)
      factor = builder.fill(factor, cast<RankedTensorType>(read.getType()).getShape());
    Value key = tile(form.getReads()[form.getFeedbackIndex()[2 * term + 1]]);
    write = builder.add(write, of.times(factor, read, key));
  }

  SmallVector<Value> all(states), resets;
  if (form.isCoupled())
    all = mixed(builder, form, step, of, states);
  Value &next = all.front();
  auto decayed = [&](Value logarithms, Value signs, bool byKey) {
    Value logarithm = of.spread(logarithms, byKey), factor = builder.exp(logarithm);
    if (signs)
      factor = builder.multiply(factor, of.spread(signs, byKey));
    next = builder.multiply(factor, next);
    if (of.resets)
      resets.push_back(isReset(builder, logarithm));
  };
  if (Value decay = form.getDecay())
    decayed(tile(decay), form.getSign() ? tile(form.getSign()) : Value(), /*byKey=*/true);
  if (Value decay = form.getValueDecay())
    decayed(step.slice(decay).tile, form.getValueSign() ? step.slice(form.getValueSign()).tile : Value(),
            /*byKey=*/false);
  // What is reset may be no number, and neither may what the other axis decays by.
  for (Value reset : resets)
    next = builder.select(reset, builder.splat(next.getType(), 0), next);
  for (auto [i, key] : llvm::enumerate(form.getWrites())) {
    Value write = of.outer(tile(key), writes[i]);
    for (int64_t state : form.getStatesOfWrite(i))
      all[state] = builder.add(all[state], write);
  }
  for (auto [j, key] : llvm::enumerate(form.getReads()))
    if (form.getInclusive()[j])
      reads[j] = of.read(all[form.getStateOfRead(j)], tile(key));
  if (readsAndWrites) {
    llvm::append_range(*readsAndWrites, reads);
    llvm::append_range(*readsAndWrites, writes);
  }
  return all;
}

/// Emits the step of a normal_scan; gives what is carried next.
static LogicalResult emitNormalStep(LoopKernel &kernel, pattern::NormalScanOp scan, ValueRange entering,
                                    const TokenWalk &walk, const TokenSpan &position, StepEmitter &step,
                                    SmallVectorImpl<Value> &next) {
  unsigned leading = scan.getParams().size() + scan.getTokens().size();
  SmallVector<Value> readsAndWrites;
  auto bindAll = [&](Block &block) {
    for (auto [index, value] : llvm::enumerate(readsAndWrites))
      step.bind(block.getArgument(leading + index), {value, false, step.isSliced() && rankOf(value) == 1});
  };
  SmallVector<Value> transitions;
  for (unsigned stage = 0, state = 0; state < walk.states; state += scan.getForm(stage++).getStates()) {
    bindAll(scan.getStage(stage));
    if (failed(step.emit(scan.getStage(stage))))
      return failure();
    pattern::FormOp form = scan.getForm(stage);
    ValueRange states = entering.slice(state, form.getStates());
    next.append(advance(kernel.builder, form, step, states, &readsAndWrites));
    if (llvm::is_contained(walk.transitions, state))
      transitions.append(
          advance(kernel.builder, form, step, entering.slice(walk.states + transitions.size(), 1), nullptr));
  }
  next.append(transitions);
  if (!walk.outputs)
    return success();
  bindAll(scan.getFinish());
  return kernel.finish(scan.getFinish(), step, position);
}

FailureOr<SmallVector<Value>> linmu::walkTokens(LoopKernel &kernel, Operation *op, Value first, Value end,
                                                ValueRange states) {
  return walkTokens(kernel, op, first, end, states, {.states = unsigned(states.size())});
}

FailureOr<SmallVector<Value>> linmu::walkTokens(LoopKernel &kernel, Operation *op, Value first, Value end,
                                                ValueRange states, const TokenWalk &walk) {
  TileBuilder &builder = kernel.builder;
  auto loop = scf::ForOp::create(builder, first, end, builder.index(1), states);
  Block *body = loop.getBody();
  if (!body->empty())
    body->back().erase();
  builder.setInsertionPointToEnd(body);
  TokenSpan position{.first = loop.getInductionVar()};

  auto normal = dyn_cast<pattern::NormalScanOp>(op);
  SmallVector<Block *> blocks;
  for (Region &region : op->getRegions())
    blocks.push_back(&region.front());
  if (!walk.outputs)
    blocks.truncate(walk.states ? cast<pattern::NormalScanOp>(op).getStageOf(walk.states - 1) + 1 : 0);
  StepEmitter step = kernel.startStep(position, blocks);
  SmallVector<Value> next;
  if (normal) {
    if (failed(emitNormalStep(kernel, normal, loop.getRegionIterArgs(), walk, position, step, next)))
      return failure();
  } else {
    Block &block = *blocks.front();
    for (auto [argument, state] :
         llvm::zip(cast<pattern::ScanOp>(op).getStateArguments(), loop.getRegionIterArgs()))
      step.bind(argument, {state, false});
    if (failed(kernel.finish(block, step, position)))
      return failure();
    for (Value state : cast<pattern::YieldOp>(block.getTerminator()).getStates())
      next.push_back(step.get(state).tile);
  }
  builder.setLoc(op->getLoc());
  scf::YieldOp::create(builder, next);

  builder.setInsertionPointAfter(loop);
  return SmallVector<Value>(loop.getResults());
}
