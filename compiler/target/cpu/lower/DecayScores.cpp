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

void linmu::cpu::lowerDecayScores(Lowering &lowering, tile::DecayScoresOp op) {
  Kernel &kernel = lowering.kernel;
  Emit &emit = kernel.emit;
  Buffers &buffers = kernel.buffers;
  constexpr int64_t width = Machine::width;
  Value reads = op.getReads(), keys = op.getKeys();
  int64_t tokens = shapeOf(reads)[0], features = shapeOf(reads)[1];
  int64_t panels = panelsOf(features);
  bool exclusive = op.getExclusive();
  Type f32 = emit.getF32Type();
  VectorType type = vectorType(f32);
  Value zero = emit.constant(type, 0), one = emit.constant(type, 1);

  auto tileType = cast<RankedTensorType>(reads.getType());
  Buffer readRows = buffers.find(reads, Layout::rows), keyRows = buffers.find(keys, Layout::rows);
  Buffer decays = buffers.find(op.getDecays(), Layout::rows);
  Buffer scores = buffers.allocate(op.getType(), Layout::rows);
  buffers.add(op.getResult(), scores);
  // Padding columns would hold exp(0) times rubbish.
  auto unpadded = [&](Value vector, Value column) -> Value {
    return features % width == 0 ? vector
                                 : Value(arith::SelectOp::create(
                                       emit, emit.lanesBefore(emit.index(features), column), vector, zero));
  };

  int64_t sub = width; // tokens of a sub-chunk
  int64_t subs = (tokens + sub - 1) / sub;
  Buffer fromStart; // reads times the decay since their sub-chunk began
  Buffer toEnd;     // keys times the decay until their sub-chunk ends
  Buffer totals;    // decays of whole sub-chunks
  if (subs > 1) {
    fromStart = buffers.allocate(tileType, Layout::rows);
    toEnd = buffers.allocate(tileType, Layout::rows);
    totals = buffers.allocate(RankedTensorType::get({subs, features}, f32), Layout::rows);
  }

  emit.loop(0, roundUp(tokens, width), width, [&](Value column) {
    emit.loop(0, tokens, 1, [&](Value row) {
      vector::StoreOp::create(emit, zero, scores.memref, ValueRange{row, column});
    });
  });

  // Running products from the start of a sub-chunk, and to its end, for pairs of sub-chunks.
  auto decayWithin = [&](Value begin, Value end, Value chunk, Value panel) {
    Value column = emit.multiply(panel, width);
    auto load = [&](const Buffer &buffer, Value row) {
      return buffers.load(buffer, f32, row, panel, column);
    };
    Vectors total = emit.loop(begin, end, 1, {one}, [&](Value row, ValueRange carried) {
      Value product = arith::MulFOp::create(emit, carried[0], load(decays, row));
      Value factor = exclusive ? carried[0] : product;
      buffers.store(arith::MulFOp::create(emit, load(readRows, row), factor), fromStart, row, panel, column);
      return Vectors{product};
    });
    buffers.store(total[0], totals, chunk, panel, column);
    Value length = arith::SubIOp::create(emit, end, begin);
    emit.loop(emit.index(0), length, 1, {one}, [&](Value back, ValueRange carried) {
      Value row = arith::SubIOp::create(emit, arith::SubIOp::create(emit, end, back), emit.index(1));
      buffers.store(arith::MulFOp::create(emit, load(keyRows, row), carried[0]), toEnd, row, panel, column);
      return Vectors{arith::MulFOp::create(emit, carried[0], load(decays, row))};
    });
  };

  emit.loop(0, subs, 1, [&](Value chunk) {
    Value begin = emit.multiply(chunk, sub);
    Value end = arith::MinUIOp::create(emit, emit.add(begin, sub), emit.index(tokens));
    if (subs > 1)
      emit.loop(0, panels, 1, [&](Value panel) { decayWithin(begin, end, chunk, panel); });

    // The diagonal block: each key decays a token at a time as later reads meet it.
    auto reduceAndStore = [&](Value row, Value token, ArrayRef<Value> decayed) {
      Value sum;
      for (int64_t panel = 0; panel < panels; ++panel) {
        Value column = emit.index(panel * width);
        Value read = unpadded(buffers.load(readRows, f32, row, emit.index(panel), column), column);
        sum = sum ? Value(vector::FMAOp::create(emit, read, decayed[panel], sum))
                  : Value(arith::MulFOp::create(emit, read, decayed[panel]));
      }
      Value score =
          vector::ReductionOp::create(emit, vector::CombiningKind::ADD, sum, arith::FastMathFlags::reassoc);
      memref::StoreOp::create(emit, score, scores.memref, ValueRange{row, token});
    };
    auto decayed = [&](ValueRange carried, Value row) {
      Vectors next;
      for (int64_t panel = 0; panel < panels; ++panel)
        next.push_back(arith::MulFOp::create(
            emit, carried[panel],
            buffers.load(decays, f32, row, emit.index(panel), emit.index(panel * width))));
      return next;
    };
    emit.loop(begin, end, 1, [&](Value token) {
      Vectors key;
      for (int64_t panel = 0; panel < panels; ++panel) {
        Value column = emit.index(panel * width);
        key.push_back(unpadded(buffers.load(keyRows, f32, token, emit.index(panel), column), column));
      }
      if (!exclusive)
        reduceAndStore(token, token, key);
      emit.loop(emit.add(token, 1), end, 1, key, [&](Value row, ValueRange carried) {
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
  Buffer transposed = buffers.allocate(transposedType, Layout::panels);
  emit.loop(0, subs - 1, 1, [&](Value from) {
    Value begin = emit.multiply(from, sub);
    emit.loop(0, sub, 1, [&](Value token) {
      Value row = emit.add(begin, token);
      emit.loop(0, panels, 1, [&](Value panel) {
        Value column = emit.multiply(panel, width);
        Value key = buffers.load(toEnd, f32, row, panel, column);
        for (int64_t lane = 0; lane < width && lane < features; ++lane) {
          Value feature = emit.add(column, lane);
          Value element = vector::ExtractOp::create(emit, key, ArrayRef<int64_t>{lane});
          auto store = [&] {
            memref::StoreOp::create(emit, element, transposed.memref,
                                    ValueRange{emit.index(0), feature, token});
          };
          if (features % width == 0) {
            store();
            continue;
          }
          Value inside =
              arith::CmpIOp::create(emit, arith::CmpIPredicate::ult, feature, emit.index(features));
          auto branch = scf::IfOp::create(emit, inside, false);
          OpBuilder::InsertionGuard guard(emit);
          emit.setInsertionPointToStart(branch.thenBlock());
          store();
        }
      });
    });
    emit.loop(emit.add(from, 1), emit.index(subs), 1, [&](Value to) {
      Value first = emit.multiply(to, sub);
      Value last = arith::MinUIOp::create(emit, emit.add(first, sub), emit.index(tokens));
      int64_t rows = blockRows(kernel, tokens % sub == 0 ? sub : 1);
      emit.loop(first, last, rows, [&](Value row) {
        Vectors sums(rows, zero);
        RegisterBlock block{row, rows, emit.index(0), begin};
        accumulate(emit, sums, {fromStart.memref, false, transposed.memref, block, features % 4 == 0 ? 4 : 1},
                   emit.index(0), emit.index(features));
        for (int64_t r = 0; r < rows; ++r)
          vector::StoreOp::create(emit, sums[r], scores.memref, ValueRange{emit.add(row, r), begin});
      });
      emit.loop(0, features, 1, [&](Value feature) {
        Value factor = emit.splat(memref::LoadOp::create(emit, totals.memref, ValueRange{to, feature}));
        Value row = vector::LoadOp::create(emit, type, transposed.memref,
                                           ValueRange{emit.index(0), feature, emit.index(0)});
        vector::StoreOp::create(emit, arith::MulFOp::create(emit, row, factor), transposed.memref,
                                ValueRange{emit.index(0), feature, emit.index(0)});
      });
    });
  });
}
