#include "compiler/target/cuda/dialect/Cuda.h"
#include "compiler/target/cuda/layout/Fragments.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace linmu::cuda;

#include "compiler/target/cuda/dialect/CudaDialect.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "compiler/target/cuda/dialect/CudaAttributes.cpp.inc"

void CudaDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "compiler/target/cuda/dialect/CudaAttributes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "compiler/target/cuda/dialect/CudaOps.cpp.inc"
      >();
}

//===------------------------------------------------------------------------------------------------===//
// Text
//===------------------------------------------------------------------------------------------------===//

void LayoutAttr::print(AsmPrinter &printer) const {
  printer << "<";
  printer.getStream() << getLayout();
  printer << ">";
}

namespace {
using Coordinates = SmallVector<int64_t>;

struct Input {
  std::string name;
  SmallVector<Coordinates> images;
  SMLoc location;
};
} // namespace

/// register = [[0, 1], [8, 0]]
static ParseResult parseInput(AsmParser &parser, SmallVectorImpl<Input> &inputs) {
  Input &input = inputs.emplace_back();
  input.location = parser.getCurrentLocation();
  if (parser.parseKeywordOrString(&input.name) || parser.parseEqual())
    return failure();
  return parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&] {
    Coordinates &image = input.images.emplace_back();
    return parser.parseCommaSeparatedList(AsmParser::Delimiter::Square,
                                          [&] { return parser.parseInteger(image.emplace_back()); });
  });
}

/// dim0: 16
static ParseResult parseOutput(AsmParser &parser, Dimensions &outs) {
  std::string name;
  int64_t size = 0;
  SMLoc location = parser.getCurrentLocation();
  if (parser.parseKeywordOrString(&name) || parser.parseColon() || parser.parseInteger(size))
    return failure();
  if (size < 1 || !llvm::isPowerOf2_64(size))
    return parser.emitError(location)
           << "requires a power of two many values of '" << name << "', got " << size;
  if (llvm::any_of(outs, [&](const Dimension &d) { return d.name == name; }))
    return parser.emitError(location) << "output '" << name << "' is named twice";
  outs.push_back({name, llvm::Log2_64(size)});
  return success();
}

Attribute LayoutAttr::parse(AsmParser &parser, Type) {
  SMLoc location = parser.getCurrentLocation();
  SmallVector<Input> inputs;
  Dimensions ins, outs;
  if (parser.parseLess() || parser.parseCommaSeparatedList([&] { return parseInput(parser, inputs); }) ||
      parser.parseArrow() || parser.parseCommaSeparatedList([&] { return parseOutput(parser, outs); }) ||
      parser.parseGreater())
    return {};
  SmallVector<std::uint64_t> images;
  for (const Input &input : inputs) {
    if (llvm::any_of(ins, [&](const Dimension &d) { return d.name == input.name; })) {
      parser.emitError(input.location) << "input '" << input.name << "' is named twice";
      return {};
    }
    ins.push_back({input.name, static_cast<unsigned>(input.images.size())});
    for (const Coordinates &image : input.images) {
      bool inside = image.size() == outs.size() && llvm::all_of(llvm::zip(image, outs), [](auto pair) {
                      return std::get<0>(pair) >= 0 && std::get<0>(pair) < std::get<1>(pair).size();
                    });
      if (!inside) {
        parser.emitError(input.location)
            << "requires images of '" << input.name << "' to have a coordinate for each of the "
            << outs.size() << " outputs, inside its size; got [" << image << "]";
        return {};
      }
      images.push_back(packCoordinates(outs, image));
    }
  }
  if (bitsOf(ins) > 64 || bitsOf(outs) > 64) {
    parser.emitError(location) << "requires at most 64 bits of inputs and of outputs, got " << bitsOf(ins)
                               << " and " << bitsOf(outs);
    return {};
  }
  return parser.getChecked<LayoutAttr>(location, parser.getContext(), LinearLayout(ins, outs, images));
}

//===------------------------------------------------------------------------------------------------===//
// Verification
//===------------------------------------------------------------------------------------------------===//

static SmallVector<StringRef> namesOf(ArrayRef<Dimension> dimensions) {
  return llvm::map_to_vector(dimensions, [](const Dimension &d) { return StringRef(d.name); });
}

bool LayoutAttr::isOfRegisters() const { return getLayout().ins().size() == 3; }

LogicalResult LayoutAttr::verify(function_ref<InFlightDiagnostic()> emitError, LinearLayout layout) {
  SmallVector<StringRef> ins = namesOf(layout.ins()), outs = namesOf(layout.outs());
  bool registers = ins == SmallVector<StringRef>{registerInput, laneInput, warpInput};
  if (!registers && ins != SmallVector<StringRef>{offsetInput})
    return emitError() << "requires the inputs register, lane, warp, or the input offset; got "
                       << llvm::join(ins, ", ");
  if (outs != SmallVector<StringRef>{rowOutput} && outs != SmallVector<StringRef>{rowOutput, columnOutput})
    return emitError() << "requires the outputs dim0, or dim0, dim1; got " << llvm::join(outs, ", ");
  if (registers && layout.inBits(laneInput) != laneBits)
    return emitError() << "requires " << laneBits << " images of lane, got " << layout.inBits(laneInput);
  if (!layout.isSurjective())
    return emitError() << "requires every element to have a place; the images span "
                       << (std::uint64_t(1) << layout.rank()) << " of "
                       << (std::uint64_t(1) << bitsOf(layout.outs())) << " elements";
  if (!registers && !layout.isInjective())
    return emitError() << "requires one offset an element, got " << layout.images().size() << " images for "
                       << bitsOf(layout.outs()) << " bits of coordinates";
  return success();
}

LogicalResult LayoutAttr::verifyEncoding(ArrayRef<int64_t> shape, Type,
                                         function_ref<InFlightDiagnostic()> emitError) const {
  if (!isOfRegisters())
    return emitError()
           << "requires a layout of register, lane and warp as a tile's encoding; memory layouts belong "
              "to buffers";
  SmallVector<int64_t> extents =
      llvm::map_to_vector(getLayout().outs(), [](const Dimension &dimension) { return dimension.size(); });
  if (ArrayRef(extents) != shape)
    return emitError() << "requires a layout of the tile's shape [" << shape << "], got one of ["
                       << ArrayRef(extents) << "]";
  return success();
}
