#include "compiler/frontend/Forms.h"
#include "dialects/pattern/Pattern.h"
#include "mlir/Interfaces/CastInterfaces.h"

using namespace mlir;
using namespace linmu;

namespace {
struct Form {
  StringLiteral name, text;
};
} // namespace

/// Ops whose text says more than operands and one type.
static constexpr Form forms[] = {
    {"func.func", "func.func @name(%x: tensor<?x?x8x64xf32>) -> tensor<?x?x8x64xf32> {"},
    {"return", "return %o : tensor<?x?x8x64xf32>"},
    {"func.return", "return %o : tensor<?x?x8x64xf32>"},
    {"arith.constant", "%c = arith.constant 0.5 : f32, or %c = arith.constant dense<0.5> : tensor<64xf32>"},
    {"arith.select",
     "%z = arith.select %c, %a, %b : f32, or with a tensor of conditions : tensor<64xi1>, tensor<64xf32>"},
    {"arith.cmpf", "%c = arith.cmpf ogt, %a, %b : f32"},
    {"arith.cmpi", "%c = arith.cmpi sgt, %a, %b : i32"},
    {"pattern.outer", "%W = pattern.outer %k, %v : tensor<64xf32>, tensor<32xf32>"},
    {"pattern.read", "%y = pattern.read %S, %q : tensor<64x32xf32>, tensor<64xf32>"},
    {"pattern.read_transposed", "%y = pattern.read_transposed %S, %v : tensor<64x32xf32>, tensor<32xf32>"},
    {"pattern.sum", "%t = pattern.sum %x over 0 : tensor<64xf32>"},
    {"pattern.broadcast", "%A = pattern.broadcast %a : f32 to tensor<64x32xf32>, or of a vector %A = "
                          "pattern.broadcast %k along 0 : tensor<64xf32> to tensor<64x32xf32>"},
    {"pattern.lag", "%b = pattern.lag %xt by 1 : tensor<64xf32>"},
    {"pattern.assume", "%a = pattern.assume %x in [0.0, 1.0] : f32"},
    {"pattern.yield", "pattern.yield outputs(%y, %z : tensor<64xf32>, f32) states(%S1 : tensor<64x32xf32>)"},
    {"pattern.token_order", "%i = pattern.token_order #pattern.order<x, y, t> media(%media : "
                            "tensor<?x4xi32>) like %x : tensor<?x?x8x64xf32> -> tensor<?x?xi32>"},
    {"pattern.permute", "%y = pattern.permute %x order(%i : tensor<?x?xi32>) : tensor<?x?x8x64xf32>"},
};

std::string frontend::formOf(StringRef name, MLIRContext &context) {
  for (const Form &form : forms)
    if (form.name == name)
      return form.text.str();
  std::optional<RegisteredOperationName> op = RegisteredOperationName::lookup(name, &context);
  if (!op || !op->hasInterface<pattern::StepOp>())
    return "";
  bool integers = name.starts_with("arith.") && (name.ends_with("i") || name.ends_with("si"));
  std::string type = name == "pattern.dot" ? "tensor<64xf32>" : integers ? "i32" : "f32";
  if (op->hasInterface<CastOpInterface>())
    return ("%y = " + name + " %x : " + (name == "arith.fptosi" ? "f32 to i32" : "i32 to f32")).str();
  StringRef operands = op->hasTrait<OpTrait::OneOperand>()           ? "%x"
                       : op->hasTrait<OpTrait::NOperands<3>::Impl>() ? "%a, %b, %c"
                                                                     : "%a, %b";
  return ("%y = " + name + " " + operands + " : " + type).str();
}

std::string frontend::nearest(StringRef name, ArrayRef<std::string> names) {
  std::string best;
  unsigned distance = std::min<size_t>(name.size() / 3 + 1, 4);
  for (const std::string &other : names)
    if (unsigned edits = name.edit_distance(other, true, distance); edits < distance && other != name) {
      distance = edits;
      best = other;
    }
  return best;
}

std::string frontend::nearestOp(StringRef name, MLIRContext &context) {
  if (name == "func" || name == "func.fun" || name == "func.function")
    return "func.func";
  std::vector<std::string> names{
      "pattern.scan",  "pattern.map", "pattern.window_attention", "pattern.token_order", "pattern.permute",
      "pattern.yield", "func.func"};
  for (RegisteredOperationName op : context.getRegisteredOperations())
    if (op.hasInterface<pattern::StepOp>())
      names.push_back(op.getStringRef().str());
  StringRef bare = name.substr(name.find('.') + 1);
  // The right name in no dialect or another one, then the name of a float's op without its letter.
  for (const std::string suffix : {"", "f"})
    for (const std::string &other : names)
      if (StringRef(other).substr(other.find('.') + 1) == bare.str() + suffix)
        return other;
  if (std::string near = nearest(name, names); !near.empty())
    return near;
  for (const std::string &other : names)
    if (StringRef own = StringRef(other).substr(other.find('.') + 1);
        own.size() > 3 && own.edit_distance(bare, true, 2) < 2)
      return other;
  return "";
}
