// The pattern dialect: what a token-mixing rule computes, never how.
#ifndef LINMU_PATTERN_DIALECT_TD
#define LINMU_PATTERN_DIALECT_TD

include "mlir/IR/OpBase.td"

def Pattern_Dialect : Dialect {
  let name = "pattern";
  let cppNamespace = "::linmu::pattern";
  let useDefaultAttributePrinterParser = 1;
  let summary = "Recurrences, permutations and windows over token tensors";
  let description = [{
    Token tensors are `tensor<?x?xHxDxT>`: batch, tokens, heads, features; a scalar per token and head is
    `tensor<?x?xHxT>`. Head counts of operands may differ where one divides the other: head h of a scan
    with H heads reads head h / (H / G) of an operand with G heads. Semantics are those of the sequential
    loop in exact arithmetic; the reference interpreter defines them.
  }];
}

class Pattern_Op<string mnemonic, list<Trait> traits = []> : Op<Pattern_Dialect, mnemonic, traits>;

#endif // LINMU_PATTERN_DIALECT_TD
