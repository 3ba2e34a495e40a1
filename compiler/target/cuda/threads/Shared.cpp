// Buffers: tiles from and to shared memory.
#include "compiler/target/cuda/layout/GF2.h"
#include "compiler/target/cuda/layout/SharedMemory.h"
#include "compiler/target/cuda/threads/Lowering.h"
#include "compiler/target/cuda/threads/SharedTile.h"

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

LogicalResult linmu::cuda::lowerSlot(Thread &thread, tile::SlotOp slot) {
  int64_t elements = 1;
  for (int64_t size : slot.getResult().getType().getShape())
    elements *= size;
  thread.held.map(slot.getResult(),
                  Value(arith::MulIOp::create(thread, thread.held.lookupOrDefault(slot.getIndex()),
                                              thread.index(elements))));
  return success();
}

static LinearLayout memoryOf(Value buffer) {
  if (auto slot = buffer.getDefiningOp<tile::SlotOp>())
    buffer = slot.getRing();
  return buffer.getDefiningOp<tile::AllocOp>()->getAttrOfType<LayoutAttr>("layout").getLayout();
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

/// Which thread has which offset, whatever the order of its registers: how many bits of the number of a
/// register and of a lane there are, then where each bit leads. Null where several threads have one.
static DenseI64ArrayAttr ownersOf(MLIRContext *context, const LinearLayout &offsets) {
  SmallVector<uint64_t> images(offsets.images());
  Span reached;
  for (uint64_t image : images)
    reached.add(image);
  if (reached.rank() < images.size())
    return {};
  assert(offsets.ins().front().name == registerInput && "registers come first");
  std::sort(images.begin(), images.begin() + ptrdiff_t(offsets.inBits(registerInput)));
  SmallVector<int64_t> owners{int64_t(offsets.inBits(registerInput)), int64_t(offsets.inBits(laneInput))};
  llvm::append_range(owners, images);
  return DenseI64ArrayAttr::get(context, owners);
}

SharedTile::SharedTile(Thread &thread, Type tile, Value buffer, ArrayRef<int64_t> first)
    : SharedTile(thread, layoutOf(tile).getLayout(), elementOf(tile), buffer) {
  if (!first.empty())
    base = (*inverseOf(memory))(packCoordinates(memory.outs(), first));
  else
    owners = ownersOf(thread.getContext(), offsets);
}

SharedTile::SharedTile(Thread &thread, const LinearLayout &registers, Type element, Value buffer)
    : thread(thread), memory(memoryOf(buffer)), layout(partOf(registers, memory)), element(element),
      offsets(*solve(memory, layout)) {
  auto slot = buffer.getDefiningOp<tile::SlotOp>();
  memref = thread.held.lookup(slot ? slot.getRing() : buffer);
  if (slot) {
    slotBase = thread.held.lookup(buffer);
    place = thread.getDenseI64ArrayAttr({int64_t(slot.getAhead()), slot.getRing().getType().getShape()[0]});
  }
}

void SharedTile::mark(Operation *access) const {
  if (place)
    access->setAttr(slotAttribute, place);
  // ldmatrix reads what other lanes get.
  if (owners && !isa<LoadMatrixOp>(access))
    access->setAttr(ownersAttribute, owners);
}

Value SharedTile::offsetOfRow(uint64_t registers, const MatrixAccess &access) {
  // Row j of a plain matrix begins with the first packed element of lane 4 j; of a transposed one, with
  // packed element j % 2 of lane j / 2.
  ArrayRef<uint64_t> ofRegister = offsets.images(registerInput), ofLane = offsets.images(laneInput);
  SmallVector<uint64_t> lanes = access.transposed ? SmallVector<uint64_t>{ofRegister[0], ofLane[0], ofLane[1]}
                                                  : SmallVector<uint64_t>{ofLane[2], ofLane[3], ofLane[4]};
  for (unsigned bit : access.matrixBits)
    lanes.push_back(ofRegister[bit]);
  lanes.resize(laneBits, 0);
  return offsetBy(lanes, registers);
}

static LogicalResult writeTile(Thread &thread, Value source, SharedTile tile) {
  Value value = thread.held.lookup(source);
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
  unsigned bytes = bytesOf(tile.element);
  DenseSet<uint64_t> stored;
  Attribute number = thread.nextWrite();
  auto matrices = bytes == 2 && !first ? matrixAccess(tile.layout, tile.memory, bytes) : std::nullopt;
  if (matrices) {
    SmallVector<unsigned, 4> bits{0};
    bits.append(matrices->matrixBits.begin(), matrices->matrixBits.end());
    for (ArrayRef<int64_t> run : runsOf(int64_t(1) << tile.layout.inBits(registerInput), bits))
      if (stored.insert(tile.layout(run.front())).second)
        StoreMatrixOp::create(thread, thread.gather(value, run), tile.memref,
                              tile.offsetOfRow(run.front(), *matrices), matrices->transposed)
            ->setAttr(writeAttribute, number);
    return success();
  }
  VectorAccess access = widestAccess(tile.layout, tile.memory, bytes);
  for (ArrayRef<int64_t> run : runsOf(int64_t(1) << tile.layout.inBits(registerInput), access.registerBits))
    if (stored.insert(tile.layout(run.front())).second) {
      auto store = vector::StoreOp::create(thread, thread.gather(value, run), tile.memref,
                                           ValueRange{tile.offset(run.front())});
      store->setAttr(writeAttribute, number);
      tile.mark(store);
    }
  if (first)
    thread.restoreInsertionPoint(after);
  return success();
}

static LogicalResult readTile(Thread &thread, Value result, SharedTile tile) {
  int64_t registers = int64_t(1) << tile.layout.inBits(registerInput);
  unsigned bytes = bytesOf(tile.element);
  auto matrices = bytes == 2 ? matrixAccess(tile.layout, tile.memory, bytes) : std::nullopt;
  SmallVector<unsigned, 4> bits = widestAccess(tile.layout, tile.memory, bytes).registerBits;
  if (matrices) {
    bits = {0};
    bits.append(matrices->matrixBits.begin(), matrices->matrixBits.end());
  }
  SmallVector<Value> elements(registers), parts;
  for (ArrayRef<int64_t> run : runsOf(registers, bits)) {
    auto part = VectorType::get({int64_t(run.size())}, storedElement(tile.element));
    Value loaded =
        matrices
            ? Value(LoadMatrixOp::create(thread, part, tile.memref, tile.offsetOfRow(run.front(), *matrices),
                                         matrices->transposed))
            : Value(vector::LoadOp::create(thread, part, tile.memref, ValueRange{tile.offset(run.front())}));
    tile.mark(loaded.getDefiningOp());
    if (tile.element.isInteger(1))
      loaded = arith::TruncIOp::create(thread, VectorType::get({int64_t(run.size())}, tile.element), loaded);
    if (run.size() > 1 && run.back() == run.front() + int64_t(run.size()) - 1)
      parts.push_back(loaded);
    else
      for (auto [index, at] : llvm::enumerate(run))
        elements[at] = thread.element(loaded, int64_t(index));
  }
  thread.held.map(result, parts.empty() ? thread.join(elements) : thread.assemble(parts));
  return success();
}

LogicalResult linmu::cuda::lowerWrite(Thread &thread, tile::WriteOp write) {
  return writeTile(thread, write.getValue(),
                   SharedTile(thread, write.getValue().getType(), write.getBuffer()));
}

LogicalResult linmu::cuda::lowerWritePart(Thread &thread, WritePartOp write) {
  return writeTile(thread, write.getValue(),
                   SharedTile(thread, write.getValue().getType(), write.getBuffer(), write.getOffsets()));
}

LogicalResult linmu::cuda::lowerRead(Thread &thread, tile::ReadOp read) {
  return readTile(thread, read.getResult(), SharedTile(thread, read.getResult().getType(), read.getBuffer()));
}

LogicalResult linmu::cuda::lowerReadPart(Thread &thread, ReadPartOp read) {
  return readTile(thread, read.getResult(),
                  SharedTile(thread, read.getResult().getType(), read.getBuffer(), read.getOffsets()));
}
