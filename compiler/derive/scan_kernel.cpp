#include "compiler/derive/scan_kernel.h"
#include "compiler/derive/resets.h"
#include "compiler/derive/token_walk.h"
#include "compiler/tile/tile_memory.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace linmu;

ScanKernel::ScanKernel(pattern::NormalScanOp scan, const LoopView &view, ProgramBuilder &program,
                       StringRef name, int64_t chunk)
    : scan(scan), kernel(program, view, name), chunk_(chunk) {
  for (unsigned state = 0; state < scan.getNumStates(); ++state)
    stored.emplace_back(scan, state);
  carryOnly(scan.getNumStates(), scan.getNumStates());
}

void ScanKernel::carryOnly(unsigned states, unsigned from) {
  carried = {.states = states};
  may_reset_ = false;
  for (unsigned state = 0; state < states; ++state) {
    may_reset_ |= mayReset(scan.getForm(scan.getStageOf(state)));
    if (state >= from)
      carried.transitions.emplace_back(scan, state);
  }
}

SmallVector<Value> ScanKernel::initialStates() {
  SmallVector<Value> states;
  for (unsigned state = 0; state < stored.size(); ++state)
    states.push_back(initialState(state));
  return states;
}

Value ScanKernel::initialState(unsigned state) {
  int64_t init = kernel.view.initOf(state);
  Value memory = init < 0 ? Value() : kernel.argument(kernel.view.inits[init]);
  return stored[state].load(kernel.builder, kernel.walk, memory, kernel.columns);
}

void ScanKernel::storeFinalStates(ValueRange states) {
  for (auto [state, value, final] : llvm::zip(stored, states, kernel.view.finals))
    if (Value memory = kernel.argument(final)) {
      auto store = [&, &state = state, value = value] {
        state.store(kernel.builder, kernel.walk, value, memory, kernel.columns);
      };
      state.hasColumns() ? store() : kernel.inFirstSlice(store);
    }
}

FailureOr<SmallVector<Value>> ScanKernel::chunk(Value first, ValueRange entering, ChunkStages::Part part) {
  TileBuilder &builder = kernel.builder;
  TokenSpan tokens{first, chunk_, builder.subtract(kernel.walk.tokens, first)};
  bool outputs = part != ChunkStages::exits;
  if (exactly_)
    return walkChunkExactly(tokens, entering, outputs);
  Value live = isBefore(builder, tokens.live, chunk_);
  ChunkStages stages(scan, kernel.view, builder, chunk_, carried, part);
  if (take_prepared)
    stages.take_prepared = [&](unsigned stage, StateChunk &chunk) { take_prepared(stage, first, chunk); };
  StepEmitter step = kernel.startStep(tokens, stages.blocks);
  FailureOr<SmallVector<Value>> next = stages.run(step, entering, live);
  if (failed(next))
    return failure();
  doubt_ = stages.must_walk;
  if (!outputs)
    return next;
  if (failed(kernel.finish(scan.getFinish(), step, tokens)))
    return failure();
  if (part != ChunkStages::outputs || !doubt_)
    return next;
  // Nothing comes after this chunk: its outputs are stored again.
  auto again = scf::IfOp::create(builder, doubt_, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(again.thenYield());
  if (failed(walkChunkExactly(tokens, entering, outputs)))
    return failure();
  return next;
}

/// Of what is carried, the positions that a walk token by token gives: the states, and transitions that are
/// matrices. Products of decays and resets are the same whatever the values hold.
SmallVector<unsigned> ScanKernel::walkedByToken() const {
  SmallVector<unsigned> places = llvm::to_vector(llvm::seq(carried.states));
  for (auto [number, transition] : llvm::enumerate(carried.transitions))
    if (transition.isMatrix())
      places.push_back(carried.tileOf(number));
  return places;
}

/// The same token by token, whatever the values hold.
FailureOr<SmallVector<Value>> ScanKernel::walkChunkExactly(const TokenSpan &tokens, ValueRange entering,
                                                           bool outputs) {
  TileBuilder &builder = kernel.builder;
  TokenWalk walk{.states = carried.states, .outputs = outputs};
  for (auto [number, transition] : llvm::enumerate(carried.transitions))
    if (transition.isMatrix())
      walk.transitions.push_back(carried.states - carried.transitions.size() + number);
  SmallVector<unsigned> places = walkedByToken();
  SmallVector<Value> before, after(entering);
  for (unsigned place : places)
    before.push_back(place < carried.states ? stored[place].fromMatrix(builder, entering[place])
                                            : entering[place]);
  Value count = builder.minimum(tokens.live, builder.index(chunk_));
  auto walked = walkTokens(kernel, scan, tokens.first, builder.add(tokens.first, count), before, walk);
  if (failed(walked))
    return failure();
  for (auto [place, value] : llvm::zip(places, *walked))
    after[place] = place < carried.states ? stored[place].toMatrix(builder, value) : value;
  return after;
}

FailureOr<SmallVector<Value>> ScanKernel::walkTokenByToken(ValueRange states) {
  SmallVector<Value> before;
  for (auto [state, value] : llvm::zip(stored, states))
    before.push_back(state.fromMatrix(kernel.builder, value));
  auto after = walkTokens(kernel, scan, kernel.builder.index(0), kernel.walk.tokens, before);
  if (failed(after))
    return failure();
  for (auto [state, value] : llvm::zip(stored, *after))
    value = state.toMatrix(kernel.builder, value);
  return after;
}

/// A loop over the chunks; behind what is carried it gives whether a chunk remembers too much, where one may.
FailureOr<SmallVector<Value>> ScanKernel::loopOverChunks(ValueRange entering, ChunkBody body, Value from,
                                                         Value to) {
  TileBuilder &builder = kernel.builder;
  SmallVector<Value> inits(entering);
  bool votes = !exactly_ && may_reset_;
  if (votes)
    inits.push_back(builder.splat(builder.getI1Type(), 0));
  auto loop = scf::ForOp::create(builder, from ? from : builder.index(0), to ? to : kernel.walk.tokens,
                                 builder.index(chunk_), inits);
  Block *block = loop.getBody();
  if (!block->empty())
    block->back().erase();
  builder.setInsertionPointToEnd(block);
  FailureOr<SmallVector<Value>> next =
      body(loop.getInductionVar(), loop.getRegionIterArgs().take_front(entering.size()));
  if (failed(next))
    return failure();
  if (votes)
    next->push_back(arith::OrIOp::create(builder, loop.getRegionIterArgs().back(), doubt_));
  scf::YieldOp::create(builder, *next);
  builder.setInsertionPointAfter(loop);
  return SmallVector<Value>(loop.getResults());
}

FailureOr<SmallVector<Value>> ScanKernel::walkChunks(function_ref<SmallVector<Value>()> entry, ChunkBody body,
                                                     Value from, Value to) {
  TileBuilder &builder = kernel.builder;
  FailureOr<SmallVector<Value>> after = loopOverChunks(entry(), body, from, to);
  if (failed(after) || !may_reset_)
    return after;
  // One vote for the whole walk: a state that is kept for a second try of each chunk would have to be copied
  // in all of them, whatever the values hold.
  Value doubt = after->pop_back_val();
  SmallVector<unsigned> places = walkedByToken();
  SmallVector<Type> types;
  for (unsigned place : places)
    types.push_back((*after)[place].getType());
  auto branch = scf::IfOp::create(builder, types, doubt, /*withElseRegion=*/true);
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(branch.thenBlock());
    exactly_ = true;
    FailureOr<SmallVector<Value>> again = loopOverChunks(entry(), body, from, to);
    exactly_ = false;
    if (failed(again))
      return failure();
    SmallVector<Value> walked, none;
    for (unsigned place : places)
      walked.push_back((*again)[place]);
    scf::YieldOp::create(builder, walked);
    builder.setInsertionPointToStart(branch.elseBlock());
    for (Type type : types)
      none.push_back(builder.splat(type, 0));
    scf::YieldOp::create(builder, none);
  }
  for (auto [place, again] : llvm::zip(places, branch.getResults()))
    (*after)[place] = builder.select(doubt, again, (*after)[place]);
  return after;
}
