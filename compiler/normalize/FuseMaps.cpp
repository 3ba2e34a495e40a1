// fuse-maps: a map beside a scan or another map joins its step, so that what passes between them stays in
// registers. It is not rounded to its storage type there, as in the interpreter; only stored results are.
#include "compiler/normalize/Normalize.h"
#include "compiler/normalize/Passes.h"
#include "dialects/pattern/Pattern.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::pattern;

namespace linmu {
#define GEN_PASS_DEF_FUSEMAPS
#include "compiler/normalize/Passes.h.inc"
} // namespace linmu

namespace {

/// A scan or a map, its masks and segments expanded.
struct Loop {
  Operation *op = nullptr;
  OperandRange params, tokens;
  ResultRange outputs, finals, finalTails;
  Value order, sequences;
  bool reverse;
  Block *body;
  YieldOp yield;
  int64_t heads;

  template <typename LoopOp>
  explicit Loop(LoopOp loop)
      : op(loop), params(loop.getParams()), tokens(loop.getTokens()), outputs(loop.getOutputs()),
        finals(loop.getFinals()), finalTails(loop.getFinalTails()), order(loop.getOrder()),
        sequences(loop.getSequences()), reverse(loop.getReverse()), body(&loop.getBody()),
        yield(loop.getYield()), heads(loop.getHeads()) {}

  static std::optional<Loop> of(Operation *op) {
    if (auto scan = dyn_cast<ScanOp>(op); scan && !scan.getSegments() && !scan.getSourceMask())
      return Loop(scan);
    if (auto map = dyn_cast<MapOp>(op); map && !map.getSegments() && !map.getSourceMask())
      return Loop(map);
    return std::nullopt;
  }

  bool isMap() const { return isa<MapOp>(op); }
  BlockArgument tokenArgument(unsigned token) const { return body->getArgument(params.size() + token); }
  Value tailOf(unsigned token) const {
    return isMap() ? cast<MapOp>(op).getTailOf(token) : cast<ScanOp>(op).getTailOf(token);
  }
  Value finalTailOf(unsigned token) const {
    ArrayRef<int64_t> owners = isMap() ? cast<MapOp>(op).getTailOwners() : cast<ScanOp>(op).getTailOwners();
    auto found = llvm::find(owners, int64_t(token));
    return found == owners.end() ? Value() : finalTails[found - owners.begin()];
  }
  /// The token operand that masks the final tail of token operand `token`, or null.
  Value tailMaskOf(unsigned token) const {
    ArrayRef<int64_t> owners = isMap() ? cast<MapOp>(op).getTailOwners() : cast<ScanOp>(op).getTailOwners();
    ArrayRef<int64_t> masks = isMap() ? cast<MapOp>(op).getTailMasks() : cast<ScanOp>(op).getTailMasks();
    int64_t mask = masks.empty() ? -1 : masks[llvm::find(owners, int64_t(token)) - owners.begin()];
    return mask < 0 ? Value() : tokens[mask];
  }
  Value initOf(unsigned state) const {
    return isMap() ? cast<MapOp>(op).getInitOf(state) : cast<ScanOp>(op).getInitOf(state);
  }
  bool lags(unsigned token) const {
    return llvm::any_of(tokenArgument(token).getUsers(), [&](Operation *user) {
      auto lag = dyn_cast<LagOp>(user);
      return lag && lag.getSource() == tokenArgument(token);
    });
  }
  /// A map without lags and tails is the same in every order, whatever the sequences are.
  bool dependsOnOrder() const { return !isMap() || !finalTails.empty() || !body->getOps<LagOp>().empty(); }
  bool hasMatrix() const { return llvm::any_of(*body, makesMatrix); }
};

/// A param or token operand of the joined loop.
struct Entry {
  Value operand, tail;
  Value finalTail; ///< the result of the joined loops that the tail of this operand ends in
  Value tailMask;  ///< the token operand that masks it, or null
  bool lagged = false;
  Location location;
  Type slice;
};

/// Where an argument of one of the two loops went: an entry, or what the producer yields.
using Places = SmallVector<unsigned>;

class Fusion {
public:
  Fusion(Loop producer, Loop consumer) : producer_(producer), consumer_(consumer) {}

  /// Joins the two where that keeps the meaning and repeats no work.
  bool run() {
    if (producer_.heads != consumer_.heads || (!producer_.isMap() && !consumer_.isMap()))
      return false;
    for (const Loop *loop : {&producer_, &consumer_})
      if (loop->isMap() && loop->hasMatrix())
        return false;
    bool ordered = producer_.dependsOnOrder() && consumer_.dependsOnOrder();
    if (ordered && (producer_.order != consumer_.order || producer_.reverse != consumer_.reverse ||
                    producer_.sequences != consumer_.sequences))
      return false;
    if (!findLinks() || !findPlace())
      return false;
    join();
    return true;
  }

private:
  /// Every use of the producer in the consumer must be a token at its own position.
  bool findLinks() {
    for (OpOperand &use : consumer_.op->getOpOperands()) {
      if (use.get().getDefiningOp() != producer_.op)
        continue;
      int64_t token = int64_t(use.getOperandNumber()) - int64_t(consumer_.params.size());
      if (token < 0 || token >= int64_t(consumer_.tokens.size()) ||
          !llvm::is_contained(producer_.outputs, use.get()) || consumer_.tailOf(token) ||
          consumer_.lags(token))
        return false;
    }
    return true;
  }

  /// At the consumer, where the producer's other users come later; else at the producer, where all that the
  /// consumer reads is there.
  bool findPlace() {
    bool late = llvm::all_of(producer_.op->getUsers(), [&](Operation *user) {
      return user == consumer_.op || consumer_.op->isBeforeInBlock(user);
    });
    bool early = llvm::all_of(consumer_.op->getOperands(), [&](Value operand) {
      Operation *source = operand.getDefiningOp();
      return !source || source == producer_.op || source->isBeforeInBlock(producer_.op);
    });
    place_ = late ? consumer_.op : producer_.op;
    return late || early;
  }

  bool isLink(const Loop &loop, unsigned token) const {
    return loop.op == consumer_.op && loop.tokens[token].getDefiningOp() == producer_.op;
  }

  Places addParams(const Loop &loop) {
    Places places;
    for (auto [index, operand] : llvm::enumerate(loop.params)) {
      auto known = llvm::find_if(params_, [&](const Entry &entry) { return entry.operand == operand; });
      places.push_back(known - params_.begin());
      BlockArgument argument = loop.body->getArgument(index);
      if (known == params_.end())
        params_.push_back({operand, {}, {}, {}, false, argument.getLoc(), argument.getType()});
    }
    return places;
  }

  /// Operands that both read are read once, unless their lags end in different tails.
  Places addTokens(const Loop &loop) {
    Places places;
    for (auto [index, operand] : llvm::enumerate(loop.tokens)) {
      if (isLink(loop, index)) {
        places.push_back(0);
        continue;
      }
      Value tail = loop.tailOf(index);
      bool lagged = loop.lags(index);
      auto known = llvm::find_if(tokens_, [&](const Entry &entry) {
        return entry.operand == operand && !tail && (!entry.tail || !lagged);
      });
      places.push_back(known - tokens_.begin());
      BlockArgument argument = loop.tokenArgument(index);
      if (known == tokens_.end())
        tokens_.push_back({operand, tail, loop.finalTailOf(index), tail ? loop.tailMaskOf(index) : Value(),
                           lagged, argument.getLoc(), argument.getType()});
      else
        known->lagged |= lagged;
    }
    return places;
  }

  void cloneBody(const Loop &loop, const Places &params, const Places &tokens, Block &block,
                 IRMapping &mapping) {
    for (auto [index, place] : llvm::enumerate(params))
      mapping.map(loop.body->getArgument(index), block.getArgument(place));
    for (auto [index, place] : llvm::enumerate(tokens)) {
      Value value = block.getArgument(params_.size() + place);
      if (isLink(loop, index)) {
        unsigned output = cast<OpResult>(loop.tokens[index]).getResultNumber();
        value = mapping.lookup(producer_.yield.getOutputs()[output]);
      }
      mapping.map(loop.tokenArgument(index), value);
    }
    unsigned firstState = loop.params.size() + loop.tokens.size();
    unsigned own = params_.size() + tokens_.size();
    for (unsigned state = 0; state < loop.finals.size(); ++state)
      mapping.map(loop.body->getArgument(firstState + state), block.getArgument(own + state));
    OpBuilder builder(loop.op->getContext()); // the block has no parent yet
    builder.setInsertionPointToEnd(&block);
    for (Operation &op : loop.body->without_terminator())
      builder.clone(op, mapping);
  }

  void join() {
    Loop &scan = consumer_.isMap() ? producer_ : consumer_; // or the first of two maps
    const Loop &other = consumer_.isMap() ? consumer_ : producer_;
    const Loop &ordered = scan.dependsOnOrder() ? scan : other;
    Places paramsOfProducer = addParams(producer_), paramsOfConsumer = addParams(consumer_);
    Places tokensOfProducer = addTokens(producer_), tokensOfConsumer = addTokens(consumer_);

    OpBuilder builder(place_);
    SmallVector<Value> params, tokens, tails, inits, outputs, old;
    SmallVector<int64_t> tailOwners, tailMasks, initOwners;
    SmallVector<Type> outputTypes, tailTypes;
    for (const Entry &entry : params_)
      params.push_back(entry.operand);
    for (auto [index, entry] : llvm::enumerate(tokens_)) {
      tokens.push_back(entry.operand);
      if (!entry.tail)
        continue;
      tails.push_back(entry.tail);
      tailTypes.push_back(entry.tail.getType());
      tailOwners.push_back(index);
      // A mask that both loops read is one entry, wherever that is.
      auto mask = llvm::find_if(tokens_, [&](const Entry &other) { return other.operand == entry.tailMask; });
      tailMasks.push_back(mask == tokens_.end() ? -1 : mask - tokens_.begin());
    }
    for (unsigned state = 0; state < scan.finals.size(); ++state)
      if (Value init = scan.initOf(state)) {
        inits.push_back(init);
        initOwners.push_back(state);
      }

    Region region;
    Block &block = region.emplaceBlock();
    for (const auto *entries : {&params_, &tokens_})
      for (const Entry &entry : *entries)
        block.addArgument(entry.slice, entry.location);
    for (unsigned state = 0; state < scan.finals.size(); ++state) {
      BlockArgument argument = scan.body->getArgument(scan.params.size() + scan.tokens.size() + state);
      block.addArgument(argument.getType(), argument.getLoc());
    }
    IRMapping mapping;
    cloneBody(producer_, paramsOfProducer, tokensOfProducer, block, mapping);
    cloneBody(consumer_, paramsOfConsumer, tokensOfConsumer, block, mapping);

    // What only the consumer read is not stored any more.
    for (Loop *loop : {&producer_, &consumer_})
      for (auto [result, value] : llvm::zip(loop->outputs, loop->yield.getOutputs())) {
        bool used = llvm::any_of(result.getUsers(), [&](Operation *user) { return user != consumer_.op; });
        if (loop == &producer_ && !used)
          continue;
        outputs.push_back(mapping.lookup(value));
        outputTypes.push_back(result.getType());
        old.push_back(result);
      }
    SmallVector<Value> states;
    for (Value state : scan.yield.getStates())
      states.push_back(mapping.lookup(state));
    OpBuilder end(place_->getContext());
    end.setInsertionPointToEnd(&block);
    YieldOp::create(end, consumer_.yield.getLoc(), outputs, states);

    OperationState state(scan.op->getLoc(), scan.op->getName());
    SmallVector<int32_t> sizes;
    auto addOperands = [&](ValueRange values) {
      sizes.push_back(values.size());
      state.addOperands(values);
    };
    for (const auto *values : {&params, &tokens, &tails, &inits})
      addOperands(*values);
    addOperands(ordered.order ? ValueRange(ordered.order) : ValueRange());
    addOperands(ordered.sequences ? ValueRange(ordered.sequences) : ValueRange());
    for (int clause = 0; clause < 3; ++clause) // segments and masks
      addOperands({});
    state.addTypes(outputTypes);
    state.addTypes(scan.finals.getTypes());
    state.addTypes(tailTypes);
    state.addAttribute("operandSegmentSizes", builder.getDenseI32ArrayAttr(sizes));
    state.addAttribute("resultSegmentSizes",
                       builder.getDenseI32ArrayAttr({int32_t(outputTypes.size()), int32_t(scan.finals.size()),
                                                     int32_t(tailTypes.size())}));
    if (ordered.reverse)
      state.addAttribute("reverse", builder.getUnitAttr());
    if (!tailOwners.empty())
      state.addAttribute("tail_owners", builder.getDenseI64ArrayAttr(tailOwners));
    if (!initOwners.empty())
      state.addAttribute("init_owners", builder.getDenseI64ArrayAttr(initOwners));
    if (llvm::any_of(tailMasks, [](int64_t mask) { return mask >= 0; }))
      state.addAttribute("tail_masks", builder.getDenseI64ArrayAttr(tailMasks));
    SmallVector<Attribute> fused{LocationAttr(other.op->getLoc())};
    for (const Loop *loop : {&producer_, &consumer_})
      if (auto earlier = loop->op->getAttrOfType<ArrayAttr>(fusedMaps))
        llvm::append_range(fused, earlier);
    state.addAttribute(fusedMaps, builder.getArrayAttr(fused));
    state.addRegion()->takeBody(region);
    Operation *joined = builder.create(state);

    llvm::append_range(old, scan.finals);
    for (const Entry &entry : tokens_)
      if (entry.tail)
        old.push_back(entry.finalTail);
    for (auto [from, to] : llvm::zip(old, joined->getResults()))
      from.replaceUsesWithIf(to, [&](OpOperand &use) { return use.getOwner() != consumer_.op; });
    consumer_.op->erase();
    producer_.op->erase();
  }

  Loop producer_, consumer_;
  Operation *place_ = nullptr;
  SmallVector<Entry> params_, tokens_;
};

/// Joins one pair with `op`, a map: first with a loop that reads it, then with one that it reads.
bool fuseOne(MapOp map) {
  std::optional<Loop> loop = Loop::of(map);
  if (!loop)
    return false;
  SmallVector<Operation *> users(map->getUsers());
  llvm::sort(users, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  for (Operation *user : users)
    if (auto consumer = Loop::of(user); consumer && Fusion(*loop, *consumer).run())
      return true;
  for (Value token : loop->tokens)
    if (Operation *source = token.getDefiningOp())
      if (auto producer = Loop::of(source); producer && Fusion(*producer, *loop).run())
        return true;
  return false;
}

struct FuseMaps : linmu::impl::FuseMapsBase<FuseMaps> {
  using FuseMapsBase::FuseMapsBase;

  void runOnOperation() override {
    bool changed = true;
    while (changed) {
      changed = false;
      for (MapOp map : getOperation().getOps<MapOp>())
        if (fuseOne(map)) {
          changed = true;
          ++fused;
          break; // the ops have changed
        }
    }
  }
};

} // namespace

std::unique_ptr<Pass> linmu::createFuseMapsPass() { return std::make_unique<FuseMaps>(); }
