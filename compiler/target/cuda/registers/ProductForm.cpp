#include "compiler/target/cuda/registers/ProductForm.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cuda;

static constexpr llvm::StringLiteral warpsName = "cuda.warps", swappedName = "cuda.swapped";

void linmu::cuda::setProductForm(tile::DotOp dot, const ProductForm &form) {
  Builder builder(dot.getContext());
  dot->setAttr(warpsName, builder.getDenseI64ArrayAttr({form.grid.rows, form.grid.columns}));
  if (form.swapped)
    dot->setAttr(swappedName, builder.getUnitAttr());
}

bool linmu::cuda::isSwapped(tile::DotOp dot) { return dot->hasAttr(swappedName); }

static ArrayRef<int64_t> shapeOf(Value tile) { return cast<RankedTensorType>(tile.getType()).getShape(); }

ProductForm linmu::cuda::productFormOf(tile::DotOp dot, const TileLayouts &layouts) {
  auto warps = dot->getAttrOfType<DenseI64ArrayAttr>(warpsName);
  if (!warps)
    return {layouts.rowsFirst(shapeOf(dot.getResult())[0]), false};
  return {{unsigned(warps[0]), unsigned(warps[1])}, isSwapped(dot)};
}

LayoutAttr linmu::cuda::resultLayout(tile::DotOp dot, const ProductForm &form, TileLayouts &layouts) {
  SmallVector<int64_t> shape(shapeOf(dot.getResult()));
  if (!form.swapped)
    return layouts.accumulator(shape, form.grid);
  std::swap(shape[0], shape[1]);
  return TileLayouts::transpose(layouts.accumulator(shape, form.grid));
}

LayoutAttr linmu::cuda::lhsLayout(tile::DotOp dot, const ProductForm &form, TileLayouts &layouts) {
  Type element = dot.getLhs().getType().getElementType();
  return form.swapped ? layouts.rhs(shapeOf(dot.getLhs()), !dot.getTransposeLhs(), element, form.grid)
                      : layouts.lhs(shapeOf(dot.getLhs()), dot.getTransposeLhs(), element, form.grid);
}

LayoutAttr linmu::cuda::rhsLayout(tile::DotOp dot, const ProductForm &form, TileLayouts &layouts) {
  Type element = dot.getRhs().getType().getElementType();
  return form.swapped ? layouts.lhs(shapeOf(dot.getRhs()), !dot.getTransposeRhs(), element, form.grid)
                      : layouts.rhs(shapeOf(dot.getRhs()), dot.getTransposeRhs(), element, form.grid);
}
