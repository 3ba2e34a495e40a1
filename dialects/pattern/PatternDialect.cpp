#include "dialects/pattern/Pattern.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace linmu::pattern;

#include "dialects/pattern/PatternDialect.cpp.inc"
#include "dialects/pattern/StepInterface.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/pattern/PatternAttributes.cpp.inc"

void PatternDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/pattern/PatternAttributes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/pattern/PatternOps.cpp.inc"
      >();
}

#define GET_OP_CLASSES
#include "dialects/pattern/PatternOps.cpp.inc"

//===------------------------------------------------------------------------------------------------===//
// #pattern.order
//===------------------------------------------------------------------------------------------------===//

static constexpr StringRef axisNames[] = {"t", "y", "x"};

Attribute OrderAttr::parse(AsmParser &parser, Type) {
  SmallVector<unsigned> axes;
  SMLoc loc = parser.getCurrentLocation();
  auto parseAxis = [&]() -> ParseResult {
    StringRef name;
    SMLoc axisLoc = parser.getCurrentLocation();
    if (parser.parseKeyword(&name))
      return failure();
    const auto *axis = llvm::find(axisNames, name);
    if (axis == std::end(axisNames))
      return parser.emitError(axisLoc) << "requires an axis t, y or x, got '" << name << "'";
    axes.push_back(axis - axisNames);
    return success();
  };
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::LessGreater, parseAxis))
    return {};
  return getChecked([&] { return parser.emitError(loc); }, parser.getContext(), axes);
}

void OrderAttr::print(AsmPrinter &printer) const {
  printer << "<";
  llvm::interleaveComma(getAxes(), printer, [&](unsigned axis) { printer << axisNames[axis]; });
  printer << ">";
}

LogicalResult OrderAttr::verify(function_ref<InFlightDiagnostic()> emitError, ArrayRef<unsigned> axes) {
  SmallVector<unsigned> sorted(axes);
  llvm::sort(sorted);
  if (sorted == SmallVector<unsigned>{0, 1, 2})
    return success();
  InFlightDiagnostic diagnostic = emitError() << "requires each of the axes t, y, x once, got <";
  llvm::interleaveComma(axes, diagnostic, [&](unsigned axis) { diagnostic << axisNames[axis]; });
  return diagnostic << ">";
}

Type linmu::pattern::sliceType(RankedTensorType type, unsigned leading) {
  Type element = type.getElementType();
  if (isa<FloatType>(element))
    element = Float32Type::get(type.getContext());
  ArrayRef<int64_t> shape = type.getShape().drop_front(std::min<size_t>(leading, type.getRank()));
  return shape.empty() ? element : RankedTensorType::get(shape, element);
}
