// What each of MLIR's messages means for a pattern.
#include "compiler/frontend/Advice.h"
#include "compiler/frontend/Forms.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OperationSupport.h"

using namespace mlir;
using namespace linmu::frontend;

namespace {

/// One of MLIR's messages and where it points.
struct Situation {
  StringRef message;
  size_t at;
  const PatternText &text;
  MLIRContext &context;

  StringRef rest() const { return text.text().substr(at); }
  /// What stands between the first `before` of the message and the next `after`.
  StringRef quoted(StringRef before, StringRef after = "'") const {
    size_t begin = message.find(before);
    return begin == StringRef::npos ? "" : message.substr(begin + before.size()).split(after).first;
  }
  bool inStep() const {
    std::optional<PatternText::Word> region = text.regionAt(at);
    return region && region->name.starts_with("pattern.");
  }
  std::string line(size_t offset) const { return std::to_string(text.lineOf(offset)); }
};

using Rule = std::optional<Advice> (*)(const Situation &);

} // namespace

static std::string quote(const Twine &text) { return ("'" + text + "'").str(); }
static std::string didYouMean(const std::string &name) {
  return name.empty() ? "" : "; did you mean " + quote(name) + "?";
}

//===------------------------------------------------------------------------------------------------===//
// Ops and braces
//===------------------------------------------------------------------------------------------------===//

/// A `return` that does not stand in a function's own braces.
static Advice misplacedReturn(const Situation &here) {
  SmallVector<size_t> open = here.text.openBraces(here.at);
  if (open.empty())
    return {"'return' stands outside a function: there is a '}' too many before it, or no '{' after the "
            "function's results",
            ""};
  return {"'return' stands inside the braces that open at line " + here.line(open.back()) +
              ": end the step with pattern.yield and close it with '}' before 'return'",
          ""};
}

static std::optional<Advice> unknownOp(const Situation &here) {
  StringRef name = here.quoted("custom op '");
  if (!here.message.contains("not found for custom op") && !here.message.contains("is unknown"))
    return std::nullopt;
  if (here.rest().substr(name.size()).ltrim().starts_with("=")) {
    if (here.text.openBraces(here.at).empty())
      return Advice{
          ("requires '!' before the name of a type alias, as in !" + name + " = tensor<64xf32>").str(), ""};
    return Advice{("requires '%' before the name of a value, as in %" + name + " = ...").str(), ""};
  }
  if (name == "return")
    return misplacedReturn(here);
  std::string near = nearestOp(name, here.context);
  return Advice{"there is no op " + quote(name) +
                    (near.empty() ? "; docs/patterns.md lists those of a step" : didYouMean(near)),
                ""};
}

static std::optional<Advice> openAtTheEnd(const Situation &here) {
  if (!here.message.starts_with("expected") || !here.text.endsAt(here.at))
    return std::nullopt;
  SmallVector<size_t> open = here.text.openBraces(here.text.text().size());
  if (open.empty())
    return std::nullopt;
  return Advice{"requires '}': the '{' at line " + here.line(open.back()) +
                    " is still open where the text ends; a step ends in pattern.yield and '}', a function in "
                    "return and '}'",
                ""};
}

static std::optional<Advice> blockHeader(const Situation &here) {
  if (!here.message.starts_with("invalid block name in region with named arguments"))
    return std::nullopt;
  return Advice{"requires the step without '^bb0(...)': the clauses name its arguments", ""};
}

static std::optional<Advice> foreignText(const Situation &here) {
  if (here.message.starts_with("invalid attribute name") && here.rest().starts_with("# "))
    return Advice{"requires comments to begin with '//', got '#'", ""};
  if (here.message.starts_with("unexpected character") && here.rest().starts_with(";"))
    return Advice{"requires no ';': each op stands on a line of its own", ""};
  return std::nullopt;
}

static std::optional<Advice> resultCount(const Situation &here) {
  if (!here.message.starts_with("operation defines "))
    return std::nullopt;
  StringRef gives = here.quoted("operation defines ", " "), names = here.quoted("was provided ", " ");
  StringRef rest = here.rest();
  StringRef op = here.text.wordAt(here.at + rest.size() - rest.split('=').second.ltrim().size());
  bool loop = op == "pattern.scan" || op == "pattern.map";
  return Advice{
      (quote(op) + " gives " + gives + " results, but " + names + " names stand left of '='").str() +
          (loop ? "; results are the outputs, then the final states, then the final tails" : ""),
      ""};
}

//===------------------------------------------------------------------------------------------------===//
// Values
//===------------------------------------------------------------------------------------------------===//

/// Whether `name` is a value of the function; what stands left of '=' in a clause is the step's.
static bool isOutside(const Situation &here, StringRef name) {
  for (const PatternText::Word &word : here.text.names('%')) {
    if (word.name != name)
      continue;
    StringRef before = here.text.text().take_front(word.offset);
    bool inClause = before.count('(') > before.count(')') &&
                    here.text.text().substr(word.offset + name.size()).ltrim().starts_with("=");
    return !inClause && here.text.openBraces(word.offset).size() < 2;
  }
  return false;
}

static Advice usedInStep(const Situation &here, StringRef name) {
  std::string text = quote(name) + " is defined outside the step, which sees its own arguments only: ";
  for (const PatternText::Word &word : here.text.names('%')) {
    StringRef after = here.text.text().substr(word.offset + word.name.size()).ltrim();
    if (after.consume_front("=") && after.ltrim().starts_with(name) && word.name != name &&
        here.text.wordAt(after.ltrim().data() - here.text.text().data()) == name)
      return {text + "use " + quote(word.name) + ", which stands for it", ""};
  }
  return {text + "pass it in tokens(" + name.str() + "_t = " + name.str() +
              " : its type), or in params(...) where all tokens share it, and use " + quote(name + "_t"),
          ""};
}

static std::optional<Advice> undeclared(const Situation &here) {
  if (!here.message.starts_with("use of undeclared SSA value name"))
    return std::nullopt;
  StringRef name = here.text.wordAt(here.at);
  std::string error = "there is no value " + quote(name);
  std::vector<std::string> names;
  for (const PatternText::Word &word : here.text.names('%'))
    names.push_back(word.name.str());
  std::optional<PatternText::Word> region = here.text.regionAt(here.at);
  size_t brace = region ? here.text.openBraces(here.at).back() + 1 : 0;
  if (region && region->name == "pattern.window_attention" &&
      !here.text.text().substr(brace).ltrim().starts_with("^"))
    return Advice{
        error + "; a score region begins with its arguments, ^bb0(%s: f32, %qt: i32, %qy: i32, %qx: i32, "
                "%kt: i32, %ky: i32, %kx: i32, %head: i32):",
        ""};
  return Advice{error + didYouMean(nearest(name, names)), ""};
}

static std::optional<Advice> definedOutside(const Situation &here) {
  if (!here.message.contains("using value defined outside the region"))
    return std::nullopt;
  for (const PatternText::Word &word : here.text.names('%'))
    if (word.offset > here.at && here.text.lineOf(word.offset) == here.text.lineOf(here.at) &&
        isOutside(here, word.name))
      return usedInStep(here, word.name);
  return std::nullopt;
}

static std::optional<Advice> otherType(const Situation &here) {
  StringRef name = here.quoted("use of value '");
  if (!here.message.contains("expects different type than prior uses"))
    return std::nullopt;
  if (here.inStep() && isOutside(here, name))
    return usedInStep(here, name);
  auto [written, own] = here.quoted("prior uses: '", "\n").split("' vs '");
  own = own.take_until([](char c) { return c == '\''; });
  Advice advice{quote(name) + " has type " + quote(own) + ", but " + quote(written) + " is written here", ""};
  if (written.starts_with("tensor") && !own.starts_with("tensor") && here.inStep())
    advice.note =
        ("pattern.broadcast " + name + " : " + own + " to " + written + " makes it such a tensor").str();
  return advice;
}

static std::optional<Advice> sameName(const Situation &here) {
  StringRef name = here.quoted("region entry argument '");
  if (name.empty())
    return std::nullopt;
  return Advice{("requires a name of its own for the step's argument, left of '=', got " + quote(name) +
                 ", which is taken; write as in " + name + "_t = " + name)
                    .str(),
                ""};
}

static std::optional<Advice> beforeItsDefinition(const Situation &here) {
  unsigned index = 0;
  if (!here.message.contains("does not dominate this use") ||
      here.quoted("operand #", " ").getAsInteger(10, index))
    return std::nullopt;
  for (const PatternText::Word &word : here.text.names('%'))
    if (word.offset > here.at && index-- == 0)
      return Advice{quote(word.name) + " is used before the line that defines it", ""};
  return std::nullopt;
}

/// arith has ops of its own for integers and for floats.
static std::optional<Advice> otherNumbers(const Situation &here) {
  StringRef name = here.quoted("'");
  bool wantsIntegers = here.message.contains("must be signless-integer-like");
  if (!wantsIntegers && !here.message.contains("must be floating-point-like"))
    return std::nullopt;
  StringRef stem = name;
  if (wantsIntegers ? !(stem.consume_back("si") || stem.consume_back("i")) : !stem.consume_back("f"))
    return std::nullopt;
  static constexpr StringLiteral floats[] = {"f", "imumf"}, integers[] = {"i", "si"};
  for (StringRef ending : wantsIntegers ? floats : integers)
    if (std::string other = (stem + ending).str(); RegisteredOperationName::lookup(other, &here.context))
      return Advice{"", quote(other) + " is the op for " + (wantsIntegers ? "floats" : "integers")};
  return std::nullopt;
}

//===------------------------------------------------------------------------------------------------===//
// Types, and the form of an op
//===------------------------------------------------------------------------------------------------===//

static std::optional<Advice> undefinedAlias(const Situation &here) {
  StringRef name = here.quoted("undefined symbol alias id '");
  if (name.empty())
    return std::nullopt;
  char sigil = here.text.text().contains(("#" + name).str()) ? '#' : '!';
  std::vector<std::string> names;
  for (const PatternText::Word &word : here.text.names(sigil))
    names.push_back(word.name.str());
  std::string alias = sigil + name.str();
  return Advice{"there is no alias " + quote(alias) + didYouMean(nearest(alias, names)),
                "an alias is defined on a line of its own above its uses, as in " + alias +
                    (sigil == '#' ? " = array<i64: 4, 4, 4>" : " = tensor<64xf32>")};
}

static std::optional<Advice> malformedType(const Situation &here) {
  if (here.message.starts_with("expected non-function type"))
    return Advice{
        "requires a type: f32, i32, i1, a tensor of those such as tensor<64x32xf32>, or an alias such as "
        "!name",
        ""};
  if (here.message.contains("in dimension list"))
    return Advice{
        "", "the extents and the elements' type of a tensor are joined by 'x', as in tensor<64x32xf32>"};
  return std::nullopt;
}

static std::optional<Advice> formOfOp(const Situation &here) {
  StringRef message = here.message;
  if (message.starts_with("custom op '"))
    message = message.substr(message.find("' ") + 2);
  static constexpr StringLiteral beginnings[] = {
      "expected", "unexpected", "invalid kind of", "floating point value", "integer value", "inferred shape"};
  if (llvm::none_of(beginnings, [&](StringRef beginning) { return message.starts_with(beginning); }))
    return std::nullopt;
  std::optional<PatternText::Word> op = here.text.opBefore(here.at);
  std::string form = op ? formOf(op->name, here.context) : "";
  if (form.empty())
    return std::nullopt;
  return Advice{"", quote(op->name) + " is written as in " + form};
}

/// A vector where a matrix stands in the form, or the other way round.
static std::optional<Advice> shapeOfOperand(const Situation &here) {
  if (!here.message.contains("to be a vector") && !here.message.contains("to be a matrix"))
    return std::nullopt;
  std::string form = formOf(here.quoted("'"), here.context);
  return Advice{"", quote(here.quoted("'")) + " is written as in " + form};
}

/// The first that fits advises.
static constexpr Rule rules[] = {unknownOp,     openAtTheEnd,        blockHeader,    foreignText,
                                 resultCount,   undeclared,          definedOutside, otherType,
                                 sameName,      beforeItsDefinition, otherNumbers,   undefinedAlias,
                                 malformedType, shapeOfOperand,      formOfOp};

Advice linmu::frontend::adviseOn(StringRef message, size_t at, const PatternText &text,
                                 MLIRContext &context) {
  for (Rule rule : rules)
    if (std::optional<Advice> advice = rule({message, at, text, context}))
      return *advice;
  return {};
}
