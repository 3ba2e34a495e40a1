// The gradients of a scan in normal form by the borders of its chunks: one walk leaves the states at their
// entries, one in reverse what is sent back to the states at their exits, and then the gradients of all
// chunks are taken at once. Walks have blocks of value columns where there is feedback, whose writes they
// leave as well; otherwise blocks of segments of the tokens, which start from what those before them come to.
#include "compiler/derive/adjoint_kernel.h"
#include "compiler/derive/algorithms.h"
#include "compiler/derive/loops.h"
#include "compiler/derive/prepared_chunks.h"
#include "compiler/derive/program_expressions.h"
#include "compiler/derive/segments.h"
#include "compiler/derive/sequence_blocks.h"
#include "compiler/derive/transition.h"
#include "compiler/tile/tile_conversions.h"
#include "compiler/tile/tile_memory.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace linmu;

namespace {

class AdjointBorders {
public:
  AdjointBorders(pattern::ScanAdjointOp op, const ScanSchedule &schedule, ProgramBuilder &program);
  FailureOr<OpPlan> run();

private:
  /// A block's place in a walk: its tokens, and where its segment stands where there are some.
  struct Place {
    Segments::Tokens tokens;
    Value segment;
  };
  Place enter(LoopKernel &kernel);
  LogicalResult makeEnds();
  LogicalResult makeStates();
  LogicalResult makeBackEnds();
  LogicalResult makeBack();
  LogicalResult makeGradients();
  using Step = function_ref<FailureOr<SmallVector<Value>>(Value first, ValueRange carried)>;
  FailureOr<SmallVector<Value>> walkBack(LoopKernel &kernel, const Segments::Tokens &tokens,
                                         ValueRange carried, Step step);
  Value enterOver(LoopKernel &kernel, Value memory, Value entering, Value count,
                  function_ref<Value(Value index)> segmentOf);

  Value temporaryOf(ArrayRef<int64_t> shape, ValueRange extents);
  Value ofSegments(Type tile);
  /// As products take it, where the target rounds what they multiply.
  Value rounded(TileBuilder &builder, Value tile);
  SmallVector<Value> borderAt(LoopKernel &kernel, Value first);
  SmallVector<Value> rowsAt(LoopKernel &kernel, Value first);
  void storeRows(LoopKernel &kernel, ArrayRef<Value> rows, ArrayRef<Value> memory, Value first);

  pattern::ScanAdjointOp op_;
  pattern::FormOp form_;
  const ScanSchedule &schedule_;
  ProgramBuilder &program_;
  LoopView view_;
  StoredState stored_;
  Transition transition_;
  Segments segments_;
  SequenceBlocks blocks_;
  Value places_;
  Value states_, adjoints_;              ///< of the chunks: [B, H, places, K, V]
  Value ends_, back_ends_;               ///< of the segments: [B, H, segments, K, V]
  SmallVector<Value> transitions_;       ///< the tiles of a Transition, [B, H, segments, ...]
  SmallVector<Value> writes_, d_writes_; ///< with feedback, [B, places x C, H, V]
  std::optional<PreparedChunks> prepared_;
  OpPlan plan_;
};

} // namespace

AdjointBorders::AdjointBorders(pattern::ScanAdjointOp op, const ScanSchedule &schedule,
                               ProgramBuilder &program)
    : op_(op), form_(op.getForm()), schedule_(schedule), program_(program), view_(LoopView::of(op)),
      stored_(op.getStateSlice(), form_.getKeyAxis()), transition_(form_, stored_),
      segments_(view_, schedule.chunk, schedule.segments), blocks_(view_, schedule.chunk),
      places_(blocks_.places(program)) {
  plan_.schedule = schedule.described();
  Value batch = view_.sequences ? program.constant(1) : program.batch();
  SmallVector<int64_t> borders{ShapedType::kDynamic, view_.heads, ShapedType::kDynamic, stored_.key_size,
                               stored_.value_size};
  states_ = temporaryOf(borders, {batch, places_});
  adjoints_ = temporaryOf(borders, {batch, places_});
  if (schedule.segments) {
    Type state =
        RankedTensorType::get({stored_.key_size, stored_.value_size}, Float32Type::get(op.getContext()));
    ends_ = ofSegments(state);
    back_ends_ = ofSegments(state);
    for (Type type : transition_.types())
      transitions_.push_back(ofSegments(type));
  }
  if (form_.getFeedback().empty())
    return;
  SmallVector<int64_t> rows{ShapedType::kDynamic, ShapedType::kDynamic, view_.heads, stored_.value_size};
  for (size_t write = 0; write < form_.getWrites().size(); ++write)
    for (SmallVector<Value> *all : {&writes_, &d_writes_})
      all->push_back(temporaryOf(rows, {batch, multiply(program, places_, schedule.chunk)}));
  if (!schedule.prepare)
    return;
  // The walk back takes the scores of what is sent back to reads.
  PreparedChunks::State state{&op.getBody(), form_, {}};
  llvm::append_range(state.reads, op.getReadNumbers());
  prepared_.emplace(state, view_, schedule.chunk, program);
}

Value AdjointBorders::temporaryOf(ArrayRef<int64_t> shape, ValueRange extents) {
  return program_.temporary(RankedTensorType::get(shape, Float32Type::get(op_.getContext())), extents);
}

/// [B, H, segments, ...]; [S, H, ...] of a ragged batch.
Value AdjointBorders::ofSegments(Type tile) {
  SmallVector<int64_t> shape{ShapedType::kDynamic, view_.heads, schedule_.segments};
  if (auto type = dyn_cast<RankedTensorType>(tile))
    llvm::append_range(shape, type.getShape());
  return temporaryOf(shape, {program_.sequencesOf(view_.sequences)});
}

Value AdjointBorders::rounded(TileBuilder &builder, Value tile) {
  Type element = schedule_.products == ProductType::bf16  ? Type(builder.getBF16Type())
                 : schedule_.products == ProductType::f16 ? Type(builder.getF16Type())
                                                          : Type();
  return element ? extendToF32(builder, roundTo(builder, tile, element)) : tile;
}

/// Where the border of the chunk that begins at token `first` stands; of a slice of columns, these.
SmallVector<Value> AdjointBorders::borderAt(LoopKernel &kernel, Value first) {
  TileBuilder &builder = kernel.builder;
  Value number = arith::DivUIOp::create(builder, first, builder.index(schedule_.chunk));
  SmallVector<Value> place{kernel.walk.batch, kernel.walk.head, blocks_.placeOf(kernel, number)};
  if (kernel.columns) {
    place.push_back(tileRange(builder, builder.index(0), stored_.key_size, {}));
    place.push_back(kernel.columns.range(builder));
  }
  return place;
}

/// Where the rows of its tokens stand, likewise.
SmallVector<Value> AdjointBorders::rowsAt(LoopKernel &kernel, Value first) {
  TileBuilder &builder = kernel.builder;
  Value size = builder.index(schedule_.chunk);
  Value place = blocks_.placeOf(kernel, arith::DivUIOp::create(builder, first, size));
  SmallVector<Value> at{kernel.walk.batch,
                        tileRange(builder, builder.multiply(place, size), schedule_.chunk, {}),
                        kernel.walk.head};
  if (kernel.columns)
    at.push_back(kernel.columns.range(builder));
  return at;
}

void AdjointBorders::storeRows(LoopKernel &kernel, ArrayRef<Value> rows, ArrayRef<Value> memory,
                               Value first) {
  for (auto [tile, to] : llvm::zip_equal(rows, memory))
    storeTile(kernel.builder, tile, to, rowsAt(kernel, first));
}

AdjointBorders::Place AdjointBorders::enter(LoopKernel &kernel) {
  if (schedule_.segments) {
    Value segment = segments_.placeInGrid(kernel, program_);
    return {segments_.tokensOf(kernel, segment), segment};
  }
  kernel.walkSequenceAndHead(program_, schedule_.columns, stored_.value_size);
  return {{kernel.builder.index(0), kernel.walk.tokens}, {}};
}

/// The chunks of these tokens, from the last to the first.
FailureOr<SmallVector<Value>> AdjointBorders::walkBack(LoopKernel &kernel, const Segments::Tokens &tokens,
                                                       ValueRange carried, Step step) {
  TileBuilder &builder = kernel.builder;
  Value size = builder.index(schedule_.chunk);
  Value behind = builder.subtract(builder.subtract(tokens.end, builder.index(1)), tokens.first);
  Value last =
      builder.add(tokens.first, builder.multiply(arith::DivUIOp::create(builder, behind, size), size));
  return loopOver(builder, tokens.first, tokens.end, size, carried, [&](Value at, ValueRange own) {
    return step(builder.subtract(last, builder.subtract(at, tokens.first)), own);
  });
}

/// `entering` over `count` segments, which `segmentOf` names in their order.
Value AdjointBorders::enterOver(LoopKernel &kernel, Value memory, Value entering, Value count,
                                function_ref<Value(Value index)> segmentOf) {
  TileBuilder &builder = kernel.builder;
  Value ends = kernel.addMemory(memory);
  SmallVector<Value> transition =
      llvm::map_to_vector(transitions_, [&](Value tile) { return kernel.addMemory(tile); });
  auto over = [&](Value index, ValueRange carried) -> FailureOr<SmallVector<Value>> {
    SmallVector<Value> place{kernel.walk.ofStates().batch, kernel.walk.head, segmentOf(index)};
    SmallVector<Value> tiles =
        llvm::map_to_vector(transition, [&](Value tile) { return loadTile(builder, tile, place); });
    return SmallVector<Value>{
        transition_.apply(builder, tiles, carried.front(), loadTile(builder, ends, place))};
  };
  return loopOver(builder, builder.index(0), count, builder.index(1), ValueRange{entering}, over)->front();
}

/// Of each segment its end from zero, and its transition.
LogicalResult AdjointBorders::makeEnds() {
  AdjointKernel of(op_, view_, program_, "adjoint_ends", schedule_.chunk);
  LoopKernel &kernel = of.kernel;
  TileBuilder &builder = kernel.builder;
  Place place = enter(kernel);
  SmallVector<Value> entering{stored_.load(builder, kernel.walk, {}, {})};
  llvm::append_range(entering, transition_.identity(builder));
  auto step = [&](Value first, ValueRange carried) -> FailureOr<SmallVector<Value>> {
    FailureOr<ChunkInputs> inputs = of.inputs(of.tokensAt(first));
    if (failed(inputs))
      return failure();
    StateChunk chunk(builder, form_, *inputs);
    SmallVector<Value> next = chunk.next(carried.take_front(1));
    llvm::append_range(next, transition_.over(builder, chunk, carried.drop_front()));
    return next;
  };
  auto after =
      loopOver(builder, place.tokens.first, place.tokens.end, builder.index(schedule_.chunk), entering, step);
  if (failed(after))
    return failure();
  SmallVector<Value> at{kernel.walk.ofStates().batch, kernel.walk.head, place.segment};
  SmallVector<Value> memory{ends_};
  llvm::append_range(memory, transitions_);
  for (auto [tile, to] : llvm::zip_equal(*after, memory))
    storeTile(builder, tile, kernel.addMemory(to), at);
  plan_.launches.push_back(kernel.launch);
  return success();
}

/// The states at the entries of chunks, and what writes with feedback put into them.
LogicalResult AdjointBorders::makeStates() {
  AdjointKernel of(op_, view_, program_, "adjoint_states", schedule_.chunk);
  LoopKernel &kernel = of.kernel;
  TileBuilder &builder = kernel.builder;
  Place place = enter(kernel);
  Value state = of.initialStates().front();
  if (place.segment)
    state = enterOver(kernel, ends_, state, place.segment, [](Value index) { return index; });
  Value borders = kernel.addMemory(states_);
  SmallVector<Value> writes =
      llvm::map_to_vector(writes_, [&](Value memory) { return kernel.addMemory(memory); });
  PreparedChunks::Take take = prepared_ ? prepared_->takeIn(kernel, 0) : nullptr;
  auto step = [&](Value first, ValueRange carried) -> FailureOr<SmallVector<Value>> {
    storeTile(builder, carried.front(), borders, borderAt(kernel, first));
    FailureOr<ChunkInputs> inputs = of.inputs(of.tokensAt(first));
    if (failed(inputs))
      return failure();
    StateChunk chunk(builder, form_, *inputs);
    if (take)
      take(first, chunk);
    SmallVector<Value> next = chunk.next(carried.take_front(1));
    if (!writes.empty())
      storeRows(kernel, chunk.writes(carried.front()), writes, first);
    return next;
  };
  auto after = loopOver(builder, place.tokens.first, place.tokens.end, builder.index(schedule_.chunk),
                        ValueRange{state}, step);
  if (failed(after))
    return failure();
  plan_.launches.push_back(kernel.launch);
  return success();
}

/// Of each segment what is sent back to the state at its entry, of nothing behind it.
LogicalResult AdjointBorders::makeBackEnds() {
  AdjointKernel of(op_, view_, program_, "adjoint_back_ends", schedule_.chunk);
  LoopKernel &kernel = of.kernel;
  TileBuilder &builder = kernel.builder;
  Place place = enter(kernel);
  Value none = stored_.load(builder, kernel.walk, {}, {});
  auto step = [&](Value first, ValueRange carried) -> FailureOr<SmallVector<Value>> {
    std::unique_ptr<AdjointChunk> chunk = of.chunk(of.tokensAt(first), {}, carried.front());
    if (!chunk)
      return failure();
    return chunk->next();
  };
  auto after = walkBack(kernel, place.tokens, ValueRange{none}, step);
  if (failed(after))
    return failure();
  storeTile(builder, after->front(), kernel.addMemory(back_ends_),
            {kernel.walk.ofStates().batch, kernel.walk.head, place.segment});
  plan_.launches.push_back(kernel.launch);
  return success();
}

/// What is sent back to the states at the exits of chunks, and to what writes with feedback put into them.
LogicalResult AdjointBorders::makeBack() {
  AdjointKernel of(op_, view_, program_, "adjoint_back", schedule_.chunk);
  LoopKernel &kernel = of.kernel;
  TileBuilder &builder = kernel.builder;
  Place place = enter(kernel);
  Value adjoint = of.finalCotangents().front();
  if (place.segment) {
    // Those behind it, the last one first.
    Value last = builder.index(schedule_.segments - 1);
    adjoint = enterOver(kernel, back_ends_, adjoint, builder.subtract(last, place.segment),
                        [&](Value index) { return builder.subtract(last, index); });
  }
  Value borders = kernel.addMemory(adjoints_);
  SmallVector<Value> writes =
      llvm::map_to_vector(d_writes_, [&](Value memory) { return kernel.addMemory(memory); });
  PreparedChunks::Take take = prepared_ ? prepared_->takeIn(kernel, 0) : nullptr;
  auto step = [&](Value first, ValueRange carried) -> FailureOr<SmallVector<Value>> {
    storeTile(builder, carried.front(), borders, borderAt(kernel, first));
    std::unique_ptr<AdjointChunk> chunk = of.chunk(of.tokensAt(first), {}, carried.front());
    if (!chunk)
      return failure();
    if (take)
      take(first, chunk->forward());
    if (!writes.empty())
      storeRows(kernel, chunk->dWrites(), writes, first);
    return chunk->next();
  };
  auto after = walkBack(kernel, place.tokens, ValueRange{adjoint}, step);
  if (failed(after))
    return failure();
  if (kernel.argument(op_.getInitGradients().front())) {
    if (!place.segment) {
      of.storeInitGradients(after->front());
    } else {
      Value first = builder.compare(arith::CmpIPredicate::eq, place.segment, builder.index(0));
      auto branch = scf::IfOp::create(builder, first, /*withElseRegion=*/false);
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPoint(branch.thenYield());
      of.storeInitGradients(after->front());
    }
  }
  plan_.launches.push_back(kernel.launch);
  return success();
}

LogicalResult AdjointBorders::makeGradients() {
  AdjointKernel of(op_, view_, program_, "adjoint", schedule_.chunk);
  LoopKernel &kernel = of.kernel;
  TileBuilder &builder = kernel.builder;
  auto arguments = [&](ArrayRef<Value> memory) {
    return llvm::map_to_vector(memory, [&](Value value) { return kernel.addMemory(value); });
  };
  SmallVector<Value> borders = arguments({states_, adjoints_}), writes = arguments(writes_),
                     dWrites = arguments(d_writes_);
  Value number = blocks_.enter(kernel, program_, places_);
  Value first = builder.multiply(number, builder.index(schedule_.chunk));
  auto load = [&](Value memory, ArrayRef<Value> place) {
    return rounded(builder, loadTile(builder, memory, place));
  };
  SmallVector<Value> place = borderAt(kernel, first);
  TokenSpan tokens = of.tokensAt(first);
  std::unique_ptr<AdjointChunk> chunk = of.chunk(tokens, load(borders[0], place), load(borders[1], place));
  if (!chunk)
    return failure();
  if (!writes.empty()) {
    SmallVector<Value> rows = rowsAt(kernel, first);
    auto loaded = [&](ArrayRef<Value> memory) {
      return llvm::map_to_vector(memory, [&](Value value) { return load(value, rows); });
    };
    chunk->useWrites(loaded(writes), loaded(dWrites));
  }
  of.storeGradients(*chunk, tokens);
  plan_.launches.push_back(kernel.launch);
  return success();
}

FailureOr<OpPlan> AdjointBorders::run() {
  if (prepared_) {
    FailureOr<LaunchPlan> launch = prepared_->derive(program_);
    if (failed(launch))
      return failure();
    plan_.launches.push_back(*launch);
  }
  if (schedule_.segments && (failed(makeEnds()) || failed(makeBackEnds())))
    return failure();
  if (failed(makeStates()) || failed(makeBack()) || failed(makeGradients()))
    return failure();
  return plan_;
}

FailureOr<OpPlan> linmu::deriveAdjointBorders(pattern::ScanAdjointOp op, const ScanSchedule &schedule,
                                              ProgramBuilder &program) {
  return AdjointBorders(op, schedule, program).run();
}
