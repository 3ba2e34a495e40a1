// token_order and permute.
#include "compiler/interpreter/Evaluation.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::interpreter;

FailureOr<HostTensor> interpreter::evaluate(pattern::TokenOrderOp op, const Values &values,
                                            const Call &call) {
  auto items = mediaItems(op, values.at(op.getMedia()), call);
  if (failed(items))
    return failure();
  std::vector<std::int64_t> tokenAt(call.tokens);
  for (std::int64_t position = 0; position < call.tokens; ++position)
    tokenAt[position] = position;
  ArrayRef<unsigned> axes = op.getAxes().getAxes(); // major to minor
  for (const MediaItem &item : *items) {
    std::int64_t position = item.first;
    std::array<std::int64_t, 3> at{};
    for (at[axes[0]] = 0; at[axes[0]] < item.extents[axes[0]]; ++at[axes[0]])
      for (at[axes[1]] = 0; at[axes[1]] < item.extents[axes[1]]; ++at[axes[1]])
        for (at[axes[2]] = 0; at[axes[2]] < item.extents[axes[2]]; ++at[axes[2]])
          tokenAt[position++] = item.token(at);
  }
  HostTensor result = zeros(op.getType(), call);
  for (std::int64_t batch = 0; batch < call.batch; ++batch)
    std::copy(tokenAt.begin(), tokenAt.end(), result.elements.begin() + batch * call.tokens);
  return result;
}

FailureOr<HostTensor> interpreter::evaluate(pattern::PermuteOp op, const Values &values, const Call &call) {
  const HostTensor &order = values.at(op.getOrder());
  if (failed(checkOrder(op, order, call)))
    return failure();
  HostTensor result = zeros(op.getType(), call);
  // A row is all heads and features of a token.
  std::int64_t row = 1;
  for (std::int64_t extent : ArrayRef(result.shape).drop_front(2))
    row *= extent;
  const HostTensor &source = values.at(op.getSource());
  for (std::int64_t batch = 0; batch < call.batch; ++batch)
    for (std::int64_t position = 0; position < call.tokens; ++position) {
      auto token = std::int64_t(entry(order, batch, position));
      std::int64_t from = op.getInverse() ? position : token, to = op.getInverse() ? token : position;
      std::copy_n(source.elements.begin() + (batch * (source.shape[0] != 1) * call.tokens + from) * row, row,
                  result.elements.begin() + (batch * call.tokens + to) * row);
    }
  return result;
}
