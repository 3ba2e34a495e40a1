// Segmented: the tokens are cut into segments that are walked at the same time, without a state a chunk in
// memory. A first kernel walks each segment from zero for its end E and its transition T, a second one goes
// over the segments, S' = T S + E, for the states at their entries, and a third walks each segment from there
// for the outputs. Without feedback T is a factor: then there is no second kernel, and each segment goes over
// those before it for itself.
//
// A state whose keys, values or decay depend on what other states read or write needs those from their true
// entries: the first two kernels are made for one group of states after the other.
#include "compiler/derive/algorithms.h"
#include "compiler/derive/scan_kernel.h"
#include "compiler/derive/segments.h"
#include "compiler/tile/tile_memory.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace linmu;

namespace {
/// States [from, to), which do not depend on each other.
struct Group {
  unsigned from, to;
};

/// Where one state stands in memory between the launches; values of the program.
struct SegmentMemory {
  Value ends;                    ///< [B, H, segments, K, V] f32
  Value entries;                 ///< [B, H, segments + 1, K, V] f32; null without the second kernel
  Value initial;                 ///< [B, H, K, V] f32, a copy where there is no second kernel; null for zero
  SmallVector<Value> transition; ///< [B, H, segments, ...] f32, the tiles of a Transition
};

class Segmented {
public:
  Segmented(pattern::NormalScanOp scan, const ScanSchedule &schedule, ProgramBuilder &program);
  FailureOr<OpPlan> run();

private:
  LogicalResult makeEnds(const Group &group);
  int64_t entryColumns(const Group &group);
  LogicalResult makeEntries(const Group &group);
  LogicalResult makeOutputs();
  void keepInitialStates(ScanKernel &of, Value segment);
  SmallVector<Value> enterOver(LoopKernel &kernel, ArrayRef<SegmentMemory> memory, Value segment);
  SegmentMemory inKernel(LoopKernel &kernel, const SegmentMemory &memory);
  Value memoryOf(ArrayRef<int64_t> extents);

  pattern::NormalScanOp scan_;
  const ScanSchedule &schedule_;
  ProgramBuilder &program_;
  LoopView view_;
  Segments segments_;
  SmallVector<Group> groups_;
  SmallVector<Transition> transitions_;
  bool entersOver_ = true; ///< each segment goes over those before it, for the states at its entry
  SmallVector<SegmentMemory> memory_;
  OpPlan plan_;
};
} // namespace

/// Greedy runs of states none of which uses what another one of the run reads or writes.
static SmallVector<Group> groupsOf(pattern::NormalScanOp scan) {
  SmallVector<Group> groups;
  unsigned leading = scan.getParams().size() + scan.getTokens().size();
  unsigned known = leading; // arguments that are made by earlier groups
  unsigned bound = leading;
  for (unsigned state = 0; state < scan.getNumStates(); ++state) {
    Block &stage = scan.getStage(state);
    bool depends = llvm::any_of(llvm::seq(known, bound),
                                [&](unsigned index) { return !stage.getArgument(index).use_empty(); });
    if (groups.empty() || depends) {
      groups.push_back({state, state});
      known = bound;
    }
    groups.back().to = state + 1;
    pattern::FormOp form = scan.getForm(state);
    bound += form.getReads().size() + form.getWrites().size();
  }
  return groups;
}

/// A temporary [B, H, ...] of f32; [S, H, ...] of a ragged batch.
Value Segmented::memoryOf(ArrayRef<int64_t> extents) {
  SmallVector<int64_t> shape{ShapedType::kDynamic, view_.heads};
  shape.append(extents.begin(), extents.end());
  Type f32 = Float32Type::get(scan_.getContext());
  return program_.temporary(RankedTensorType::get(shape, f32), {program_.sequencesOf(view_.sequences)});
}

Segmented::Segmented(pattern::NormalScanOp scan, const ScanSchedule &schedule, ProgramBuilder &program)
    : scan_(scan), schedule_(schedule), program_(program), view_(LoopView::of(scan)),
      segments_(view_, schedule.chunk, schedule.segments), groups_(groupsOf(scan)) {
  plan_.schedule = schedule.described();
  for (unsigned state = 0; state < scan.getNumStates(); ++state)
    transitions_.emplace_back(scan, state);
  entersOver_ = groups_.size() == 1 && llvm::none_of(transitions_, [](const Transition &transition) {
                  return transition.isMatrix();
                });
  for (auto [state, transition] : llvm::enumerate(transitions_)) {
    StoredState stored(scan, state);
    SegmentMemory memory;
    memory.ends = memoryOf({schedule.segments, stored.key_size, stored.value_size});
    if (!entersOver_)
      memory.entries = memoryOf({schedule.segments + 1, stored.key_size, stored.value_size});
    else if (view_.initOf(state) >= 0)
      memory.initial = memoryOf({stored.key_size, stored.value_size});
    for (Type type : transition.types()) {
      SmallVector<int64_t> extents{schedule.segments};
      if (auto tile = dyn_cast<RankedTensorType>(type))
        llvm::append_range(extents, tile.getShape());
      memory.transition.push_back(memoryOf(extents));
    }
    memory_.push_back(std::move(memory));
  }
}

/// Final states may lie in the memory of the initial ones, and are stored while other blocks need these
/// still: the first segment's block of the kernel before copies them.
void Segmented::keepInitialStates(ScanKernel &of, Value segment) {
  TileBuilder &builder = of.kernel.builder;
  for (auto [state, memory] : llvm::enumerate(memory_)) {
    if (!memory.initial)
      continue;
    Value to = of.kernel.addMemory(memory.initial);
    Value first = builder.compare(arith::CmpIPredicate::eq, segment, builder.index(0));
    auto branch = scf::IfOp::create(builder, first, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPoint(branch.thenYield());
    storeTile(builder, of.initialState(state), to, {of.kernel.walk.ofStates().batch, of.kernel.walk.head});
  }
}

/// The kernel's arguments for the ends, initial states and transitions.
SegmentMemory Segmented::inKernel(LoopKernel &kernel, const SegmentMemory &memory) {
  SegmentMemory own;
  own.ends = kernel.addMemory(memory.ends);
  own.initial = memory.initial ? kernel.addMemory(memory.initial) : Value();
  for (Value tile : memory.transition)
    own.transition.push_back(kernel.addMemory(tile));
  return own;
}

/// The states at the entry of a segment, from the ends of those before it.
SmallVector<Value> Segmented::enterOver(LoopKernel &kernel, ArrayRef<SegmentMemory> memory, Value segment) {
  TileBuilder &builder = kernel.builder;
  SmallVector<Value> place{kernel.walk.ofStates().batch, kernel.walk.head};
  SmallVector<Value> initial;
  for (auto [state, of] : llvm::enumerate(memory)) {
    StoredState stored(scan_, state);
    initial.push_back(of.initial ? loadTile(builder, of.initial, place)
                                 : builder.splat(builder.f32Tile({stored.key_size, stored.value_size}), 0));
  }
  auto loop = scf::ForOp::create(builder, builder.index(0), segment, builder.index(1), initial);
  OpBuilder::InsertionGuard guard(builder);
  Block *body = loop.getBody();
  if (!body->empty())
    body->back().erase();
  builder.setInsertionPointToEnd(body);
  place.push_back(loop.getInductionVar());
  SmallVector<Value> next;
  for (auto [state, of] : llvm::enumerate(memory)) {
    SmallVector<Value> tiles =
        llvm::map_to_vector(of.transition, [&](Value tile) { return loadTile(builder, tile, place); });
    next.push_back(transitions_[state].apply(builder, tiles, loop.getRegionIterArgs()[state],
                                             loadTile(builder, of.ends, place)));
  }
  scf::YieldOp::create(builder, next);
  return SmallVector<Value>(loop.getResults());
}

LogicalResult Segmented::makeEnds(const Group &group) {
  ScanKernel of(scan_, view_, program_, "segment_ends", schedule_.chunk);
  LoopKernel &kernel = of.kernel;
  TileBuilder &builder = kernel.builder;
  Value segment = segments_.placeInGrid(kernel, program_);
  kernel.loadParams();
  SmallVector<Value> place{kernel.walk.ofStates().batch, kernel.walk.head, segment};

  keepInitialStates(of, segment);
  of.carryOnly(group.to, group.from);
  SmallVector<Value> known;
  for (unsigned state = 0; state < group.from; ++state)
    known.push_back(kernel.addMemory(memory_[state].entries));
  auto entry = [&] {
    SmallVector<Value> entering;
    for (Value memory : known)
      entering.push_back(loadTile(builder, memory, place));
    for (unsigned state = group.from; state < group.to; ++state)
      entering.push_back(of.stored[state].load(builder, kernel.walk, {}, {}));
    for (const Transition &transition : of.carried.transitions)
      llvm::append_range(entering, transition.identity(builder));
    return entering;
  };
  Segments::Tokens tokens = segments_.tokensOf(kernel, segment);
  auto after = of.walkChunks(
      entry, [&](Value at, ValueRange carried) { return of.chunk(at, carried, ChunkStages::exits); },
      tokens.first, tokens.end);
  if (failed(after))
    return failure();
  for (unsigned state = group.from; state < group.to; ++state) {
    storeTile(builder, (*after)[state], kernel.addMemory(memory_[state].ends), place);
    unsigned tile = of.carried.tileOf(state - group.from);
    for (Value memory : memory_[state].transition)
      storeTile(builder, (*after)[tile++], kernel.addMemory(memory), place);
  }
  plan_.launches.push_back(kernel.launch);
  return success();
}

/// The value columns of a block that goes over the segments, where those of all states of a group can be
/// sliced alike; else 0.
int64_t Segmented::entryColumns(const Group &group) {
  int64_t columns = StoredState(scan_, group.from).value_size;
  for (unsigned state = group.from; state < group.to; ++state) {
    StoredState stored(scan_, state);
    if (!stored.hasColumns() || stored.value_size != columns || transitions_[state].isByValue())
      return 0;
  }
  return schedule_.entry_columns < columns ? schedule_.entry_columns : 0;
}

LogicalResult Segmented::makeEntries(const Group &group) {
  ScanKernel of(scan_, view_, program_, "segment_entries", schedule_.chunk);
  LoopKernel &kernel = of.kernel;
  TileBuilder &builder = kernel.builder;
  kernel.walkSequenceAndHead(program_, entryColumns(group), StoredState(scan_, group.from).value_size);
  auto placeOf = [&](Value segment) {
    return SmallVector<Value>{kernel.walk.ofStates().batch, kernel.walk.head, segment};
  };
  auto stateAt = [&](Value segment, unsigned state) {
    SmallVector<Value> place = placeOf(segment);
    if (kernel.columns) {
      place.push_back(tileRange(builder, builder.index(0), of.stored[state].key_size, {}));
      place.push_back(kernel.columns.range(builder));
    }
    return place;
  };
  SmallVector<Value> entering;
  struct Arguments {
    Value ends, entries;
    SmallVector<Value> transition;
  };
  SmallVector<Arguments> arguments;
  for (unsigned state = group.from; state < group.to; ++state) {
    Arguments &memory = arguments.emplace_back();
    memory.ends = kernel.addMemory(memory_[state].ends);
    memory.entries = kernel.addMemory(memory_[state].entries);
    for (Value tile : memory_[state].transition)
      memory.transition.push_back(kernel.addMemory(tile));
    // Of this group alone: those of earlier groups may be overwritten by their final states.
    entering.push_back(of.initialState(state));
    storeTile(builder, entering.back(), memory.entries, stateAt(builder.index(0), state));
  }
  // Segments without tokens are no part of the sequence.
  Value count = segments_.countOf(kernel, segments_.lengthOf(kernel));
  auto loop = scf::ForOp::create(builder, builder.index(0), count, builder.index(1), entering);
  Block *body = loop.getBody();
  if (!body->empty())
    body->back().erase();
  builder.setInsertionPointToEnd(body);
  Value segment = loop.getInductionVar(), later = builder.add(segment, builder.index(1));
  SmallVector<Value> next;
  for (auto [index, memory] : llvm::enumerate(arguments)) {
    SmallVector<Value> tiles;
    for (Value tile : memory.transition)
      tiles.push_back(loadTile(builder, tile, placeOf(segment)));
    next.push_back(transitions_[group.from + index].apply(
        builder, tiles, loop.getRegionIterArgs()[index],
        loadTile(builder, memory.ends, stateAt(segment, group.from + index))));
    storeTile(builder, next.back(), memory.entries, stateAt(later, group.from + index));
  }
  scf::YieldOp::create(builder, next);
  builder.setInsertionPointAfter(loop);
  for (unsigned state = group.from; state < group.to; ++state)
    if (Value final = kernel.argument(view_.finals[state]))
      of.stored[state].store(builder, kernel.walk, loop.getResult(state - group.from), final, kernel.columns);
  plan_.launches.push_back(kernel.launch);
  return success();
}

LogicalResult Segmented::makeOutputs() {
  ScanKernel of(scan_, view_, program_, "segments", schedule_.chunk);
  LoopKernel &kernel = of.kernel;
  TileBuilder &builder = kernel.builder;
  Value segment = segments_.placeInGrid(kernel, program_);
  kernel.loadParams();
  SmallVector<SegmentMemory> memory;
  for (const SegmentMemory &of : memory_)
    memory.push_back(entersOver_ ? inKernel(kernel, of)
                                 : SegmentMemory{{}, kernel.addMemory(of.entries), {}, {}});
  auto entry = [&] {
    if (entersOver_)
      return enterOver(kernel, memory, segment);
    SmallVector<Value> place{kernel.walk.ofStates().batch, kernel.walk.head, segment};
    return llvm::map_to_vector(memory,
                               [&](const SegmentMemory &of) { return loadTile(builder, of.entries, place); });
  };
  Segments::Tokens tokens = segments_.tokensOf(kernel, segment);
  auto after = of.walkChunks(
      entry, [&](Value at, ValueRange carried) { return of.chunk(at, carried, ChunkStages::all); },
      tokens.first, tokens.end);
  if (failed(after))
    return failure();
  if (entersOver_) {
    // At the exit of the last segment with tokens, or of the first where there is none.
    Value one = builder.index(1), count = segments_.countOf(kernel, segments_.lengthOf(kernel));
    count = builder.maximum(count, one);
    Value isLast = builder.compare(arith::CmpIPredicate::eq, segment, builder.subtract(count, one));
    auto branch = scf::IfOp::create(builder, isLast, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPoint(branch.thenYield());
    of.storeFinalStates(*after);
  }
  plan_.launches.push_back(kernel.launch);
  // All blocks of every launch read the tails before one writes them.
  kernel.appendTailLaunches(program_, /*all=*/true, plan_);
  return success();
}

FailureOr<OpPlan> Segmented::run() {
  for (const Group &group : groups_)
    if (failed(makeEnds(group)) || (!entersOver_ && failed(makeEntries(group))))
      return failure();
  if (failed(makeOutputs()))
    return failure();
  return plan_;
}

FailureOr<OpPlan> linmu::deriveSegmented(pattern::NormalScanOp scan, const ScanSchedule &schedule,
                                         ProgramBuilder &program) {
  return Segmented(scan, schedule, program).run();
}
