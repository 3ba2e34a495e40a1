#include "tests/unit/ragged_batch.h"

namespace linmu::test::cuts {

static bool isOfSequence(const std::string &name) { return name == "s0" || name.ends_with("tail"); }

/// Puts `tensor` behind `packed`: states and tails as further sequences, tokens as further tokens of the only
/// batch. Sequences lie one after the other in both.
static void append(HostTensor &packed, const std::string &name, const HostTensor &tensor) {
  bool first = packed.shape.empty();
  std::int64_t length = isOfSequence(name) ? tensor.shape[0] : tensor.shape[0] * tensor.shape[1];
  if (first) {
    packed.dtype = tensor.dtype;
    packed.shape = tensor.shape;
    packed.shape[0] = isOfSequence(name) ? 0 : 1;
    if (!isOfSequence(name))
      packed.shape[1] = 0;
  }
  packed.shape[isOfSequence(name) ? 0 : 1] += length;
  packed.elements.insert(packed.elements.end(), tensor.elements.begin(), tensor.elements.end());
}

Combination ragged(Combination with) {
  with.ragged = true;
  return with;
}

RaggedBatch raggedBatch(const Combination &with, const std::vector<int> &lengths, unsigned seed) {
  RaggedBatch packed;
  HostTensor table{DType::i32, {1}, {0}};
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    Operands alone = operandsOf(with, lengths[i], seed + unsigned(i));
    for (const auto &[name, tensor] : expected(with, alone, {}))
      append(packed.expected[name], name, tensor);
    // Entries of an order count from the first token of the batch.
    for (int sequence = 0; sequence < batch; ++sequence) {
      for (int position = 0; position < lengths[i]; ++position)
        alone["order"].elements[sequence * lengths[i] + position] += table.elements.back();
      table.elements.push_back(table.elements.back() + lengths[i]);
    }
    for (const auto &[name, tensor] : alone)
      append(packed.operands[name], name, tensor);
  }
  table.shape[0] = std::int64_t(table.elements.size());
  packed.operands["cu"] = table;
  return packed;
}

} // namespace linmu::test::cuts
