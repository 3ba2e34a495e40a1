#include "tests/unit/macro_op_program.h"
#include "compiler/tile/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/FormatVariadic.h"
#include <stdexcept>

namespace linmu::test {
namespace {

std::string tileType(MacroOpProgram::Shape shape) {
  return llvm::formatv("tensor<{0}x{1}xf32>", shape.first, shape.second);
}

std::string memoryType(MacroOpProgram::Shape shape) {
  return llvm::formatv("tensor<?x{0}x{1}xf32>", shape.first, shape.second);
}

/// "PREFIX0 SUFFIX(0), PREFIX1 SUFFIX(1), ..."
template <typename Item> std::string list(std::size_t count, Item item) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i)
    text += (i ? ", " : "") + item(i);
  return text;
}

std::string numbered(const std::string &prefix, std::size_t first, std::size_t count) {
  return list(count, [&](std::size_t i) { return prefix + std::to_string(first + i); });
}

std::string repeated(const std::string &type, std::size_t count) {
  return list(count, [&](std::size_t) { return type; });
}

} // namespace

MacroOpProgram MacroOpProgram::decayScores(std::int64_t tokens, std::int64_t features, bool exclusive) {
  Shape rows{tokens, features}, square{tokens, tokens};
  return {{rows, rows, rows},
          {square},
          llvm::formatv("tile.decay_scores {0} %t0, %t1 decays %t2 : {1} -> {2}",
                        exclusive ? "exclusive" : "", tileType(rows), tileType(square))};
}

MacroOpProgram MacroOpProgram::decayValues(std::int64_t tokens, std::int64_t columns, bool exclusive) {
  Shape rows{tokens, columns}, square{tokens, tokens};
  return {{square, rows, rows},
          {rows},
          llvm::formatv("tile.decay_values {0} %t0, %t1 decays %t2 : {1}, {2}", exclusive ? "exclusive" : "",
                        tileType(square), tileType(rows))};
}

MacroOpProgram MacroOpProgram::decayValuesTransposed(std::int64_t tokens, std::int64_t columns,
                                                     bool exclusive) {
  MacroOpProgram program = decayValues(tokens, columns, exclusive);
  program.op.insert(std::string("tile.decay_values").size(), " transposed");
  return program;
}

MacroOpProgram MacroOpProgram::decayPaths(std::int64_t tokens, std::int64_t columns, bool exclusive) {
  Shape rows{tokens, columns}, square{tokens, tokens};
  return {{square, rows, rows, rows},
          {rows},
          llvm::formatv("tile.decay_paths {0} %t0 from %t1 to %t3 decays %t2 : {1}, {2}",
                        exclusive ? "exclusive" : "", tileType(square), tileType(rows))};
}

MacroOpProgram MacroOpProgram::solve(std::int64_t tokens, std::int64_t columns, std::int64_t m) {
  Shape rows{tokens, columns}, square{tokens, tokens};
  MacroOpProgram program{std::vector<Shape>(m * m, square), std::vector<Shape>(m, rows), {}};
  program.operands.insert(program.operands.end(), m, rows);
  program.op =
      llvm::formatv("tile.solve systems({0} : {1}) values({2} : {3}) -> {3}", numbered("%t", 0, m * m),
                    repeated(tileType(square), m * m), numbered("%t", m * m, m), repeated(tileType(rows), m));
  return program;
}

MacroOpProgram MacroOpProgram::inverse(std::int64_t tokens, std::int64_t m) {
  std::vector<Shape> squares(m * m, Shape{tokens, tokens});
  std::string types = repeated(tileType(squares[0]), m * m);
  return {squares, squares, llvm::formatv("tile.inverse {0} : {1} -> {1}", numbered("%t", 0, m * m), types)};
}

std::string MacroOpProgram::text() const {
  auto declared = [](const std::string &prefix, const std::vector<Shape> &shapes) {
    return list(shapes.size(),
                [&](std::size_t i) { return prefix + std::to_string(i) + ": " + memoryType(shapes[i]); });
  };
  std::string loads, stores;
  for (std::size_t i = 0; i < operands.size(); ++i)
    loads += llvm::formatv("%t{0} = tile.load %x{0}[%zero] : {1}, [index] -> {2}\n", i,
                           memoryType(operands[i]), tileType(operands[i]));
  for (std::size_t i = 0; i < results.size(); ++i)
    stores += llvm::formatv("tile.store %r#{0}, %y{0}[%zero] : {1}, {2}, [index]\n", i, tileType(results[i]),
                            memoryType(results[i]));
  std::string types = list(operands.size(), [&](std::size_t i) { return memoryType(operands[i]); }) + ", " +
                      list(results.size(), [&](std::size_t i) { return memoryType(results[i]); });
  std::string arguments = numbered("%x", 0, operands.size()) + ", " + numbered("%y", 0, results.size());
  std::string inputs = declared("%x", operands), outputs = declared("%y", results);
  return "tile.program @p inputs(" + inputs + ") results(" + outputs + ") {\n" +
         "%one = arith.constant 1 : index\n" + "tile.kernel @k(" + inputs + ", " + outputs + ") {\n" +
         "%zero = arith.constant 0 : index\n" + loads + "%r:" + std::to_string(results.size()) + " = " + op +
         "\n" + stores + "}\n" + "tile.variant as \"k\" { tile.launch @k grid(%one)(" + arguments + " : " +
         types + ") }\n}\n";
}

std::vector<Memory> MacroOpProgram::run(std::vector<Memory> inputs, const std::string &passOptions) const {
  Derived program(text(), "");
  if (!program.ok())
    throw std::runtime_error(program.diagnostics() + text());
  if (passOptions != "none") {
    mlir::PassManager passes(program.module()->getContext());
    std::unique_ptr<mlir::Pass> pass = tile::createExpandMacroOps();
    auto report = [](const llvm::Twine &message) -> mlir::LogicalResult {
      throw std::runtime_error(message.str());
    };
    if (failed(pass->initializeOptions(passOptions, report)))
      throw std::runtime_error("bad options " + passOptions);
    passes.addPass(std::move(pass));
    if (failed(passes.run(program.module())))
      throw std::runtime_error(program.diagnostics());
    program.module().walk([](mlir::Operation *found) {
      if (llvm::isa<tile::DecayScoresOp, tile::DecayValuesOp, tile::DecayPathsOp, tile::SolveOp,
                    tile::InverseOp>(found))
        throw std::runtime_error("expand-macro-ops left " + found->getName().getStringRef().str());
    });
  }
  std::vector<Memory> outputs;
  for (Shape shape : results)
    outputs.push_back(Memory::filled({1, shape.first, shape.second}, -7));
  std::vector<Memory *> pointers;
  for (Memory &memory : inputs)
    pointers.push_back(&memory);
  for (Memory &memory : outputs)
    pointers.push_back(&memory);
  interpreter::run(program.program(), pointers, {.batch = 1, .tokens = results[0].first});
  return outputs;
}

} // namespace linmu::test
