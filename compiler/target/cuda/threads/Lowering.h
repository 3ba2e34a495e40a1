// The lowering of each kind of op on tiles to what a thread does. One file each.
#pragma once
#include "compiler/target/cuda/threads/Thread.h"

namespace linmu::cuda {

// Memory.cpp
mlir::LogicalResult lowerLoad(Thread &thread, tile::LoadOp load);
mlir::LogicalResult lowerStore(Thread &thread, tile::StoreOp store);
mlir::LogicalResult lowerCopy(Thread &thread, tile::CopyOp copy);
mlir::LogicalResult lowerWait(Thread &thread, tile::WaitOp wait);

// Shared.cpp
mlir::LogicalResult lowerAlloc(Thread &thread, tile::AllocOp alloc);
mlir::LogicalResult lowerSlot(Thread &thread, tile::SlotOp slot);
mlir::LogicalResult lowerWrite(Thread &thread, tile::WriteOp write);
mlir::LogicalResult lowerRead(Thread &thread, tile::ReadOp read);
mlir::LogicalResult lowerWritePart(Thread &thread, WritePartOp write);
mlir::LogicalResult lowerReadPart(Thread &thread, ReadPartOp read);

// Products.cpp
mlir::LogicalResult lowerDot(Thread &thread, tile::DotOp dot);

// Convert.cpp
mlir::LogicalResult lowerConvert(Thread &thread, ConvertOp convert);
mlir::LogicalResult lowerBroadcast(Thread &thread, tile::BroadcastOp broadcast);
mlir::LogicalResult lowerCoordinate(Thread &thread, tile::CoordinateOp coordinate);
mlir::LogicalResult lowerExtract(Thread &thread, tile::ExtractOp extract);

// Inverse.cpp
mlir::LogicalResult lowerDiagonalInverses(Thread &thread, DiagonalInversesOp op);

// Reduce.cpp
mlir::LogicalResult lowerReduce(Thread &thread, tile::ReduceOp reduce);
// Cumulative.cpp
mlir::LogicalResult lowerCumsum(Thread &thread, tile::CumsumOp cumsum);
mlir::LogicalResult lowerCumprod(Thread &thread, tile::CumprodOp cumprod);

} // namespace linmu::cuda
