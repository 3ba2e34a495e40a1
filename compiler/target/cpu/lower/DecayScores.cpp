// Scores under row-wise decay: inside a sub-chunk every factor is a running product of decays, between
// sub-chunks a product of such.
#include "compiler/target/cpu/lower/Lowering.h"
#include "compiler/target/cpu/lower/Nests.h"
#include "compiler/target/cpu/lower/Products.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

static constexpr int64_t width = Machine::width;
// Tokens of a sub-chunk.
static constexpr int64_t sub = width;

namespace {
class ScoresLowering {
public:
  ScoresLowering(Lowering &lowering, tile::DecayScoresOp op);
  void run();

private:
  void clearScores();
  void decayWithin(Value begin, Value end, Value subChunk, Value panel);
  void scoresWithin(Value begin, Value end);
  void scoresBetween();
  void transposeKeys(Value begin);
  void multiplyByKeys(Value begin, Value to);
  void decayKeysBy(Value subChunk);

  Value load(const Buffer &buffer, Value row, Value panel, Value column) {
    return buffers_.load(buffer, f32_, row, panel, column);
  }
  Value unpadded(Value vector, Value column);
  void reduceAndStore(Value row, Value token, ArrayRef<Value> decayedKey);
  Vectors decayed(ValueRange key, Value row);

  Kernel &kernel_;
  Emit &emit_;
  Buffers &buffers_;
  bool exclusive_;
  int64_t tokens_, features_, panels_, subs_;
  Type f32_;
  VectorType type_;
  Value zero_, one_;
  Buffer reads_, keys_, decays_, scores_;
  // Where there are several sub-chunks:
  Buffer fromStart_;  // reads times the decay since their sub-chunk began
  Buffer toEnd_;      // keys times the decay until their sub-chunk ends
  Buffer totals_;     // decays of whole sub-chunks
  Buffer transposed_; // keys of a sub-chunk as panels of the transpose
};
} // namespace

ScoresLowering::ScoresLowering(Lowering &lowering, tile::DecayScoresOp op)
    : kernel_(lowering.kernel), emit_(kernel_.emit), buffers_(kernel_.buffers), exclusive_(op.getExclusive()),
      tokens_(shapeOf(op.getReads())[0]), features_(shapeOf(op.getReads())[1]), panels_(panelsOf(features_)),
      subs_((tokens_ + sub - 1) / sub), f32_(emit_.getF32Type()), type_(vectorType(f32_)) {
  zero_ = emit_.constant(type_, 0);
  one_ = emit_.constant(type_, 1);
  reads_ = buffers_.find(op.getReads(), Layout::rows);
  keys_ = buffers_.find(op.getKeys(), Layout::rows);
  decays_ = buffers_.find(op.getDecays(), Layout::rows);
  scores_ = buffers_.allocate(op.getType(), Layout::rows);
  buffers_.add(op.getResult(), scores_);
  if (subs_ == 1)
    return;
  fromStart_ = buffers_.allocate(op.getReads().getType(), Layout::rows);
  toEnd_ = buffers_.allocate(op.getReads().getType(), Layout::rows);
  totals_ = buffers_.allocate(RankedTensorType::get({subs_, features_}, f32_), Layout::rows);
}

void ScoresLowering::clearScores() {
  emit_.loop(0, roundUp(tokens_, width), width, [&](Value column) {
    emit_.loop(0, tokens_, 1, [&](Value row) {
      vector::StoreOp::create(emit_, zero_, scores_.memref, ValueRange{row, column});
    });
  });
}

/// Padding columns hold rubbish, which may be no number.
Value ScoresLowering::unpadded(Value vector, Value column) {
  if (features_ % width == 0)
    return vector;
  Value mask = emit_.lanesBefore(emit_.index(features_), column);
  return arith::SelectOp::create(emit_, mask, vector, zero_);
}

/// Running products from the start of a sub-chunk, and to its end, for pairs of sub-chunks.
void ScoresLowering::decayWithin(Value begin, Value end, Value subChunk, Value panel) {
  Value column = emit_.multiply(panel, width);
  Vectors total = emit_.loop(begin, end, 1, {one_}, [&](Value row, ValueRange carried) {
    Value product = arith::MulFOp::create(emit_, carried[0], load(decays_, row, panel, column));
    Value factor = exclusive_ ? carried[0] : product;
    Value read = arith::MulFOp::create(emit_, load(reads_, row, panel, column), factor);
    buffers_.store(read, fromStart_, row, panel, column);
    return Vectors{product};
  });
  buffers_.store(total[0], totals_, subChunk, panel, column);
  Value length = arith::SubIOp::create(emit_, end, begin);
  emit_.loop(emit_.index(0), length, 1, {one_}, [&](Value back, ValueRange carried) {
    Value after = arith::SubIOp::create(emit_, end, back);
    Value row = arith::SubIOp::create(emit_, after, emit_.index(1));
    Value key = arith::MulFOp::create(emit_, load(keys_, row, panel, column), carried[0]);
    buffers_.store(key, toEnd_, row, panel, column);
    return Vectors{arith::MulFOp::create(emit_, carried[0], load(decays_, row, panel, column))};
  });
}

/// The inner product of a read with a key that has decayed until then.
void ScoresLowering::reduceAndStore(Value row, Value token, ArrayRef<Value> decayedKey) {
  Value sum;
  for (int64_t panel = 0; panel < panels_; ++panel) {
    Value column = emit_.index(panel * width);
    Value read = unpadded(load(reads_, row, emit_.index(panel), column), column);
    sum = sum ? Value(vector::FMAOp::create(emit_, read, decayedKey[panel], sum))
              : Value(arith::MulFOp::create(emit_, read, decayedKey[panel]));
  }
  Value score =
      vector::ReductionOp::create(emit_, vector::CombiningKind::ADD, sum, arith::FastMathFlags::reassoc);
  memref::StoreOp::create(emit_, score, scores_.memref, ValueRange{row, token});
}

Vectors ScoresLowering::decayed(ValueRange key, Value row) {
  Vectors next;
  for (int64_t panel = 0; panel < panels_; ++panel) {
    Value column = emit_.index(panel * width);
    Value decay = load(decays_, row, emit_.index(panel), column);
    next.push_back(unpadded(arith::MulFOp::create(emit_, key[panel], decay), column));
  }
  return next;
}

/// The diagonal block: each key decays a token at a time as later reads meet it.
void ScoresLowering::scoresWithin(Value begin, Value end) {
  emit_.loop(begin, end, 1, [&](Value token) {
    Vectors key;
    for (int64_t panel = 0; panel < panels_; ++panel) {
      Value column = emit_.index(panel * width);
      key.push_back(unpadded(load(keys_, token, emit_.index(panel), column), column));
    }
    if (!exclusive_)
      reduceAndStore(token, token, key);
    emit_.loop(emit_.add(token, 1), end, 1, key, [&](Value row, ValueRange carried) {
      if (exclusive_) {
        reduceAndStore(row, token, Vectors(carried));
        return decayed(carried, row);
      }
      Vectors next = decayed(carried, row);
      reduceAndStore(row, token, next);
      return next;
    });
  });
}

/// The keys of the sub-chunk at `begin`, decayed to its end, as the right-hand side of products.
void ScoresLowering::transposeKeys(Value begin) {
  emit_.loop(0, sub, 1, [&](Value token) {
    Value row = emit_.add(begin, token);
    emit_.loop(0, panels_, 1, [&](Value panel) {
      Value column = emit_.multiply(panel, width);
      Value key = load(toEnd_, row, panel, column);
      for (int64_t lane = 0; lane < width && lane < features_; ++lane) {
        Value feature = emit_.add(column, lane);
        Value element = vector::ExtractOp::create(emit_, key, ArrayRef<int64_t>{lane});
        Value inside = features_ % width == 0
                           ? Value()
                           : emit_.compare(arith::CmpIPredicate::ult, feature, emit_.index(features_));
        emit_.guarded(inside, [&] {
          memref::StoreOp::create(emit_, element, transposed_.memref,
                                  ValueRange{emit_.index(0), feature, token});
        });
      }
    });
  });
}

/// The scores of the reads of sub-chunk `to` against the keys of the one at `begin`.
void ScoresLowering::multiplyByKeys(Value begin, Value to) {
  Value first = emit_.multiply(to, sub);
  Value last = arith::MinUIOp::create(emit_, emit_.add(first, sub), emit_.index(tokens_));
  int64_t rows = blockRows(kernel_, tokens_ % sub == 0 ? sub : 1);
  emit_.loop(first, last, rows, [&](Value row) {
    Vectors sums(rows, zero_);
    RegisterBlock block{row, rows, emit_.index(0), begin};
    Product product{fromStart_.memref, false, transposed_.memref, block, features_ % 4 == 0 ? 4 : 1};
    accumulate(emit_, sums, product, emit_.index(0), emit_.index(features_));
    for (int64_t r = 0; r < rows; ++r)
      vector::StoreOp::create(emit_, sums[r], scores_.memref, ValueRange{emit_.add(row, r), begin});
  });
}

/// The keys go on to decay by a whole sub-chunk.
void ScoresLowering::decayKeysBy(Value subChunk) {
  emit_.loop(0, features_, 1, [&](Value feature) {
    Value factor = emit_.splat(memref::LoadOp::create(emit_, totals_.memref, ValueRange{subChunk, feature}));
    Value row = vector::LoadOp::create(emit_, type_, transposed_.memref,
                                       ValueRange{emit_.index(0), feature, emit_.index(0)});
    vector::StoreOp::create(emit_, arith::MulFOp::create(emit_, row, factor), transposed_.memref,
                            ValueRange{emit_.index(0), feature, emit_.index(0)});
  });
}

/// Pairs of sub-chunks: keys decayed to the end of theirs, and by every whole sub-chunk in between.
void ScoresLowering::scoresBetween() {
  transposed_ = buffers_.allocate(RankedTensorType::get({features_, sub}, f32_), Layout::panels);
  emit_.loop(0, subs_ - 1, 1, [&](Value from) {
    Value begin = emit_.multiply(from, sub);
    transposeKeys(begin);
    emit_.loop(emit_.add(from, 1), emit_.index(subs_), 1, [&](Value to) {
      multiplyByKeys(begin, to);
      decayKeysBy(to);
    });
  });
}

void ScoresLowering::run() {
  clearScores();
  emit_.loop(0, subs_, 1, [&](Value subChunk) {
    Value begin = emit_.multiply(subChunk, sub);
    Value end = arith::MinUIOp::create(emit_, emit_.add(begin, sub), emit_.index(tokens_));
    if (subs_ > 1)
      emit_.loop(0, panels_, 1, [&](Value panel) { decayWithin(begin, end, subChunk, panel); });
    scoresWithin(begin, end);
  });
  if (subs_ > 1)
    scoresBetween();
}

void linmu::cpu::lowerDecayScores(Lowering &lowering, tile::DecayScoresOp op) {
  ScoresLowering(lowering, op).run();
}
