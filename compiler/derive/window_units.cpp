#include "compiler/derive/window_units.h"
#include "compiler/derive/loops.h"
#include "compiler/derive/program_expressions.h"
#include "compiler/tile/tile_conversions.h"
#include "compiler/tile/tile_memory.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace linmu;
using arith::CmpIPredicate;

WindowUnits::WindowUnits(const pattern::WindowView &view, int64_t share, int64_t slotTokens,
                         TileBuilder &builder, const Walk &walk, WindowGrid &grid, Value media)
    : view(view), share(share), slot_tokens(slotTokens), builder(builder), walk(walk), windows(grid),
      media(media), slot(builder.blockId(1)) {
  slots = tile::BlockCountOp::create(builder, builder.getIndexType(), 1);
}

SmallVector<Value> WindowUnits::grid(ProgramBuilder &program, int64_t heads, int64_t slotTokens) {
  return {program.constant(heads), ceilDivide(program, program.tokens(), slotTokens), program.batch()};
}

Walk WindowUnits::walkOf(TileBuilder &builder, Value like, int64_t heads, int64_t blocks) {
  Walk walk;
  walk.heads = heads;
  walk.tokens = tensor::DimOp::create(builder, like, builder.index(1));
  walk.head = builder.blockId(0);
  if (blocks != heads)
    walk.head = builder.multiply(walk.head, builder.index(heads / blocks));
  walk.batch = builder.blockId(2);
  return walk;
}

Value WindowUnits::items() { return tensor::DimOp::create(builder, media, builder.index(0)); }

LogicalResult WindowUnits::enter(const WindowItem &item, Value parts, Value unit,
                                 function_ref<LogicalResult(const WindowShare &)> body) {
  bool single = view.volume() <= share;
  Value cell = single ? unit : Value(arith::DivUIOp::create(builder, unit, parts));
  WindowShare tokens{.cell = windows.cellOf(item, cell)};
  tokens.from = builder.index(0);
  tokens.to = tokens.cell.tokens;
  if (single)
    return body(tokens);
  tokens.from = builder.multiply(arith::RemUIOp::create(builder, unit, parts), builder.index(share));
  tokens.to = builder.minimum(tokens.to, builder.add(tokens.from, builder.index(share)));
  // Cells at the grid's ends have fewer tokens than the largest, for which the parts are made.
  Value some = builder.compare(CmpIPredicate::slt, tokens.from, tokens.to);
  return emitIf(builder, some, [&] { return body(tokens); });
}

/// Unit i of an item whose units follow `base` earlier ones is this slot's where base + i = slot modulo the
/// slots.
LogicalResult WindowUnits::forEach(function_ref<LogicalResult(const WindowShare &)> body) {
  Value zero = builder.index(0);
  auto ofItem = [&](Value at, ValueRange carried) -> FailureOr<Carried> {
    WindowItem item = windows.loadItem(at);
    Value more = builder.add(item.largest, builder.index(share - 1));
    Value parts = arith::DivUIOp::create(builder, more, builder.index(share));
    Value count = builder.multiply(item.count, parts), base = carried[0];
    Value ahead = builder.subtract(builder.add(slot, slots), arith::RemUIOp::create(builder, base, slots));
    Value start = arith::RemUIOp::create(builder, ahead, slots);
    if (failed(loopOver(builder, start, count, slots,
                        [&](Value unit) { return enter(item, parts, unit, body); })))
      return failure();
    return Carried{builder.add(base, count)};
  };
  return success(succeeded(loopOver(builder, zero, items(), builder.index(1), zero, ofItem)));
}

/// How many of the tokens [from, to) are in items, which do not overlap; index.
Value WindowUnits::tokensInItems(Value from, Value to) {
  Value zero = builder.index(0);
  FailureOr<Carried> counted =
      loopOver(builder, zero, items(), builder.index(1), zero,
               [&](Value at, ValueRange carried) -> FailureOr<Carried> {
                 auto entry = [&](int64_t column) {
                   return toIndex(builder, loadTile(builder, media, {at, builder.index(column)}));
                 };
                 Value first = entry(0);
                 Value end =
                     builder.add(first, builder.multiply(builder.multiply(entry(1), entry(2)), entry(3)));
                 Value common = builder.subtract(builder.minimum(end, to), builder.maximum(first, from));
                 return Carried{builder.add(carried[0], builder.maximum(common, zero))};
               });
  return counted->front();
}

/// Which of the tokens, i32, are in no item.
Value WindowUnits::areOutside(Value tokens) {
  FailureOr<Carried> inside = loopOver(
      builder, builder.index(0), items(), builder.index(1), constantLike(tokens, 0),
      [&](Value at, ValueRange carried) -> FailureOr<Carried> {
        auto entry = [&](int64_t column) { return loadTile(builder, media, {at, builder.index(column)}); };
        Value first = entry(0);
        Value size = builder.multiply(builder.multiply(entry(1), entry(2)), entry(3));
        Value here =
            builder.both(builder.compare(CmpIPredicate::sge, tokens, fill(first, tokens)),
                         builder.compare(CmpIPredicate::slt, tokens, fill(builder.add(first, size), tokens)));
        return Carried{builder.select(here, constantLike(tokens, 1), carried[0])};
      });
  return builder.compare(CmpIPredicate::eq, inside->front(), constantLike(tokens, 0));
}

void WindowUnits::zeroTextTokens(ArrayRef<Value> memories) {
  constexpr int64_t step = 32;
  Value from = builder.multiply(slot, builder.index(slot_tokens));
  Value to = builder.minimum(builder.add(from, builder.index(slot_tokens)), walk.tokens);
  Value some = builder.compare(CmpIPredicate::slt, tokensInItems(from, to), builder.subtract(to, from));
  auto write = [&](Value at) {
    Value tokens = builder.add(builder.fill(toI32(builder, at), {step}), builder.coordinate({step}));
    Value live = builder.compare(CmpIPredicate::slt, tokens, fill(toI32(builder, to), tokens));
    Value mask = builder.both(live, areOutside(tokens));
    for (Value memory : memories) {
      auto type = cast<RankedTensorType>(memory.getType());
      Value zero = builder.splat(RankedTensorType::get({step, type.getDimSize(3)}, type.getElementType()), 0);
      storeTile(builder, zero, memory, walk.indices(builder, memory, tokens), mask);
    }
    return success();
  };
  (void)emitIf(builder, some, [&] { return loopOver(builder, from, to, builder.index(step), write); });
}
