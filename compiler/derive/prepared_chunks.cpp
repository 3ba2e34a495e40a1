#include "compiler/derive/prepared_chunks.h"
#include "compiler/derive/program_expressions.h"
#include "compiler/tile/tile_memory.h"

using namespace mlir;
using namespace linmu;

static unsigned leadingOf(pattern::NormalScanOp scan) {
  return scan.getParams().size() + scan.getTokens().size();
}

bool PreparedChunks::isPrepared(pattern::NormalScanOp scan, unsigned stage) {
  auto results = scan.getStage(stage).getArguments().drop_front(leadingOf(scan));
  pattern::FormOp form = scan.getForm(stage);
  return !form.getFeedback().empty() && !form.isCoupled() &&
         llvm::all_of(results, [](BlockArgument argument) { return argument.use_empty(); });
}

/// The reads of a stage that something behind it uses.
static SmallVector<int64_t> usedReads(pattern::NormalScanOp scan, unsigned stage) {
  unsigned first = leadingOf(scan);
  for (unsigned before = 0; before < stage; ++before)
    first += scan.getForm(before).getReads().size() + scan.getForm(before).getWrites().size();
  SmallVector<Block *> later{&scan.getFinish()};
  for (unsigned behind = stage + 1; behind < scan.getNumStages(); ++behind)
    later.push_back(&scan.getStage(behind));
  SmallVector<int64_t> used;
  for (int64_t read = 0; read < int64_t(scan.getForm(stage).getReads().size()); ++read)
    if (llvm::any_of(later, [&](Block *block) { return !block->getArgument(first + read).use_empty(); }))
      used.push_back(read);
  return used;
}

/// Whether fromEntry() of exclusive reads is used.
static bool hasExclusiveReads(pattern::FormOp form) { return llvm::is_contained(form.getInclusive(), false); }

/// What is prepared of a state: the inverse of the system of the writes with feedback, its blocks row by row,
/// the scores of each of `reads` with each write, C x C each; and of a scalar decay ChunkDecay::Prepared, C
/// each.
static SmallVector<RankedTensorType> preparedTypes(pattern::FormOp form, ArrayRef<int64_t> reads,
                                                   int64_t chunk) {
  llvm::SmallDenseSet<int64_t> fedBack;
  for (size_t term = 0; term < form.getFeedback().size(); ++term)
    fedBack.insert(form.getFeedbackIndex()[2 * term]);
  auto f32 = Float32Type::get(form.getContext());
  SmallVector<RankedTensorType> types(fedBack.size() * fedBack.size() +
                                          reads.size() * form.getWrites().size(),
                                      RankedTensorType::get({chunk, chunk}, f32));
  if (Value decay = form.getDecay(); decay && isa<FloatType>(decay.getType()))
    types.append(hasExclusiveReads(form) ? 3 : 2, RankedTensorType::get({chunk}, f32));
  return types;
}

static SmallVector<Value> prepare(TileBuilder &builder, pattern::FormOp form, StateChunk &chunk,
                                  ArrayRef<int64_t> reads) {
  ArrayRef<Value> system = chunk.system().blocks();
  SmallVector<Type> types(system.size(), builder.f32Tile({chunk.paths().size(), chunk.paths().size()}));
  auto inverse = tile::InverseOp::create(builder, types, system);
  SmallVector<Value> tiles(inverse.getInverses());
  for (int64_t read : reads)
    for (int64_t write = 0; write < int64_t(form.getWrites().size()); ++write)
      tiles.push_back(chunk.paths().scores(read, write));
  if (const ChunkDecay &decay = chunk.paths().decay(); decay.isScalar()) {
    tiles.append({decay.fromEntry(builder, /*inclusive=*/true), decay.toExit(builder)});
    if (hasExclusiveReads(form))
      tiles.push_back(decay.fromEntry(builder, /*inclusive=*/false));
  }
  return tiles;
}

/// Has a chunk take these tiles.
static void usePrepared(pattern::FormOp form, StateChunk &chunk, ArrayRef<int64_t> reads, ValueRange tiles) {
  auto take = [&] {
    Value tile = tiles.front();
    tiles = tiles.drop_front();
    return tile;
  };
  size_t fedBack = chunk.system().fedBack().size();
  SmallVector<Value> inverse;
  for (size_t block = 0; block < fedBack * fedBack; ++block)
    inverse.push_back(take());
  chunk.system().useInverse(inverse);
  for (int64_t read : reads)
    for (int64_t write = 0; write < int64_t(form.getWrites().size()); ++write)
      chunk.paths().useScores(read, write, take());
  if (!chunk.paths().decay().isScalar())
    return;
  ChunkDecay::Prepared prepared{.from_entry = take(), .from_entry_exclusive = {}, .to_exit = take()};
  if (hasExclusiveReads(form))
    prepared.from_entry_exclusive = take();
  chunk.paths().useDecay(prepared);
}

PreparedChunks::PreparedChunks(ArrayRef<State> states, const LoopView &view, int64_t chunk,
                               ProgramBuilder &program)
    : view_(view), blocks_(view, chunk), chunk_(chunk), places_(blocks_.places(program)) {
  for (const State &state : states) {
    Prepared prepared{state, {}};
    for (RankedTensorType tile : preparedTypes(state.form, state.reads, chunk)) {
      SmallVector<int64_t> shape{ShapedType::kDynamic, ShapedType::kDynamic, view.heads};
      llvm::append_range(shape, tile.getShape().drop_front());
      prepared.memory.push_back(
          program.temporary(tile.clone(shape), {view.sequences ? program.constant(1) : program.batch(),
                                                multiply(program, places_, chunk)}));
    }
    prepared_.push_back(std::move(prepared));
  }
}

/// The numbers of the states that are prepared.
static SmallVector<unsigned> numbersOf(pattern::NormalScanOp scan) {
  return llvm::filter_to_vector(llvm::seq(scan.getNumStages()),
                                [&](unsigned state) { return PreparedChunks::isPrepared(scan, state); });
}

static SmallVector<PreparedChunks::State> statesOf(pattern::NormalScanOp scan) {
  return llvm::map_to_vector(numbersOf(scan), [&](unsigned state) {
    return PreparedChunks::State{&scan.getStage(state), scan.getForm(state), usedReads(scan, state)};
  });
}

PreparedChunks::PreparedChunks(pattern::NormalScanOp scan, const LoopView &view, int64_t chunk,
                               ProgramBuilder &program)
    : PreparedChunks(statesOf(scan), view, chunk, program) {
  numbers_ = numbersOf(scan);
}

SmallVector<Value> PreparedChunks::placeOf(LoopKernel &kernel, Value chunk) {
  TileBuilder &builder = kernel.builder;
  Value first = builder.multiply(blocks_.placeOf(kernel, chunk), builder.index(chunk_));
  return {kernel.walk.batch, tileRange(builder, first, chunk_, {}), kernel.walk.head};
}

FailureOr<LaunchPlan> PreparedChunks::derive(ProgramBuilder &program) {
  LoopKernel kernel(program, view_, "prepare");
  TileBuilder &builder = kernel.builder;
  SmallVector<SmallVector<Value>> memory;
  for (const Prepared &prepared : prepared_)
    memory.push_back(
        llvm::map_to_vector(prepared.memory, [&](Value tile) { return kernel.addMemory(tile); }));
  Value number = blocks_.enter(kernel, program, places_);
  kernel.loadParams();
  Value first = builder.multiply(number, builder.index(chunk_));
  TokenSpan tokens{first, chunk_, builder.subtract(kernel.walk.tokens, first)};
  Value live = isBefore(builder, tokens.live, chunk_);
  SmallVector<Block *> stages =
      llvm::map_to_vector(prepared_, [](const Prepared &prepared) { return prepared.state.stage; });
  StepEmitter step = kernel.startStep(tokens, stages);
  unsigned firstToken = view_.params.size(), endOfTokens = firstToken + view_.tokens.size();
  SmallVector<Value> place = placeOf(kernel, number);
  for (auto [prepared, to] : llvm::zip(prepared_, memory)) {
    if (failed(step.emit(*prepared.state.stage)))
      return failure();
    pattern::FormOp form = prepared.state.form;
    builder.setLoc(form.getLoc());
    StateChunk chunk(builder, form,
                     ChunkInputs::of(builder, form, step, chunk_, live, firstToken, endOfTokens));
    for (auto [tile, at] : llvm::zip_equal(prepare(builder, form, chunk, prepared.state.reads), to))
      storeTile(builder, tile, at, place);
  }
  return kernel.launch;
}

PreparedChunks::Take PreparedChunks::takeIn(LoopKernel &kernel, size_t state) {
  SmallVector<Value> arguments =
      llvm::map_to_vector(prepared_[state].memory, [&](Value memory) { return kernel.addMemory(memory); });
  return [this, &kernel, state, arguments](Value first, StateChunk &chunk) {
    TileBuilder &builder = kernel.builder;
    Value number = arith::DivUIOp::create(builder, first, builder.index(chunk_));
    SmallVector<Value> place = placeOf(kernel, number);
    const State &prepared = prepared_[state].state;
    usePrepared(prepared.form, chunk, prepared.reads, llvm::map_to_vector(arguments, [&](Value memory) {
                  return loadTile(builder, memory, place);
                }));
  };
}

void PreparedChunks::addTo(ScanKernel &walk) {
  llvm::DenseMap<unsigned, Take> takes;
  for (auto [place, number] : llvm::enumerate(numbers_))
    takes[number] = takeIn(walk.kernel, place);
  walk.take_prepared = [takes](unsigned state, Value first, StateChunk &chunk) {
    if (auto found = takes.find(state); found != takes.end())
      found->second(first, chunk);
  };
}
