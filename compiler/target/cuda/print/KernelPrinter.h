// What the functions that print one op each share: the kernel's text so far, and the names of its values.
#pragma once
#include "compiler/target/cuda/print/Printer.h"
#include "llvm/ADT/Twine.h"

namespace linmu::cuda {

class KernelPrinter {
public:
  KernelPrinter(tile::KernelOp kernel, const PrintOptions &options) : kernel(kernel), options(options) {}

  /// The whole kernel.
  llvm::FailureOr<std::string> print();

  /// By the table of all ops. An op that is not in it is an error.
  llvm::LogicalResult print(mlir::Operation *op);
  /// The ops of a block but its terminator.
  llvm::LogicalResult print(mlir::Block &block);

  /// What stands for a value: the name of its variable, or a constant.
  llvm::StringRef name(mlir::Value value) const;
  /// Names and constants, with commas.
  std::string names(mlir::ValueRange values) const;
  void setName(mlir::Value value, const llvm::Twine &text) { valueNames[value] = text.str(); }
  /// A name that nothing has yet.
  std::string newName() { return "v" + std::to_string(nextName++); }

  /// `const TYPE NAME = expression;` for the op's only result.
  llvm::LogicalResult define(mlir::Operation *op, const llvm::Twine &expression);
  llvm::LogicalResult define(mlir::Operation *op, mlir::Value result, const llvm::Twine &expression);
  /// A line that stands for the op that is being printed, with its place in the user's source in front.
  void line(const llvm::Twine &text);
  /// A line that ends in `{` or begins with `}`.
  void open(const llvm::Twine &text);
  void close(const llvm::Twine &text = "}");

  /// The C++ name of a scalar, vector or buffer; an error at `op` for others.
  llvm::FailureOr<std::string> type(mlir::Operation *op, mlir::Type type) const;

private:
  llvm::LogicalResult printArguments();
  void printPlace();

  tile::KernelOp kernel;
  const PrintOptions &options;
  std::string text;
  llvm::DenseMap<mlir::Value, std::string> valueNames;
  unsigned nextName = 0, depth = 0;
  mlir::Location place = mlir::UnknownLoc::get(kernel->getContext());
  /// What the compiler takes the next line of the text for.
  std::string currentFile;
  unsigned currentLine = 0;
};

/// One small function an op, by the op's name.
class OpTable {
public:
  using Function = std::function<llvm::LogicalResult(KernelPrinter &, mlir::Operation *)>;

  template <typename Op> void add(llvm::LogicalResult (*function)(KernelPrinter &, Op)) {
    functions[Op::getOperationName()] = [function](KernelPrinter &printer, mlir::Operation *op) {
      return function(printer, mlir::cast<Op>(op));
    };
  }
  void add(llvm::StringRef op, Function function) { functions[op] = std::move(function); }
  const Function *find(mlir::Operation *op) const {
    auto found = functions.find(op->getName().getStringRef());
    return found == functions.end() ? nullptr : &found->second;
  }
  auto names() const { return functions.keys(); }

private:
  llvm::StringMap<Function> functions;
};

void addArithmetic(OpTable &table);
void addVectors(OpTable &table);
void addMemory(OpTable &table);
void addThreads(OpTable &table);
void addControl(OpTable &table);

/// The C++ name of an element, empty where there is none.
llvm::StringRef elementName(mlir::Type type);
/// A constant of such a type as an expression.
std::string literal(mlir::Attribute element);

} // namespace linmu::cuda
