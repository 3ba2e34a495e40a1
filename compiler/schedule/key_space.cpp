#include "compiler/schedule/key_space.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"

using namespace linmu;
using llvm::StringRef;

llvm::ArrayRef<ScheduleKey> linmu::scheduleKeys() {
  static const ScheduleKey keys[] = {
      {"algorithm", AlgorithmKey{}},
      {"blocks", NumberKey{1, 16, 1, &Schedule::blocks}},
      {"chunk", NumberKey{8, 256, 8, &Schedule::chunk}},
      {"columns", NumberKey{1, 1 << 16, 1, &Schedule::columns}},
      {"cores", CostKey{1, 4096, &CostModel::cores}},
      {"fuse", FlagKey{&Schedule::fuse}},
      {"key_block", NumberKey{8, 256, 8, &Schedule::key_block}},
      {"map_block", NumberKey{8, 256, 8, &Schedule::map_block}},
      {"prepare", NumberKey{0, 1, 1, &Schedule::prepare}},
      {"query_block", NumberKey{8, 256, 8, &Schedule::query_block}},
      {"recurrent_below", NumberKey{0, 1 << 20, 1, &Schedule::recurrent_below}},
      {"score_growth", NumberKey{0, 12, 1, &Schedule::score_growth}},
      {"segments", NumberKey{2, 1024, 1, &Schedule::segments}},
      {"warps", NumberKey{1, 16, 1, &Schedule::warps}},
      {"whole_blocks", FlagKey{&Schedule::whole_blocks}},
      {"window_share", CostKey{64, 1 << 16, &CostModel::window_share}},
  };
  return keys;
}

llvm::ArrayRef<AlgorithmSpace> linmu::algorithmSpaces() {
  static const StringRef chunked[] = {"chunk", "columns", "prepare"}, twoKernels[] = {"chunk"},
                         segmented[] = {"chunk", "segments"}, map[] = {"map_block"},
                         windowed[] = {"query_block", "key_block", "score_growth"},
                         windowAdjoint[] = {"query_block", "key_block"};
  static const AlgorithmSpace spaces[] = {
      {"recurrent", {}}, {"chunked", chunked},   {"two_kernels", twoKernels},       {"segmented", segmented},
      {"map", map},      {"windowed", windowed}, {"window_adjoint", windowAdjoint},
  };
  return spaces;
}

StringRef linmu::nameOf(Algorithm algorithm) {
  switch (algorithm) {
  case Algorithm::automatic:
    return "auto";
  case Algorithm::recurrent:
    return "recurrent";
  case Algorithm::chunked:
    return "chunked";
  case Algorithm::two_kernels:
    return "two_kernels";
  case Algorithm::segmented:
    return "segmented";
  }
  return {};
}

std::string linmu::algorithmsWith(StringRef key) {
  llvm::SmallVector<StringRef> names;
  for (const AlgorithmSpace &space : algorithmSpaces())
    if (llvm::is_contained(space.keys, key))
      names.push_back(space.name);
  return alternatives(names);
}

std::string linmu::alternatives(llvm::ArrayRef<StringRef> words, StringRef last) {
  if (words.size() < 2)
    return words.empty() ? "" : words.front().str();
  return (llvm::join(words.drop_back(), ", ") + " " + last + " " + words.back()).str();
}
