// Names, lines and types.
#include "compiler/target/cuda/print/KernelPrinter.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace linmu::cuda;

StringRef KernelPrinter::name(Value value) const {
  auto found = valueNames.find(value);
  assert(found != valueNames.end() && "an operand is printed before its uses");
  return found->second;
}

std::string KernelPrinter::names(ValueRange values) const {
  std::string list;
  for (Value value : values)
    list += (list.empty() ? "" : ", ") + name(value).str();
  return list;
}

LogicalResult KernelPrinter::define(Operation *op, const Twine &expression) {
  return define(op, op->getResult(0), expression);
}

LogicalResult KernelPrinter::define(Operation *op, Value result, const Twine &expression) {
  FailureOr<std::string> resultType = type(op, result.getType());
  if (failed(resultType))
    return failure();
  std::string name = newName();
  line("const " + *resultType + " " + name + " = " + expression + ";");
  setName(result, name);
  return success();
}

/// The user's place that a location goes back to, if any.
static FileLineColLoc userPlace(Location location) {
  return llvm::TypeSwitch<LocationAttr, FileLineColLoc>(location)
      .Case([](FileLineColLoc file) { return file; })
      .Case([](NameLoc named) { return userPlace(named.getChildLoc()); })
      .Case([](CallSiteLoc call) { return userPlace(call.getCallee()); })
      .Case([](FusedLoc fused) {
        for (Location part : fused.getLocations())
          if (FileLineColLoc file = userPlace(part))
            return file;
        return FileLineColLoc();
      })
      .Default([](LocationAttr) { return FileLineColLoc(); });
}

/// NVRTC writes file names as they are into the line tables of PTX, where ptxas takes no quotes and escapes.
static std::string quoted(StringRef file) {
  std::string result = "\"";
  for (char c : file)
    result += c == '"' ? '\'' : c == '\\' ? '/' : llvm::isPrint(c) || (c & 0x80) ? c : '?';
  return result + "\"";
}

void KernelPrinter::printPlace() {
  FileLineColLoc file = options.lines ? userPlace(place) : FileLineColLoc();
  if (!file || file.getLine() == 0 || (file.getFilename() == currentFile && file.getLine() == currentLine))
    return;
  currentFile = file.getFilename().str();
  currentLine = file.getLine();
  text += "#line " + std::to_string(currentLine) + " " + quoted(currentFile) + "\n";
}

void KernelPrinter::line(const Twine &written) {
  printPlace();
  text.append(2 * depth, ' ');
  text += written.str() + "\n";
  ++currentLine;
}

void KernelPrinter::open(const Twine &written) {
  line(written);
  ++depth;
}

void KernelPrinter::close(const Twine &written) {
  --depth;
  text.append(2 * depth, ' ');
  text += written.str() + "\n";
  ++currentLine;
  if (StringRef(text).ends_with("{\n"))
    ++depth;
}

StringRef linmu::cuda::elementName(Type type) {
  return llvm::TypeSwitch<Type, StringRef>(type)
      .Case([](Float32Type) { return "f32"; })
      .Case([](BFloat16Type) { return "bf16"; })
      .Case([](Float16Type) { return "f16"; })
      .Case([](IndexType) { return "i32"; })
      .Case([](IntegerType integer) -> StringRef {
        switch (integer.getWidth()) {
        case 1:
          return "bool";
        case 8:
          return "i8";
        case 16:
          return "i16";
        case 32:
          return "i32";
        case 64:
          return "i64";
        default:
          return "";
        }
      })
      .Default([](Type) { return ""; });
}

FailureOr<std::string> KernelPrinter::type(Operation *op, Type type) const {
  if (StringRef element = elementName(type); !element.empty())
    return element.str();
  if (auto vector = dyn_cast<VectorType>(type); vector && vector.getRank() == 1 && !vector.isScalable())
    if (StringRef element = elementName(vector.getElementType()); !element.empty())
      return ("Vector<" + element + ", " + Twine(vector.getNumElements()) + ">").str();
  if (auto buffer = dyn_cast<MemRefType>(type);
      buffer && buffer.getRank() == 1 && buffer.getLayout().isIdentity())
    if (StringRef element = elementName(buffer.getElementType()); !element.empty())
      return ("Buffer<" + element + ">").str();
  return op->emitOpError(
             "requires scalars, vectors of one axis or buffers of one axis, of f32, bf16, f16, index or "
             "integers of 1, 8, 16, 32 or 64 bits, got ")
         << type;
}
