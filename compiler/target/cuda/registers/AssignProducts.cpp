// Decides how the warps of a block share each product, so that little goes through shared memory.
#include "compiler/target/cuda/Passes.h"
#include "compiler/target/cuda/layout/Conversion.h"
#include "compiler/target/cuda/registers/ProductForm.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cuda;

namespace linmu::cuda {
#define GEN_PASS_DEF_ASSIGNPRODUCTS
#include "compiler/target/cuda/Passes.h.inc"
} // namespace linmu::cuda

// In bytes of shared memory that a multiprocessor reads in the same time: it reads 128 and multiplies about
// 1024 pairs in one cycle.
static constexpr int64_t pairsAByte = 8;
static constexpr int64_t barrierBytes = 5120;
static constexpr int64_t shuffleBytes = 128;

namespace {
/// One product, and the products whose results it takes; indices, -1 for what comes from elsewhere.
struct Product {
  tile::DotOp dot;
  int lhs = -1, rhs = -1, init = -1;
  std::array<int64_t, 2> reductions = {0, 0}; ///< of the result, along its rows and columns
  SmallVector<ProductForm> forms;
  size_t form = 0;
};

class ProductForms {
public:
  ProductForms(tile::KernelOp kernel, unsigned warps);
  void choose();

private:
  int sourceOf(Value tile, unsigned depth = 0);
  void addForms(Product &product);
  int64_t work(const Product &product);
  int64_t cost(const Product &product);
  int64_t costOf(Value operand, int source, LayoutAttr layout, int64_t readers);
  int64_t costAround(size_t number);
  int64_t total();
  bool improve();

  TileLayouts layouts_;
  SmallVector<Product> products_;
  DenseMap<Operation *, int> numbers_;
  DenseMap<std::pair<Attribute, Attribute>, int64_t> moves_;
};
} // namespace

ProductForms::ProductForms(tile::KernelOp kernel, unsigned warps) : layouts_(kernel.getContext(), warps) {
  kernel.getBody().walk([&](tile::DotOp dot) {
    numbers_[dot] = int(products_.size());
    products_.emplace_back().dot = dot;
  });
  for (Product &product : products_) {
    product.lhs = sourceOf(product.dot.getLhs());
    product.rhs = sourceOf(product.dot.getRhs());
    product.init = product.dot.getInit() ? sourceOf(product.dot.getInit()) : -1;
    addForms(product);
  }
  kernel.getBody().walk([&](tile::ReduceOp reduce) {
    int source = reduce.getSource().getType().getRank() == 2 ? sourceOf(reduce.getSource()) : -1;
    // As often as the product: behind a loop one exchange more does not count.
    if (source >= 0 && products_[source].dot->getBlock() == reduce->getBlock())
      ++products_[source].reductions[reduce.getAxis()];
  });
}

/// The product that a tile is the result of, but for work element by element.
int ProductForms::sourceOf(Value tile, unsigned depth) {
  if (depth > 12 || !isa<RankedTensorType>(tile.getType()))
    return -1;
  if (auto argument = dyn_cast<BlockArgument>(tile)) {
    auto loop = dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp());
    if (!loop || argument == loop.getInductionVar())
      return -1;
    return sourceOf(loop.getTiedLoopYieldedValue(argument)->get(), depth + 1);
  }
  Operation *op = tile.getDefiningOp();
  if (auto found = numbers_.find(op); found != numbers_.end())
    return found->second;
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return sourceOf(loop.getYieldedValues()[cast<OpResult>(tile).getResultNumber()], depth + 1);
  if (auto branch = dyn_cast<scf::IfOp>(op))
    return sourceOf(branch.thenYield().getOperand(cast<OpResult>(tile).getResultNumber()), depth + 1);
  if (!isa<arith::ArithDialect, math::MathDialect>(op->getDialect()))
    return -1;
  for (Value operand : op->getOperands())
    if (auto type = dyn_cast<RankedTensorType>(operand.getType());
        type && type.getShape() == cast<RankedTensorType>(tile.getType()).getShape())
      if (int source = sourceOf(operand, depth + 1); source >= 0)
        return source;
  return -1;
}

void ProductForms::addForms(Product &product) {
  ArrayRef<int64_t> shape = product.dot.getResult().getType().getShape();
  // As they were without a choice first: the simplest of equals.
  product.forms.push_back({layouts_.rowsFirst(shape[0]), false});
  for (bool swapped : {false, true})
    for (unsigned rows = 0; rows <= layouts_.warps(); ++rows) {
      ProductForm form{{layouts_.warps() - rows, rows}, swapped};
      if (!llvm::is_contained(product.forms, form))
        product.forms.push_back(form);
    }
}

/// Multiplications, those that several warps repeat as often as they do.
int64_t ProductForms::work(const Product &product) {
  tile::DotOp dot = product.dot;
  const ProductForm &form = product.forms[product.form];
  ArrayRef<int64_t> shape = dot.getResult().getType().getShape();
  int64_t rows = form.swapped ? shape[1] : shape[0], columns = form.swapped ? shape[0] : shape[1];
  int64_t ofWarp =
      std::max<int64_t>(rows >> form.grid.rows, 16) * std::max<int64_t>(columns >> form.grid.columns, 8);
  ArrayRef<int64_t> lhs = dot.getLhs().getType().getShape();
  return (ofWarp << layouts_.warps()) * lhs[dot.getTransposeLhs() ? 0 : 1];
}

/// What it takes to have an operand in a layout, in bytes of shared memory.
int64_t ProductForms::costOf(Value operand, int source, LayoutAttr layout, int64_t readers) {
  auto type = cast<RankedTensorType>(operand.getType());
  int64_t bytes = type.getNumElements() * type.getElementTypeBitWidth() / 8;
  if (source < 0)
    return bytes * readers;
  Product &from = products_[source];
  LayoutAttr home = resultLayout(from.dot, from.forms[from.form], layouts_);
  auto [known, isNew] = moves_.try_emplace({home, layout}, 0);
  if (isNew) {
    Conversion plan = planConversion(home.getLayout(), layout.getLayout());
    known->second = plan.kind == ConversionKind::shared ? -1 : int64_t(plan.shuffles) << layouts_.warps();
  }
  if (known->second < 0)
    return bytes * (1 + readers) + barrierBytes;
  return known->second * shuffleBytes;
}

int64_t ProductForms::cost(const Product &product) {
  const ProductForm &form = product.forms[product.form];
  tile::DotOp dot = product.dot;
  int64_t alongRows = int64_t(1) << form.grid.rows, alongColumns = int64_t(1) << form.grid.columns;
  int64_t result = work(product) / pairsAByte;
  result += costOf(dot.getLhs(), product.lhs, lhsLayout(dot, form, layouts_),
                   form.swapped ? alongRows : alongColumns);
  result += costOf(dot.getRhs(), product.rhs, rhsLayout(dot, form, layouts_),
                   form.swapped ? alongColumns : alongRows);
  if (product.init >= 0)
    result += costOf(dot.getInit(), product.init, resultLayout(dot, form, layouts_), 1);
  // Warps side by side exchange what each has reduced: written, and read by all behind a barrier.
  for (unsigned axis : {0u, 1u})
    if ((axis == (form.swapped ? 1u : 0u)) ? form.grid.rows > 0 : form.grid.columns > 0)
      result += product.reductions[axis] * 2 * barrierBytes;
  return result;
}

/// Of a product and those that take its result.
int64_t ProductForms::costAround(size_t number) {
  int64_t result = cost(products_[number]);
  for (auto [other, product] : llvm::enumerate(products_))
    if (other != number && llvm::is_contained({product.lhs, product.rhs, product.init}, int(number)))
      result += cost(product);
  return result;
}

int64_t ProductForms::total() {
  int64_t result = 0;
  for (const Product &product : products_)
    result += cost(product);
  return result;
}

/// One after the other, each takes what is best while the others stay; gives whether any has changed.
bool ProductForms::improve() {
  bool changed = false;
  for (auto [number, product] : llvm::enumerate(products_)) {
    size_t best = product.form;
    int64_t least = costAround(number);
    for (size_t form = 0; form < product.forms.size(); ++form) {
      product.form = form;
      if (int64_t candidate = costAround(number); candidate < least) {
        least = candidate;
        best = form;
        changed = true;
      }
    }
    product.form = best;
  }
  return changed;
}

void ProductForms::choose() {
  // From each form that all have at once, since a chain of products has to change as a whole.
  SmallVector<size_t> best;
  int64_t least = std::numeric_limits<int64_t>::max();
  for (size_t start = 0; start < 2 * (layouts_.warps() + 1) + 1; ++start) {
    for (Product &product : products_)
      product.form = std::min(start, product.forms.size() - 1);
    for (int round = 0; round < 8 && improve(); ++round)
      ;
    if (int64_t candidate = total(); candidate < least) {
      least = candidate;
      best = llvm::map_to_vector(products_, [](const Product &product) { return product.form; });
    }
  }
  for (auto [product, form] : llvm::zip(products_, best))
    setProductForm(product.dot, product.forms[form]);
}

namespace {
struct AssignProducts : linmu::cuda::impl::AssignProductsBase<AssignProducts> {
  using AssignProductsBase::AssignProductsBase;

  void runOnOperation() override {
    for (auto kernel : getOperation().getOps<tile::KernelOp>()) {
      auto own = kernel->getAttrOfType<IntegerAttr>("warps");
      int64_t count = own ? own.getInt() : int64_t(warps);
      if (!llvm::isPowerOf2_64(count)) {
        kernel.emitError("requires a power of two many warps, got ") << count;
        return signalPassFailure();
      }
      kernel.setThreads(32 * count);
      WalkResult walk = kernel.getBody().walk([](tile::DotOp dot) { return checkSizes(dot); });
      if (walk.wasInterrupted())
        return signalPassFailure();
      ProductForms(kernel, llvm::Log2_64(count)).choose();
      kernel.getBody().walk([&](tile::DotOp dot) {
        ++products;
        swapped += isSwapped(dot);
      });
    }
  }

private:
  static WalkResult checkSizes(tile::DotOp dot) {
    for (Value operand : {dot.getLhs(), dot.getRhs()})
      for (int64_t size : cast<RankedTensorType>(operand.getType()).getShape())
        if (size < 16 || !llvm::isPowerOf2_64(size))
          return dot.emitOpError("requires powers of two of at least 16 rows and columns, got ")
                 << operand.getType();
    return WalkResult::advance();
  }
};
} // namespace
