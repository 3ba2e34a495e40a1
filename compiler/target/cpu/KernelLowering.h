// Lowers one tile.kernel to vector, memref and scf.
//
// A tile value is either *materialised* in a buffer of the thread's workspace or *inlined*: recomputed, one
// register block of rows x Machine::width elements at a time, wherever a consumer asks for it. So a chain of
// elementwise ops behind a dot becomes part of the dot's own loop nest. Values with random access (operands
// of dots and solves) and costly values with several uses are materialised where they are defined.
#pragma once
#include "compiler/target/cpu/Machine.h"
#include "dialects/tile/Tile.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/DenseSet.h"

namespace linmu::cpu {

/// How a buffer stores a tile of rows x columns. Columns are padded to whole panels.
enum class Layout {
  rows,             ///< [rows][columns]
  panels,           ///< [columns / width][rows][width]: a column panel is contiguous
  transposedPanels, ///< the transpose of the tile, as panels: [rows / width][columns][width]
};

struct Buffer {
  mlir::Value memref;
  Layout layout = Layout::rows;
};

/// A register block: `rows` rows from `row`, and the columns of `panels` panels from `panel`, whose first
/// column is `column`. Its vectors are those of the first panel, row by row, then those of the next.
struct Block {
  mlir::Value row;
  std::int64_t rows;
  mlir::Value panel;
  mlir::Value column;
  std::int64_t panels = 1;

  std::int64_t size() const { return rows * panels; }
};

/// What a `tile.load` or `tile.store` touches, in one form.
struct Access {
  mlir::Value memory;
  mlir::OperandRange indices;
  mlir::Type tile;

  static Access of(mlir::Operation *loadOrStore);
  /// The axis of memory that is the tile's axis `axis`.
  std::int64_t axisOf(std::int64_t axis) const;
  /// The index of the tile's rows, null where they are a whole axis; of the columns of a matrix.
  mlir::Value rowIndex() const { return indexOf(0); }
  mlir::Value columnIndex() const { return indexOf(1); }
  /// Whether the tile is one element of each of several rows.
  bool isElements() const;

private:
  mlir::Value indexOf(std::int64_t axis) const;
};

class KernelLowering {
public:
  KernelLowering(tile::KernelOp kernel, const Machine &machine);

  /// Builds `func.func @NAME(first, last, workspace, grid x, y, z, operands...)` before the kernel. Fails
  /// with a diagnostic for ops outside the contract of the tile dialect.
  mlir::FailureOr<mlir::func::FuncOp> run();

  /// Bytes of workspace that a thread needs; valid after run().
  std::int64_t workspaceBytes() const { return workspaceBytes_; }
  /// How many blocks a thread best runs in one call; valid after run().
  std::int64_t blocksTogether() const { return blocksTogether_; }

private:
  using Value = mlir::Value;
  using Vectors = llvm::SmallVector<Value, 8>;

  // KernelLowering.cpp: walking ops in program order
  mlir::LogicalResult lowerOps(llvm::iterator_range<mlir::Block::iterator> ops);
  void addLayouts(mlir::Operation &op);
  mlir::LogicalResult lowerOp(mlir::Operation &op);
  mlir::LogicalResult lowerScalarOp(mlir::Operation &op);
  mlir::LogicalResult lowerFor(mlir::Operation &op);
  mlir::LogicalResult lowerIf(mlir::Operation &op);
  void lowerYield(mlir::Operation &loop, mlir::Operation &yield, llvm::ArrayRef<Buffer> carried);
  Value blockPlace(Value number, int64_t dimension);

  // TokenWalk.cpp: blocks that walk the tokens together
  struct Stretch {
    mlir::scf::ForOp walk;       ///< null where blocks run one after the other
    Value from, to;              ///< the tokens of the stretch
    Value firstBlock, lastBlock; ///< that walk together, the last not included
    Value isFirst, isLast;       ///< i1
    Value slot;                  ///< of this block
  };
  void openBlockLoops(Value first, Value last, mlir::Block &body);
  Buffer allocateSlot(mlir::Type tile, Layout layout);
  Value resumeScalar(Value init, llvm::SmallVectorImpl<Value> &slots);

  // Materialize.cpp: which values get a buffer, and filling it
  void decide(Value tile);
  bool isExpensive(Value tile, int &budget);
  bool hasLowerUsesOnly(Value tile);
  Buffer allocate(mlir::Type tile, Layout layout);
  void fill(Value tile, const Buffer &buffer);
  std::int64_t panelsOfRow(Value tile);
  tile::LoadOp rowwiseLoad(Value tile);
  void fillByRows(Value tile, const Buffer &buffer);
  void fillTransposed(Value tile, const Buffer &buffer);
  Buffer materialize(Value tile, Layout layout);
  const Buffer *find(Value tile, Layout layout);
  const Buffer *findAny(Value tile);

  // Access.cpp: values of a register block
  Vectors block(Value tile, const Block &at);
  Value vector(Value tile, Value column);
  Value scalar(Value tile, Value index);
  Value scalarOf(Value value) { return scalars_.lookup(value); }
  Value loadBuffer(const Buffer &buffer, mlir::Type element, Value row, Value panel, Value column);
  void storeBuffer(Value vector, const Buffer &buffer, Value row, Value panel, Value column);
  void storeBlock(llvm::ArrayRef<Value> vectors, const Buffer &buffer, const Block &at);
  Value fromStored(Value stored, mlir::Type element);
  Value bitcastElements(Value value, mlir::Type element);
  Value toStored(Value value);

  // Ranges.cpp: which places of operands a load or store touches
  /// A `tile.range`: element i is at first + i or first - i, or at rows[i] where an order says so.
  struct Range {
    Value first, from, to; ///< index; `from` and `to` null where all elements are live
    bool backward;
    Value rows; ///< a buffer of i64, 0 for dead elements; null without an order
  };
  void lowerRange(tile::RangeOp op);
  mlir::LogicalResult checkAccess(mlir::Operation *op, Value memory, mlir::OperandRange indices);
  llvm::SmallVector<Value> placeOf(const Access &access, Value row, Value column);
  Value placeIn(const Range &range, Value at);
  Value isLive(Value index, Value at);
  Value isAllLive(Value index);
  Value liveLanes(Value index, Value column, std::int64_t size);

  // Memory.cpp: operands
  mlir::LogicalResult lowerLoad(tile::LoadOp op);
  mlir::LogicalResult lowerStore(tile::StoreOp op);
  Vectors loadBlock(tile::LoadOp op, const Block &at);
  Value loadVector(tile::LoadOp op, Value column);
  Value loadLanes(Value memory, mlir::ValueRange place, Value mask);
  void gatherElements(tile::LoadOp op, const Buffer &buffer);
  Value toMemory(Value value);
  void storeLanes(Value lanes, Value memory, mlir::ValueRange place, Value mask);
  void storeRows(tile::StoreOp op);

  // NextIteration.cpp
  void enterIteration(mlir::scf::ForOp source, Value position);
  void moveTo(mlir::scf::ForOp source, Value position, Value block);
  Value ahead(Value value, Value at);
  Value aheadIndex(Value index, Value at);
  Value aheadAddress(mlir::Operation *access, Value at);

  // Prefetch.cpp
  /// Rows that wait to be asked for: `lines` cache lines of which `taken` are in the shares of loop nests.
  struct PrefetchRows {
    Value addresses; ///< a buffer of i64, one a row
    std::int64_t linesPerRow, lines, taken;
  };
  /// Lines [first, first + lines): `perBlock` with every block of a nest, or one with each `every`-th.
  struct PrefetchShare {
    PrefetchRows rows;
    std::int64_t first, lines, perBlock, every;
    /// Lines that go with each block, none where most blocks go without.
    std::int64_t linesOfEachBlock() const { return every == 1 ? perBlock : 0; }
  };
  std::int64_t inlinedWork(Value tile, llvm::SmallDenseSet<Value> &seen);
  void prefetchAddress(Value address);
  void lowerPrefetches(mlir::Block &body);
  llvm::SmallVector<PrefetchShare> takePrefetches(Value tile, std::int64_t blocks);
  void prefetchLine(const PrefetchRows &rows, Value line);
  void emitPrefetch(const PrefetchShare &share, Value block, Value number);
  void emitPrefetches(llvm::ArrayRef<PrefetchShare> shares, Value block);
  void flushPrefetches();

  // Pages.cpp
  void touchPages(mlir::scf::ForOp walk);

  // Dot.cpp, Reduce.cpp, DecayScores.cpp
  Vectors dotBlock(tile::DotOp op, const Block &at);
  /// The operands of a product as buffers, and where in them a register block stands.
  struct Product {
    Value lhs; ///< rows
    bool lhsTransposed;
    Value rhs; ///< panels
    Block at;
    std::int64_t unroll;
  };
  void multiplyAddStep(const Product &product, Vectors &next, Value step, std::int64_t firstRow);
  Vectors multiplyAdd(const Product &product, mlir::ValueRange sums, Value k);
  void accumulate(Vectors &sums, const Product &product, Value from, Value to);
  std::int64_t accumulateAndPrefetch(Vectors &sums, const Product &product, std::int64_t contracted);
  void lowerSolve(tile::SolveOp op);
  void lowerReduce(tile::ReduceOp op);
  void lowerCumsum(tile::CumsumOp op);
  void lowerCumprod(tile::CumprodOp op);
  void lowerTranspose(tile::TransposeOp op);
  void lowerExtract(tile::ExtractOp op);
  void lowerDecayScores(tile::DecayScoresOp op);
  void lowerDecayValues(tile::DecayValuesOp op);

  // Emit.cpp: small helpers that build ops
  Value index(std::int64_t value);
  Value constant(mlir::Type type, double value);
  Value add(Value lhs, Value rhs);
  Value add(Value lhs, std::int64_t rhs) { return rhs == 0 ? lhs : add(lhs, index(rhs)); }
  Value multiply(Value lhs, std::int64_t rhs);
  Value splat(Value scalar);
  mlir::VectorType vectorType(mlir::Type element, std::int64_t size = Machine::width);
  Value columnMask(Value column, std::int64_t columns);
  void loop(std::int64_t from, std::int64_t to, std::int64_t step, llvm::function_ref<void(Value)> body);
  void loop(Value from, Value to, std::int64_t step, llvm::function_ref<void(Value)> body);
  Vectors loop(Value from, Value to, std::int64_t step, mlir::ValueRange inits,
               llvm::function_ref<Vectors(Value, mlir::ValueRange)> body);
  /// `body` under the condition; without one, always.
  void guarded(Value condition, llvm::function_ref<void()> body);
  /// Blocks of `panels` panels, which divides their number.
  void forEachBlock(llvm::ArrayRef<std::int64_t> shape, bool lowerOnly, std::int64_t panels,
                    llvm::function_ref<void(const Block &)> body);
  /// The same over the blocks of `tile`, which `body` computes; prefetches that wait go with them.
  void forEachBlockOf(Value tile, bool lowerOnly, llvm::function_ref<void(const Block &)> body);
  void forEachVector(const Block &at, llvm::function_ref<void(Value row, Value panel, Value column)> body);
  std::int64_t blockRows(std::int64_t rows) const;
  std::int64_t blockPanels(std::int64_t columns) const;
  Value memrefOf(Value operand) { return operands_.lookup(operand); }

  tile::KernelOp kernel_;
  const Machine &machine_;
  mlir::OpBuilder builder_;
  mlir::Location location_;
  mlir::Value entryWorkspace_;
  mlir::Operation *blockLoop_ = nullptr; ///< workspace views are placed before it
  mlir::IRMapping scalars_;              ///< scalars of the kernel to scalars of the function
  llvm::DenseMap<Value, Value> operands_;
  llvm::DenseMap<Value, Range> ranges_;
  Value knownLive_;                     ///< the range whose element at hand is live
  llvm::DenseMap<Value, Buffer> owned_; ///< buffers of the program, by tile.alloc
  llvm::DenseMap<Value, llvm::SmallVector<Buffer, 2>> buffers_;
  llvm::DenseMap<Value, Vectors> memo_; ///< blocks computed at the current insertion point
  llvm::SmallVector<PrefetchRows> waiting_;
  llvm::SmallVector<PrefetchShare> blockShares_; ///< of the register block that is being computed
  Value blockNumber_;                            ///< and its number in the nest
  std::int64_t workLeft_ = 0; ///< multiplications of the block's products that are still to be lowered
  llvm::DenseMap<Value, Value> ahead_; ///< loop variables to their values in the next iteration
  Value aheadBlock_;                   ///< the block of the next iteration
  Value blockId_;                      ///< number of the block, x fastest
  Value grid_[3];
  Stretch stretch_;
  std::int64_t blocksTogether_ = 1;
  std::int64_t workspaceBytes_ = 0;
};

/// On loads and stores whose rows are asked for an iteration ahead (mark-prefetches).
inline constexpr llvm::StringLiteral prefetchMark = "cpu.prefetch";

/// The rank of a tile type: 0 for scalars.
int64_t rankOf(mlir::Type type);
llvm::ArrayRef<int64_t> shapeOf(mlir::Value tile);
std::int64_t roundUp(std::int64_t value, std::int64_t multiple);
/// How a tile lies in a buffer, and the workspace that it takes.
mlir::MemRefType bufferType(mlir::Type tile, Layout layout);
std::int64_t bytesOf(mlir::MemRefType type);
/// Multiplications of the products that stand in a block.
std::int64_t workOf(mlir::Block &body);
/// What a load or store that is marked for prefetching names: how many rows, the bytes of each, and whether
/// they are single elements.
std::int64_t rowsOf(const Access &access);
std::int64_t rowBytes(const Access &access);
/// Elementwise arith and math ops, extensions and truncations included.
bool isElementwise(mlir::Operation *op);

} // namespace linmu::cpu
