// The chunked algorithm: one derivation for the whole normal form.
//
// A block walks one sequence of one head in chunks of C tokens, with every state S (K x V) in a tile. With G
// the logarithms of the decay summed inside the chunk and T the strictly lower triangle,
//   scores_ji[t, s] = (r_j[t] . k_i[s]) exp(G[t] - G[s])      s <= t; an exclusive read: s < t and G[t - 1]
//   w = v + M (entry reads + T(scores) w)                     one triangular solve
//   y_j = exp(G) r_j S + sum_i scores_ji w_i
//   S' = exp(G_end) S + sum_i (exp(G_end - G) k_i)^T w_i
// A decay by value column has no place in the scores and scales what is multiplied with them, and the state's
// columns; there is no solve then.
// Only exponentials of sums of non-positive numbers are taken. Inside a chunk a decay by row or column is a
// running product of its tokens' factors, one exponential an element; exp(G_end), which multiplies up over
// all chunks, is the exponential of a sum.
#include "compiler/derive/algorithms.h"
#include "compiler/derive/loop_kernel.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace linmu;
using tile::Triangle;

Operation *linmu::findSequentialOp(Operation *loop) {
  LoopView view = LoopView::of(loop);
  for (Region &region : loop->getRegions()) {
    DenseSet<Value> varying;
    for (BlockArgument argument : region.front().getArguments().drop_front(view.params.size()))
      varying.insert(argument);
    if (Operation *op = findMatrixPerToken(region.front(), varying))
      return op;
  }
  return nullptr;
}

/// K and V of a state: 1 where the axis is absent.
static std::pair<int64_t, int64_t> sizesOf(pattern::FormOp form, Type slice) {
  auto type = dyn_cast<RankedTensorType>(slice);
  int64_t axis = form.getKeyAxis();
  if (!type)
    return {1, 1};
  if (type.getRank() == 1)
    return axis == 0 ? std::pair(type.getDimSize(0), int64_t(1)) : std::pair(int64_t(1), type.getDimSize(0));
  return {type.getDimSize(axis), type.getDimSize(1 - axis)};
}

static Type sliceOfState(pattern::NormalScanOp scan, unsigned state) {
  return pattern::sliceType(cast<RankedTensorType>(scan.getFinals()[state].getType()), 2);
}

int64_t linmu::chunkOf(pattern::NormalScanOp scan, const Schedule &schedule) {
  SmallVector<StateCost> costs;
  for (unsigned state = 0; state < scan.getNumStates(); ++state) {
    pattern::FormOp form = scan.getForm(state);
    auto [keys, values] = sizesOf(form, sliceOfState(scan, state));
    costs.push_back({keys, values, int64_t(form.getReads().size()), int64_t(form.getWrites().size())});
  }
  return chooseChunk(costs, schedule);
}

namespace {

/// The decay of a chunk's tokens. Absent: all members null. Scalar: tiles [C]. Row-wise: [C, K], by value:
/// [C, V].
struct Decay {
  Value logarithm;                                  ///< g, 0 for rows past the end
  Value sum, error, exclusive_sum, exclusive_error; ///< scalar only
  Value factors;                                    ///< exp(g), the others only
  bool row_wise = false, by_value = false;
  bool isScalar() const { return logarithm && !row_wise && !by_value; }
  explicit operator bool() const { return logarithm != nullptr; }
};

/// One state of one chunk.
class StateChunk {
public:
  StateChunk(TileBuilder &builder, pattern::FormOp form, Type slice, int64_t chunk, Value live)
      : builder(builder), form(form), chunk(chunk), live(live) {
    std::tie(keySize, valueSize) = sizesOf(form, slice);
  }

  /// `state` is K x V. `needed[j]`: read j has a use beside feedback. Reads that have none stay null.
  void run(StepEmitter &step, Value state, ArrayRef<bool> needed);

  Value next; ///< S', K x V
  SmallVector<Value> reads, writes;

private:
  /// [C] as [C, 1]; matrices as they are.
  Value matrix(Value rows) { return rankOf(rows) == 1 ? builder.along(rows, 0, {chunk, 1}) : rows; }
  Value whereLive(Value rows);
  void prepareDecay(Value logarithm);
  Value scores(int64_t read, int64_t write);
  Value pairFactor(bool inclusive);
  Value factorFromEntry(bool inclusive);
  Value entry(int64_t read, Value state);
  void solveFeedback(StepEmitter &step, Value state);
  Value readWrite(int64_t read, int64_t write, Value sum);
  Value nextState(Value state);
  bool inclusive(int64_t read) { return form.getInclusive()[read]; }

  TileBuilder &builder;
  pattern::FormOp form;
  int64_t chunk, keySize, valueSize;
  Value live;
  Decay decay;
  SmallVector<Value> readKeys, keys; ///< C x K
  DenseMap<std::pair<int64_t, int64_t>, Value> scoresOf;
  DenseMap<int64_t, Value> entryOf;
};

} // namespace

/// Zero in rows past the end. Reads see earlier rows only, so it is enough that those rows neither decay the
/// state nor write into it.
Value StateChunk::whereLive(Value rows) {
  Value condition = live;
  if (rankOf(rows) == 2)
    condition = builder.along(live, 0, cast<RankedTensorType>(rows.getType()).getShape());
  return builder.select(condition, rows, builder.splat(rows.getType(), 0));
}

void StateChunk::prepareDecay(Value logarithm) {
  decay.by_value = form.getDecayByValue();
  decay.row_wise = rankOf(logarithm) == 2 && !decay.by_value;
  decay.logarithm = whereLive(logarithm);
  if (!decay.isScalar()) {
    decay.factors = builder.exp(decay.logarithm);
    return;
  }
  auto sum = [&](bool exclusive) {
    Type type = decay.logarithm.getType();
    return tile::CumsumOp::create(builder, type, type, decay.logarithm, exclusive);
  };
  auto with = sum(false), without = sum(true);
  decay.sum = with.getSum();
  decay.error = with.getError();
  decay.exclusive_sum = without.getSum();
  decay.exclusive_error = without.getError();
}

/// exp(G[t] - G[s]) of a scalar decay. Sums and what rounding lost are subtracted apart, so that differences
/// of large sums stay exact; above the diagonal, which the caller masks, the exponent is cut off at 0.
Value StateChunk::pairFactor(bool inclusive) {
  SmallVector<int64_t> shape{chunk, chunk};
  auto difference = [&](Value reader, Value writer) {
    return builder.subtract(builder.along(reader, 0, shape), builder.along(writer, 1, shape));
  };
  Value exponent = builder.add(difference(inclusive ? decay.sum : decay.exclusive_sum, decay.sum),
                               difference(inclusive ? decay.error : decay.exclusive_error, decay.error));
  return builder.exp(builder.minimum(exponent, builder.splat(exponent.getType(), 0)));
}

/// The score of each read token against each written one, C x C, zero above the diagonal (exclusive reads: on
/// it as well).
Value StateChunk::scores(int64_t read, int64_t write) {
  Value &known = scoresOf[{read, write}];
  if (known)
    return known;
  SmallVector<int64_t> shape{chunk, chunk};
  if (decay && decay.row_wise) {
    known = tile::DecayScoresOp::create(builder, builder.f32Tile(shape), readKeys[read], keys[write],
                                        decay.factors, !inclusive(read));
    return known;
  }
  Value product =
      builder.dot(readKeys[read], keys[write], {.transpose_rhs = true, .triangle = Triangle::result_lower});
  if (decay.isScalar())
    product = builder.multiply(product, pairFactor(inclusive(read)));
  Value visible = builder.compare(inclusive(read) ? arith::CmpIPredicate::sge : arith::CmpIPredicate::sgt,
                                  builder.coordinate(shape, 0), builder.coordinate(shape, 1));
  return known = builder.select(visible, product, builder.splat(product.getType(), 0));
}

/// exp(G): what is left, at each token, of the state at the chunk's entry.
Value StateChunk::factorFromEntry(bool inclusive) {
  if (!decay.isScalar())
    return builder.cumprod(decay.factors, {.exclusive = !inclusive});
  return builder.exp(builder.add(inclusive ? decay.sum : decay.exclusive_sum,
                                 inclusive ? decay.error : decay.exclusive_error));
}

/// What the state at the chunk's entry alone gives to a read, C x V.
Value StateChunk::entry(int64_t read, Value state) {
  Value &known = entryOf[read];
  if (known)
    return known;
  if (!decay)
    return known = builder.dot(readKeys[read], state, {});
  Value factor = factorFromEntry(inclusive(read));
  if (decay.row_wise)
    return known = builder.dot(builder.multiply(readKeys[read], factor), state, {});
  Value product = builder.dot(readKeys[read], state, {});
  if (!decay.by_value)
    factor = builder.along(factor, 0, {chunk, valueSize});
  return known = builder.multiply(product, factor);
}

/// Writes with feedback become the solutions of a triangular system; those without are known and move to its
/// right-hand side.
void StateChunk::solveFeedback(StepEmitter &step, Value state) {
  SmallVector<int64_t> index(form.getFeedbackIndex());
  SmallVector<int64_t> unknown;
  for (int64_t write = 0; write < int64_t(keys.size()); ++write)
    for (size_t term = 0; term < form.getFeedback().size(); ++term)
      if (index[2 * term] == write && !llvm::is_contained(unknown, write))
        unknown.push_back(write);
  if (unknown.empty())
    return;
  auto weight = [&](size_t term, int64_t columns) {
    return builder.along(step.rows(form.getFeedback()[term]), 0, {chunk, columns});
  };
  // sum_j M_ij scores_jl, or null where no read of write i sees write l.
  auto system = [&](int64_t i, int64_t l) {
    Value total;
    for (size_t term = 0; term < form.getFeedback().size(); ++term) {
      if (index[2 * term] != i)
        continue;
      Value part = builder.multiply(weight(term, chunk), scores(index[2 * term + 1], l));
      total = total ? builder.add(total, part) : part;
    }
    return total;
  };
  SmallVector<Value> systems, values;
  SmallVector<Type> types;
  for (int64_t i : unknown) {
    Value value = writes[i];
    for (size_t term = 0; term < form.getFeedback().size(); ++term)
      if (index[2 * term] == i)
        value =
            builder.add(value, builder.multiply(weight(term, valueSize), entry(index[2 * term + 1], state)));
    for (int64_t l = 0; l < int64_t(keys.size()); ++l) {
      if (llvm::is_contained(unknown, l))
        systems.push_back(system(i, l));
      else
        value = builder.dot(system(i, l), writes[l], {.triangle = Triangle::lhs_lower, .init = value});
    }
    values.push_back(value);
    types.push_back(value.getType());
  }
  auto solve = tile::SolveOp::create(builder, types, systems, values);
  for (auto [i, solution] : llvm::zip(unknown, solve.getSolutions()))
    writes[i] = solution;
}

/// What a write gives to a read inside the chunk, added to `sum`.
Value StateChunk::readWrite(int64_t read, int64_t write, Value sum) {
  Value weights = scores(read, write);
  if (!decay.by_value)
    return builder.dot(weights, writes[write], {.triangle = Triangle::lhs_lower, .init = sum});
  Value inside = tile::DecayValuesOp::create(builder, sum.getType(), weights, writes[write], decay.factors,
                                             !inclusive(read));
  return builder.add(sum, inside);
}

Value StateChunk::nextState(Value state) {
  SmallVector<int64_t> shape{keySize, valueSize};
  Value result = state;
  Value weight; // exp(G_end - G), [C, K] or [C, V]
  if (decay.isScalar()) {
    Value last = builder.index(chunk - 1);
    Value end = tile::ExtractOp::create(builder, builder.getF32Type(), decay.sum, last);
    Value endError = tile::ExtractOp::create(builder, builder.getF32Type(), decay.error, last);
    result = builder.multiply(result, builder.fill(builder.exp(builder.add(end, endError)), shape));
    Value exponent = builder.add(builder.subtract(builder.fill(end, {chunk}), decay.sum),
                                 builder.subtract(builder.fill(endError, {chunk}), decay.error));
    weight = builder.exp(builder.minimum(exponent, builder.splat(exponent.getType(), 0)));
    weight = builder.along(whereLive(weight), 0, {chunk, keySize});
  } else if (decay) {
    Value factor = builder.exp(builder.sum(decay.logarithm, 0));
    result = builder.multiply(result, builder.along(factor, decay.by_value ? 1 : 0, shape));
    weight = whereLive(builder.cumprod(decay.factors, {.exclusive = true, .reversed = true}));
  }
  for (auto [key, write] : llvm::zip(keys, writes)) {
    Value exit = key, value = write;
    if (decay.by_value)
      value = builder.multiply(write, weight);
    else
      exit = weight ? builder.multiply(key, weight) : whereLive(key);
    result = builder.dot(exit, value, {.transpose_lhs = true, .init = result});
  }
  return result;
}

void StateChunk::run(StepEmitter &step, Value state, ArrayRef<bool> needed) {
  if (Value logarithm = form.getDecay())
    prepareDecay(step.rows(logarithm));
  for (Value key : form.getReads())
    readKeys.push_back(matrix(step.rows(key)));
  for (Value key : form.getWrites())
    keys.push_back(matrix(step.rows(key)));
  for (Value value : form.getValues())
    writes.push_back(matrix(step.rows(value)));
  solveFeedback(step, state);
  reads.resize(readKeys.size());
  for (int64_t read = 0; read < int64_t(reads.size()); ++read) {
    if (!needed[read])
      continue;
    reads[read] = entry(read, state);
    for (int64_t write = 0; write < int64_t(keys.size()); ++write)
      reads[read] = readWrite(read, write, reads[read]);
  }
  next = nextState(state);
}

//===------------------------------------------------------------------------------------------------===//
// States between memory and K x V tiles
//===------------------------------------------------------------------------------------------------===//

static Value transpose(TileBuilder &builder, Value matrix) {
  auto type = cast<RankedTensorType>(matrix.getType());
  return tile::TransposeOp::create(builder, builder.f32Tile({type.getDimSize(1), type.getDimSize(0)}),
                                   matrix);
}

/// A stored state as its K x V tile.
static Value toMatrix(TileBuilder &builder, Value state, pattern::FormOp form) {
  int64_t axis = form.getKeyAxis();
  auto [keys, values] = sizesOf(form, state.getType());
  if (rankOf(state) == 0)
    return builder.fill(state, {1, 1});
  if (rankOf(state) == 1)
    return builder.along(state, axis == 0 ? 0 : 1, {keys, values});
  return axis == 0 ? state : transpose(builder, state);
}

/// A K x V tile in the form in which the state is stored.
static Value fromMatrix(TileBuilder &builder, Value matrix, pattern::FormOp form, Type slice) {
  auto type = dyn_cast<RankedTensorType>(slice);
  int64_t axis = form.getKeyAxis();
  if (!type)
    return builder.sum(builder.sum(matrix, 1), 0);
  if (type.getRank() == 1)
    return builder.sum(matrix, axis == 0 ? 1 : 0);
  return axis == 0 ? matrix : transpose(builder, matrix);
}

FailureOr<OpPlan> linmu::deriveChunked(pattern::NormalScanOp scan, int64_t chunk, ProgramBuilder &program) {
  LoopView view = LoopView::of(scan);
  LoopKernel kernel(program, view, "chunked");
  TileBuilder &builder = kernel.builder;
  kernel.walkBatchAndHead();
  kernel.loadParams();
  SmallVector<Value> initial;
  for (unsigned state = 0; state < scan.getNumStates(); ++state)
    initial.push_back(toMatrix(builder, kernel.initialState(state), scan.getForm(state)));

  auto loop =
      scf::ForOp::create(builder, builder.index(0), kernel.walk.tokens, builder.index(chunk), initial);
  Block *body = loop.getBody();
  if (!body->empty())
    body->back().erase();
  builder.setInsertionPointToEnd(body);

  // Rows past the end repeat the last token; `live` keeps them out of states and stores.
  Value first = builder.fill(builder.toI32(loop.getInductionVar()), {chunk});
  Value position = builder.add(first, builder.coordinate({chunk}));
  Value last = builder.toI32(builder.subtract(kernel.walk.tokens, builder.index(1)));
  Value lasts = builder.fill(last, {chunk});
  Value live = builder.compare(arith::CmpIPredicate::sle, position, lasts);
  Value clamped = builder.minimum(position, lasts);

  SmallVector<Block *> blocks;
  for (Region &region : scan->getRegions())
    blocks.push_back(&region.front());
  StepEmitter step = kernel.startStep(clamped, blocks);
  kernel.prefetch(clamped);
  unsigned bound = view.params.size() + view.tokens.size();
  SmallVector<Value> next;
  for (unsigned state = 0; state < scan.getNumStates(); ++state) {
    if (failed(step.emit(scan.getStage(state))))
      return failure();
    pattern::FormOp form = scan.getForm(state);
    builder.setLoc(form.getLoc());
    ArrayRef<Block *> later = ArrayRef(blocks).drop_front(state + 1);
    SmallVector<bool> needed;
    for (unsigned read = 0; read < form.getReads().size(); ++read)
      needed.push_back(
          llvm::any_of(later, [&](Block *block) { return !block->getArgument(bound + read).use_empty(); }));
    StateChunk part(builder, form, sliceOfState(scan, state), chunk, live);
    part.run(step, loop.getRegionIterArgs()[state], needed);
    next.push_back(part.next);
    auto results = llvm::to_vector(llvm::concat<Value>(part.reads, part.writes));
    for (Value result : results) {
      Type type = blocks.back()->getArgument(bound).getType();
      for (Block *block : later)
        if (result && !block->getArgument(bound).use_empty())
          // A value without axis is [C, 1] in the algebra and [C] in the step.
          step.bind(block->getArgument(bound),
                    {isa<FloatType>(type) ? builder.sum(result, 1) : result, true});
      ++bound;
    }
  }
  if (failed(step.emit(scan.getFinish())))
    return failure();
  builder.setLoc(scan.getLoc());
  auto yield = cast<pattern::YieldOp>(scan.getFinish().getTerminator());
  Value rows = kernel.walk.rowsOf(builder, clamped);
  for (auto [value, output] : llvm::zip(yield.getOutputs(), view.outputs))
    kernel.storeOutput(output, step.rows(value), rows, live);
  scf::YieldOp::create(builder, next);

  builder.setInsertionPointAfter(loop);
  for (unsigned state = 0; state < scan.getNumStates(); ++state)
    kernel.storeState(
        state, fromMatrix(builder, loop.getResult(state), scan.getForm(state), sliceOfState(scan, state)));
  kernel.storeOwnTails();
  OpPlan plan{"chunked(chunk=" + std::to_string(chunk) + ")", {kernel.launch}};
  kernel.appendTailLaunches(program, /*all=*/false, plan);
  return plan;
}
