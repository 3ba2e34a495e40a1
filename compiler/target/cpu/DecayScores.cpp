// Scores under row-wise decay: inside a sub-chunk every factor is a running product of decays, between
// sub-chunks a product of such.
#include "compiler/target/cpu/KernelLowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

void KernelLowering::lowerDecayScores(tile::DecayScoresOp op) {
  constexpr int64_t width = Machine::width;
  Value reads = op.getReads(), keys = op.getKeys();
  int64_t tokens = shapeOf(reads)[0], features = shapeOf(reads)[1];
  int64_t panels = roundUp(features, width) / width;
  bool exclusive = op.getExclusive();
  Type f32 = builder_.getF32Type();
  VectorType type = vectorType(f32);
  Value zero = constant(type, 0), one = constant(type, 1);

  auto tileType = cast<RankedTensorType>(reads.getType());
  Buffer readRows = *find(reads, Layout::rows), keyRows = *find(keys, Layout::rows);
  Buffer decays = *find(op.getDecays(), Layout::rows);
  Buffer scores = allocate(op.getType(), Layout::rows);
  buffers_[op.getResult()].push_back(scores);
  // Padding columns would hold exp(0) times rubbish.
  auto unpadded = [&](Value vector, Value column) -> Value {
    return features % width == 0 ? vector
                                 : Value(arith::SelectOp::create(builder_, location_,
                                                                 columnMask(column, features), vector, zero));
  };

  int64_t sub = width; // tokens of a sub-chunk
  int64_t subs = (tokens + sub - 1) / sub;
  Buffer fromStart; // reads times the decay since their sub-chunk began
  Buffer toEnd;     // keys times the decay until their sub-chunk ends
  Buffer totals;    // decays of whole sub-chunks
  if (subs > 1) {
    fromStart = allocate(tileType, Layout::rows);
    toEnd = allocate(tileType, Layout::rows);
    totals = allocate(RankedTensorType::get({subs, features}, f32), Layout::rows);
  }

  loop(0, roundUp(tokens, width), width, [&](Value column) {
    loop(0, tokens, 1, [&](Value row) {
      vector::StoreOp::create(builder_, location_, zero, scores.memref, ValueRange{row, column});
    });
  });

  // Running products from the start of a sub-chunk, and to its end, for pairs of sub-chunks.
  auto decayWithin = [&](Value begin, Value end, Value chunk, Value panel) {
    Value column = multiply(panel, width);
    auto load = [&](const Buffer &buffer, Value row) { return loadBuffer(buffer, f32, row, panel, column); };
    Vectors total = loop(begin, end, 1, {one}, [&](Value row, ValueRange carried) {
      Value product = arith::MulFOp::create(builder_, location_, carried[0], load(decays, row));
      Value factor = exclusive ? carried[0] : product;
      storeBuffer(arith::MulFOp::create(builder_, location_, load(readRows, row), factor), fromStart, row,
                  panel, column);
      return Vectors{product};
    });
    storeBuffer(total[0], totals, chunk, panel, column);
    Value length = arith::SubIOp::create(builder_, location_, end, begin);
    loop(index(0), length, 1, {one}, [&](Value back, ValueRange carried) {
      Value row = arith::SubIOp::create(builder_, location_,
                                        arith::SubIOp::create(builder_, location_, end, back), index(1));
      storeBuffer(arith::MulFOp::create(builder_, location_, load(keyRows, row), carried[0]), toEnd, row,
                  panel, column);
      return Vectors{arith::MulFOp::create(builder_, location_, carried[0], load(decays, row))};
    });
  };

  loop(0, subs, 1, [&](Value chunk) {
    Value begin = multiply(chunk, sub);
    Value end = arith::MinUIOp::create(builder_, location_, add(begin, sub), index(tokens));
    if (subs > 1)
      loop(0, panels, 1, [&](Value panel) { decayWithin(begin, end, chunk, panel); });

    // The diagonal block: each key decays a token at a time as later reads meet it.
    auto reduceAndStore = [&](Value row, Value token, ArrayRef<Value> decayed) {
      Value sum;
      for (int64_t panel = 0; panel < panels; ++panel) {
        Value column = index(panel * width);
        Value read = unpadded(loadBuffer(readRows, f32, row, index(panel), column), column);
        sum = sum ? Value(vector::FMAOp::create(builder_, location_, read, decayed[panel], sum))
                  : Value(arith::MulFOp::create(builder_, location_, read, decayed[panel]));
      }
      Value score = vector::ReductionOp::create(builder_, location_, vector::CombiningKind::ADD, sum,
                                                arith::FastMathFlags::reassoc);
      memref::StoreOp::create(builder_, location_, score, scores.memref, ValueRange{row, token});
    };
    auto decayed = [&](ValueRange carried, Value row) {
      Vectors next;
      for (int64_t panel = 0; panel < panels; ++panel)
        next.push_back(
            arith::MulFOp::create(builder_, location_, carried[panel],
                                  loadBuffer(decays, f32, row, index(panel), index(panel * width))));
      return next;
    };
    loop(begin, end, 1, [&](Value token) {
      Vectors key;
      for (int64_t panel = 0; panel < panels; ++panel) {
        Value column = index(panel * width);
        key.push_back(unpadded(loadBuffer(keyRows, f32, token, index(panel), column), column));
      }
      if (!exclusive)
        reduceAndStore(token, token, key);
      loop(add(token, 1), end, 1, key, [&](Value row, ValueRange carried) {
        if (exclusive) {
          reduceAndStore(row, token, Vectors(carried));
          return decayed(carried, row);
        }
        Vectors next = decayed(carried, row);
        reduceAndStore(row, token, next);
        return next;
      });
    });
  });
  if (subs == 1)
    return;

  // Pairs of sub-chunks: keys decayed to the end of theirs, panels of the transpose as right-hand side,
  // and decayed by every whole sub-chunk in between.
  auto transposedType = RankedTensorType::get({features, sub}, f32);
  Buffer transposed = allocate(transposedType, Layout::panels);
  loop(0, subs - 1, 1, [&](Value from) {
    Value begin = multiply(from, sub);
    loop(0, sub, 1, [&](Value token) {
      Value row = add(begin, token);
      loop(0, panels, 1, [&](Value panel) {
        Value column = multiply(panel, width);
        Value key = loadBuffer(toEnd, f32, row, panel, column);
        for (int64_t lane = 0; lane < width && lane < features; ++lane) {
          Value feature = add(column, lane);
          Value element = vector::ExtractOp::create(builder_, location_, key, ArrayRef<int64_t>{lane});
          auto store = [&] {
            memref::StoreOp::create(builder_, location_, element, transposed.memref,
                                    ValueRange{index(0), feature, token});
          };
          if (features % width == 0) {
            store();
            continue;
          }
          Value inside =
              arith::CmpIOp::create(builder_, location_, arith::CmpIPredicate::ult, feature, index(features));
          auto branch = scf::IfOp::create(builder_, location_, inside, false);
          OpBuilder::InsertionGuard guard(builder_);
          builder_.setInsertionPointToStart(branch.thenBlock());
          store();
        }
      });
    });
    loop(add(from, 1), index(subs), 1, [&](Value to) {
      Value first = multiply(to, sub);
      Value last = arith::MinUIOp::create(builder_, location_, add(first, sub), index(tokens));
      int64_t rows = blockRows(tokens % sub == 0 ? sub : 1);
      loop(first, last, rows, [&](Value row) {
        Vectors sums(rows, zero);
        Block block{row, rows, index(0), begin};
        accumulate(sums, {fromStart.memref, false, transposed.memref, block, features % 4 == 0 ? 4 : 1},
                   index(0), index(features));
        for (int64_t r = 0; r < rows; ++r)
          vector::StoreOp::create(builder_, location_, sums[r], scores.memref,
                                  ValueRange{add(row, r), begin});
      });
      loop(0, features, 1, [&](Value feature) {
        Value factor =
            splat(memref::LoadOp::create(builder_, location_, totals.memref, ValueRange{to, feature}));
        Value row = vector::LoadOp::create(builder_, location_, type, transposed.memref,
                                           ValueRange{index(0), feature, index(0)});
        vector::StoreOp::create(builder_, location_, arith::MulFOp::create(builder_, location_, row, factor),
                                transposed.memref, ValueRange{index(0), feature, index(0)});
      });
    });
  });
}
