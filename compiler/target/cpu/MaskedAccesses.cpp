#include "compiler/target/cpu/MaskedAccesses.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include <numeric>

using namespace llvm;

/// Lanes from the first on, a power of two, beyond which a mask has none, as far as its instructions show.
static unsigned lanesUnder(Value *mask) {
  unsigned all = cast<FixedVectorType>(mask->getType())->getNumElements();
  if (auto *both = dyn_cast<BinaryOperator>(mask); both && both->getOpcode() == Instruction::And)
    return std::min(lanesUnder(both->getOperand(0)), lanesUnder(both->getOperand(1)));
  auto *lanes = dyn_cast<Constant>(mask);
  if (!lanes)
    return all;
  unsigned count = 1;
  for (unsigned lane = 0; lane < all; ++lane)
    if (Constant *live = lanes->getAggregateElement(lane); !live || !live->isNullValue())
      count = lane + 1;
  return std::min(all, bit_ceil(count));
}

static Value *firstLanes(IRBuilder<> &builder, Value *vector, unsigned count) {
  SmallVector<int> lanes(count);
  std::iota(lanes.begin(), lanes.end(), 0);
  return builder.CreateShuffleVector(vector, lanes);
}

static void narrowLoad(IntrinsicInst &load, unsigned count) {
  IRBuilder<> builder(&load);
  auto *type = cast<FixedVectorType>(load.getType());
  Value *otherwise = load.getArgOperand(2);
  Value *part = builder.CreateMaskedLoad(FixedVectorType::get(type->getElementType(), count),
                                         load.getArgOperand(0), load.getParamAlign(0).valueOrOne(),
                                         firstLanes(builder, load.getArgOperand(1), count),
                                         firstLanes(builder, otherwise, count));
  // The lanes behind it are those of `otherwise`.
  SmallVector<int> widen(type->getNumElements()), choose(type->getNumElements());
  for (unsigned lane = 0; lane < type->getNumElements(); ++lane) {
    widen[lane] = lane < count ? int(lane) : -1;
    choose[lane] = int(lane < count ? lane : type->getNumElements() + lane);
  }
  load.replaceAllUsesWith(
      builder.CreateShuffleVector(builder.CreateShuffleVector(part, widen), otherwise, choose));
  load.eraseFromParent();
}

static void narrowStore(IntrinsicInst &store, unsigned count) {
  IRBuilder<> builder(&store);
  builder.CreateMaskedStore(firstLanes(builder, store.getArgOperand(0), count), store.getArgOperand(1),
                            store.getParamAlign(1).valueOrOne(),
                            firstLanes(builder, store.getArgOperand(2), count));
  store.eraseFromParent();
}

void linmu::cpu::narrowMaskedAccesses(Module &module) {
  for (Function &function : module)
    for (Instruction &instruction : make_early_inc_range(instructions(function))) {
      auto *access = dyn_cast<IntrinsicInst>(&instruction);
      bool load = access && access->getIntrinsicID() == Intrinsic::masked_load,
           store = access && access->getIntrinsicID() == Intrinsic::masked_store;
      if (!load && !store)
        continue;
      Value *mask = access->getArgOperand(load ? 1 : 2);
      unsigned count = lanesUnder(mask);
      if (count == cast<FixedVectorType>(mask->getType())->getNumElements())
        continue;
      load ? narrowLoad(*access, count) : narrowStore(*access, count);
    }
}
