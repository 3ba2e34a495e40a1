// Buffers: tiles from and to shared memory.
#include "compiler/target/cuda/layout/SharedMemory.h"
#include "compiler/target/cuda/threads/Lowering.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cuda;

/// What stands in shared memory for an element.
static Type storedElement(Type element) {
  return element.isInteger(1) ? Type(IntegerType::get(element.getContext(), 8)) : element;
}

static unsigned bytesOf(Type element) { return storedElement(element).getIntOrFloatBitWidth() / 8; }

LogicalResult linmu::cuda::lowerAlloc(Thread &thread, tile::AllocOp alloc) {
  tile::BufferType type = alloc.getResult().getType();
  int64_t elements = 1;
  for (int64_t size : type.getShape())
    elements *= size;
  auto space = gpu::AddressSpaceAttr::get(thread.getContext(), gpu::AddressSpace::Workgroup);
  auto memref =
      MemRefType::get({elements}, storedElement(type.getElementType()), MemRefLayoutAttrInterface(), space);
  thread.held.map(alloc.getResult(), memref::AllocOp::create(thread, memref));
  return success();
}

static LinearLayout memoryOf(Value buffer) {
  auto alloc = buffer.getDefiningOp<tile::AllocOp>();
  return alloc->getAttrOfType<LayoutAttr>("layout").getLayout();
}

/// Registers in runs of the accesses of one thread: those of one access, first to last, for each access.
static SmallVector<SmallVector<int64_t>> runsOf(int64_t registers, ArrayRef<unsigned> bits) {
  int64_t inside = 0;
  for (unsigned bit : bits)
    inside |= int64_t(1) << bit;
  SmallVector<SmallVector<int64_t>> runs;
  for (int64_t base = 0; base < registers; ++base) {
    if (base & inside)
      continue;
    SmallVector<int64_t> &run = runs.emplace_back();
    for (int64_t number = 0; number < int64_t(1) << bits.size(); ++number) {
      int64_t at = base;
      for (auto [place, bit] : llvm::enumerate(bits))
        if (number >> place & 1)
          at |= int64_t(1) << bit;
      run.push_back(at);
    }
  }
  return runs;
}

namespace {
/// A tile's registers against a buffer.
struct SharedTile {
  SharedTile(Thread &thread, Type tile, Value buffer)
      : thread(thread), layout(layoutOf(tile).getLayout()), memory(memoryOf(buffer)),
        element(elementOf(tile)), offsets(*memory.solve(layout)), memref(thread.held.lookup(buffer)) {}

  Value offset(uint64_t registers) { return thread.coordinate(offsets, offsetInput, registers); }
  /// Of the row of an 8 x 8 matrix that this lane tells ldmatrix of.
  Value offsetOfRow(uint64_t registers, const MatrixAccess &access);

  Thread &thread;
  LinearLayout layout, memory;
  Type element;
  LinearLayout offsets; ///< register, lane, warp to offset
  Value memref;
};
} // namespace

Value SharedTile::offsetOfRow(uint64_t registers, const MatrixAccess &access) {
  // Row j of a plain matrix begins with the first packed element of lane 4 j; of a transposed one, with
  // packed element j % 2 of lane j / 2.
  ArrayRef<uint64_t> ofRegister = offsets.images(registerInput), ofLane = offsets.images(laneInput);
  SmallVector<uint64_t> lanes = access.transposed ? SmallVector<uint64_t>{ofRegister[0], ofLane[0], ofLane[1]}
                                                  : SmallVector<uint64_t>{ofLane[2], ofLane[3], ofLane[4]};
  for (unsigned bit : access.matrixBits)
    lanes.push_back(ofRegister[bit]);
  lanes.resize(laneBits, 0);
  uint64_t constant = offsets(registers), reached = 0;
  for (uint64_t image : llvm::concat<uint64_t>(lanes, SmallVector<uint64_t>(offsets.images(warpInput))))
    reached |= image;
  Value varying = thread.laneAndWarp(lanes, offsets.images(warpInput));
  if (constant & reached)
    return arith::XOrIOp::create(thread, varying, thread.index(int64_t(constant)));
  return thread.add(varying, int64_t(constant));
}

LogicalResult linmu::cuda::lowerWrite(Thread &thread, tile::WriteOp write) {
  SharedTile tile(thread, write.getValue().getType(), write.getBuffer());
  Value value = thread.held.lookup(write.getValue());
  if (tile.element.isInteger(1))
    value = arith::ExtUIOp::create(
        thread, VectorType::get(cast<VectorType>(value.getType()).getShape(), thread.getI8Type()), value);
  Value first = thread.isFirstHolder(tile.layout);
  scf::IfOp branch;
  OpBuilder::InsertPoint after;
  if (first) {
    branch = scf::IfOp::create(thread, first, /*withElseRegion=*/false);
    after = thread.saveInsertionPoint();
    thread.setInsertionPoint(branch.thenYield());
  }
  VectorAccess access = widestAccess(tile.layout, tile.memory, bytesOf(tile.element));
  DenseSet<uint64_t> stored;
  Attribute number = thread.nextWrite();
  for (ArrayRef<int64_t> run : runsOf(int64_t(1) << tile.layout.inBits(registerInput), access.registerBits))
    if (stored.insert(tile.layout(run.front())).second)
      vector::StoreOp::create(thread, thread.gather(value, run), tile.memref,
                              ValueRange{tile.offset(run.front())})
          ->setAttr(writeAttribute, number);
  if (first)
    thread.restoreInsertionPoint(after);
  return success();
}

LogicalResult linmu::cuda::lowerRead(Thread &thread, tile::ReadOp read) {
  Type type = read.getResult().getType();
  SharedTile tile(thread, type, read.getBuffer());
  int64_t registers = int64_t(1) << tile.layout.inBits(registerInput);
  SmallVector<Value> elements(registers);
  unsigned bytes = bytesOf(tile.element);
  auto matrices = bytes == 2 ? matrixAccess(tile.layout, tile.memory, bytes) : std::nullopt;
  VectorAccess access = widestAccess(tile.layout, tile.memory, bytes);
  SmallVector<unsigned, 4> bits = access.registerBits;
  if (matrices) {
    bits = {0};
    bits.append(matrices->matrixBits.begin(), matrices->matrixBits.end());
  }
  for (ArrayRef<int64_t> run : runsOf(registers, bits)) {
    auto part = VectorType::get({int64_t(run.size())}, storedElement(tile.element));
    Value loaded =
        matrices
            ? Value(LoadMatrixOp::create(thread, part, tile.memref, tile.offsetOfRow(run.front(), *matrices),
                                         matrices->transposed))
            : Value(vector::LoadOp::create(thread, part, tile.memref, ValueRange{tile.offset(run.front())}));
    for (auto [index, at] : llvm::enumerate(run))
      elements[at] = thread.element(loaded, index);
  }
  Value value = thread.join(elements);
  if (tile.element.isInteger(1))
    value = arith::TruncIOp::create(thread, VectorType::get({registers}, tile.element), value);
  thread.held.map(read.getResult(), value);
  return success();
}
