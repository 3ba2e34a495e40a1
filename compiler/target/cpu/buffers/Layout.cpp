#include "compiler/target/cpu/buffers/Layout.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace linmu::cpu;

static constexpr StringLiteral layoutNames[] = {"rows", "panels", "transposed-panels"};
static constexpr StringLiteral nextNames[] = {"scalar", "kept", "in-place", "staged"};

StringRef linmu::cpu::nameOf(Layout layout) { return layoutNames[size_t(layout)]; }
StringRef linmu::cpu::nameOf(NextValue next) { return nextNames[size_t(next)]; }

/// The enumerator that an attribute names.
template <typename Enum>
static std::optional<Enum> enumOf(Attribute attribute, ArrayRef<StringLiteral> names) {
  auto text = dyn_cast<StringAttr>(attribute);
  const auto *found = text ? llvm::find(names, text.getValue()) : names.end();
  return found == names.end() ? std::nullopt : std::optional(Enum(found - names.begin()));
}

std::optional<SmallVector<Layouts>> linmu::cpu::layoutsIn(Operation *op, StringRef attribute) {
  auto lists = op->getAttrOfType<ArrayAttr>(attribute);
  if (!lists)
    return std::nullopt;
  SmallVector<Layouts> result;
  for (Attribute list : lists) {
    auto names = dyn_cast<ArrayAttr>(list);
    if (!names)
      return std::nullopt;
    Layouts &layouts = result.emplace_back();
    for (Attribute name : names) {
      auto layout = enumOf<Layout>(name, layoutNames);
      if (!layout)
        return std::nullopt;
      layouts.push_back(*layout);
    }
  }
  return result;
}

std::optional<SmallVector<NextValue>> linmu::cpu::nextValuesOf(Operation *loop) {
  auto names = loop->getAttrOfType<ArrayAttr>(nextAttribute);
  if (!names)
    return std::nullopt;
  SmallVector<NextValue> result;
  for (Attribute name : names) {
    auto next = enumOf<NextValue>(name, nextNames);
    if (!next)
      return std::nullopt;
    result.push_back(*next);
  }
  return result;
}

void linmu::cpu::setLayouts(Operation *op, StringRef attribute, ArrayRef<Layouts> layouts) {
  Builder builder(op->getContext());
  SmallVector<Attribute> lists;
  for (const Layouts &list : layouts) {
    SmallVector<Attribute> names;
    for (Layout layout : list)
      names.push_back(builder.getStringAttr(nameOf(layout)));
    lists.push_back(builder.getArrayAttr(names));
  }
  op->setDiscardableAttr(attribute, builder.getArrayAttr(lists));
}

void linmu::cpu::setNextValues(Operation *loop, ArrayRef<NextValue> values) {
  Builder builder(loop->getContext());
  SmallVector<Attribute> names;
  for (NextValue next : values)
    names.push_back(builder.getStringAttr(nameOf(next)));
  loop->setDiscardableAttr(nextAttribute, builder.getArrayAttr(names));
}

int64_t linmu::cpu::rankOf(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor ? tensor.getRank() : 0;
}

ArrayRef<int64_t> linmu::cpu::shapeOf(Value tile) {
  return cast<RankedTensorType>(tile.getType()).getShape();
}

int64_t linmu::cpu::roundUp(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

int64_t linmu::cpu::panelsOf(int64_t columns) { return (columns + Machine::width - 1) / Machine::width; }

int64_t linmu::cpu::largestDivisor(int64_t count, int64_t most) {
  int64_t divisor = std::min(count, most);
  while (count % divisor)
    --divisor;
  return divisor;
}

Type linmu::cpu::storedElement(Type element, unsigned bitsOfBool) {
  if (element.isInteger(1))
    return IntegerType::get(element.getContext(), bitsOfBool);
  if (element.isBF16())
    return IntegerType::get(element.getContext(), 16);
  return element;
}

MemRefType linmu::cpu::bufferType(Type tile, Layout layout) {
  auto type = cast<RankedTensorType>(tile);
  constexpr int64_t width = Machine::width;
  SmallVector<int64_t> shape(type.getShape());
  if (type.getRank() == 1)
    shape = {roundUp(shape[0], width)};
  else if (layout == Layout::rows)
    shape = {shape[0], roundUp(shape[1], width)};
  else if (layout == Layout::panels)
    shape = {panelsOf(shape[1]), shape[0], width};
  else
    shape = {panelsOf(shape[0]), roundUp(shape[1], width), width};
  return MemRefType::get(shape, storedElement(type.getElementType(), 32));
}

int64_t linmu::cpu::bytesOf(MemRefType type) {
  return roundUp(type.getNumElements() * type.getElementTypeBitWidth() / 8, 64);
}
