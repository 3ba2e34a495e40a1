// The gradient of a scan in normal form, as scans of the same form and maps between them. D is the gradient
// of the state after a token through later tokens; c_i sums (k_i . r_j) gy_j over inclusive reads j.
//
//                    adjoint: D, reversed                      reads of S by value    reads of D by value,
//                    reversed
//   starts from      dS_N                                      S_0                    dS_N
//   key axis         that of the scan                          the other              the other
//   reads            k_i                                       dy_j                   w_i
//   write keys       r_j, inclusive a r_j (by value r_j)       w_i                    what the adjoint wrote
//   values           gy_j + sum_i M_ij (gw_i + c_i),           k_i                    the adjoint's write
//   keys
//                    inclusive gy_j (by value a gy_j)
//   feedback         M_ij at (j, i)                            none                   none
//   reads give       p_i; dw_i = dv_i = gw_i + c_i + p_i       dr_j                   dk_i, less r_j (gy_j .
//   w_i) writes give      dy_j, inclusive gy_j ends at          dS_0
//
// dM_ij = dw_i . y_j. The decay's gradient telescopes from the end: <S_N, dS_N>, and from token to token r_j
// dr_j enters and k_i dk_i leaves; by value y_j dy_j and w_i (dw_i - gw_i).
#include "compiler/autodiff/FormScan.h"
#include "compiler/autodiff/Gradients.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::autodiff;
using namespace linmu::pattern;

namespace {

class ScanGradient {
public:
  ScanGradient(NormalScanOp op, FormScan scan, Cotangents &cotangents, OpBuilder &at)
      : scan_(std::move(scan)), forward_(FormScan::resultsOf(op)), location_(op.getLoc()),
        cotangents_(cotangents), at_(at) {}

  void run() {
    dFinal_ = cotangents_.of(at_, forward_.final);
    for (Value y : forward_.reads)
      gy_.push_back(cotangents_.of(at_, y));
    for (Value w : forward_.writes)
      gw_.push_back(cotangents_.of(at_, w));
    prepare();
    walkBack();
    joinWalk();
    readState();
    readAdjoint();
    if (scan_.decay && wants(scan_.decay))
      differentiateDecay();
  }

private:
  bool wants(const FormOperand &operand) const { return operand.tensor && cotangents_.wants(operand.tensor); }
  void add(const FormOperand &operand, Value contribution) {
    if (operand.tensor)
      cotangents_.add(operand.tensor, contribution);
  }
  LoopBuilder map() { return LoopBuilder(at_, location_, scan_.walk); }
  static Value in(LoopBuilder &loop, Value tensor) { return tensor ? loop.token(tensor) : Value(); }

  /// c_i, or null: what the token's own inclusive reads send to its write i.
  Value ownReads(LoopBuilder &loop, unsigned write) {
    Value sum;
    StepBuilder &step = loop.step();
    for (unsigned read = 0; read < gy_.size(); ++read)
      if (scan_.inclusive[read] && gy_[read]) {
        Value overlap = step.dot(scan_.writes[write].in(loop), scan_.reads[read].in(loop));
        step.accumulate(sum, step.multiply(overlap, loop.token(gy_[read])));
      }
    return sum;
  }

  /// gw_i + c_i, or null.
  Value knownOfWrite(LoopBuilder &loop, unsigned write) {
    Value sum = ownReads(loop, write);
    if (gw_[write])
      loop.step().accumulate(sum, loop.token(gw_[write]));
    return sum;
  }

  /// The write keys and values of the adjoint.
  void prepare() {
    LoopBuilder loop = map();
    StepBuilder &step = loop.step();
    SmallVector<std::pair<FormOperand *, unsigned>> computed;
    keys_.resize(gy_.size());
    known_.resize(gy_.size());
    for (unsigned read = 0; read < gy_.size(); ++read) {
      bool decays = scan_.inclusive[read] && bool(scan_.decay);
      auto decayed = [&](Value value) {
        return step.multiply(math::ExpOp::create(step, scan_.decay.in(loop)), value);
      };
      keys_[read] = scan_.reads[read];
      if (decays && !scan_.decayByValue)
        computed.push_back({&keys_[read], loop.addOutput(decayed(scan_.reads[read].in(loop)))});
      Value sum = in(loop, gy_[read]);
      if (decays && scan_.decayByValue && sum)
        sum = decayed(sum);
      for (const FormScan::Feedback &term : scan_.feedback)
        if (term.read == read)
          if (Value known = knownOfWrite(loop, term.write))
            step.accumulate(sum, step.multiply(term.factor.in(loop), known));
      if (!sum)
        known_[read].number = zero(scan_.valueType());
      else if (gy_[read] && sum == loop.token(gy_[read]))
        known_[read].tensor = gy_[read];
      else
        computed.push_back({&known_[read], loop.addOutput(sum)});
    }
    if (loop.create())
      for (auto [operand, output] : computed) {
        operand->number = {};
        operand->tensor = loop.output(output);
      }
  }

  void walkBack() {
    FormScan adjoint = scan_;
    adjoint.walk = scan_.walk.turned();
    adjoint.reads = scan_.writes;
    adjoint.inclusive.assign(scan_.writes.size(), false);
    adjoint.writes = keys_;
    adjoint.values = known_;
    adjoint.feedback.clear();
    for (const FormScan::Feedback &term : scan_.feedback)
      adjoint.feedback.push_back({term.read, term.write, term.factor});
    adjoint.init = dFinal_;
    adjoint_ = adjoint.create(at_, location_);
    if (scan_.init)
      cotangents_.add(scan_.init, adjoint_.final);
  }

  /// dw_i, dy_j and dM_ij.
  void joinWalk() {
    LoopBuilder loop = map();
    StepBuilder &step = loop.step();
    SmallVector<unsigned> writes, factors;
    SmallVector<Value> dw;
    for (unsigned write = 0; write < gw_.size(); ++write) {
      Value sum = knownOfWrite(loop, write);
      step.accumulate(sum, loop.token(adjoint_.reads[write]));
      dw.push_back(sum);
      writes.push_back(loop.addOutput(sum));
    }
    for (const FormScan::Feedback &term : scan_.feedback)
      factors.push_back(loop.addOutput(step.dot(dw[term.write], loop.token(forward_.reads[term.read]))));
    loop.create();
    for (auto [write, output] : llvm::enumerate(writes)) {
      dw_.push_back(loop.output(output));
      add(scan_.values[write], dw_.back());
    }
    for (auto [term, output] : llvm::zip(scan_.feedback, factors))
      add(term.factor, loop.output(output));
    for (unsigned read = 0; read < gy_.size(); ++read)
      dy_.push_back(scan_.inclusive[read] ? gy_[read] : adjoint_.writes[read]);
  }

  /// dr_j, by reading the transposed state with dy_j.
  void readState() {
    FormScan reading = scan_.transposed();
    SmallVector<unsigned> numbers;
    for (unsigned read = 0; read < dy_.size(); ++read)
      if (dy_[read]) {
        reading.reads.push_back({dy_[read], {}});
        reading.inclusive.push_back(scan_.inclusive[read]);
        numbers.push_back(read);
      }
    dr_.resize(dy_.size());
    if (numbers.empty())
      return;
    for (Value w : forward_.writes)
      reading.writes.push_back({w, {}});
    reading.values = scan_.writes;
    reading.init = scan_.init;
    FormScan::Results results = reading.create(at_, location_);
    for (auto [number, y] : llvm::zip(numbers, results.reads)) {
      dr_[number] = y;
      add(scan_.reads[number], y);
    }
  }

  /// dk_i, by reading the transposed adjoint with w_i.
  void readAdjoint() {
    FormScan reading = scan_.transposed();
    reading.walk = scan_.walk.turned();
    for (Value w : forward_.writes) {
      reading.reads.push_back({w, {}});
      reading.inclusive.push_back(false);
    }
    for (Value written : adjoint_.writes)
      reading.writes.push_back({written, {}});
    reading.values = keys_;
    reading.init = dFinal_;
    FormScan::Results results = reading.create(at_, location_);
    LoopBuilder loop = map();
    StepBuilder &step = loop.step();
    SmallVector<unsigned> outputs;
    for (unsigned write = 0; write < gw_.size(); ++write) {
      Value sum = loop.token(results.reads[write]);
      for (unsigned read = 0; read < gy_.size(); ++read)
        if (scan_.inclusive[read] && gy_[read]) {
          Value overlap = step.dot(loop.token(gy_[read]), loop.token(forward_.writes[write]));
          sum = step.add(sum, step.multiply(overlap, scan_.reads[read].in(loop)));
        }
      outputs.push_back(loop.addOutput(sum));
    }
    loop.create();
    for (auto [write, output] : llvm::enumerate(outputs)) {
      dk_.push_back(loop.output(output));
      add(scan_.writes[write], dk_.back());
    }
  }

  void differentiateDecay() {
    Type slice = scan_.decay.tensor ? sliceType(cast<RankedTensorType>(scan_.decay.tensor.getType()), 3)
                                    : scan_.decay.number.getType();
    bool scalar = !isa<RankedTensorType>(slice);
    LoopBuilder loop = map();
    StepBuilder &step = loop.step();
    auto folded = [&](Value value) { return scalar ? step.total(value) : value; };
    // What enters at each token and leaves; `before`: what entered by reads before the token's own decay.
    Value rise = step.constant(slice, 0), before;
    for (unsigned read = 0; read < dy_.size(); ++read) {
      if (!dr_[read])
        continue;
      Value entering =
          folded(scan_.decayByValue ? step.multiply(loop.token(forward_.reads[read]), loop.token(dy_[read]))
                                    : step.multiply(scan_.reads[read].in(loop), loop.token(dr_[read])));
      rise = step.add(rise, entering);
      if (!scan_.inclusive[read])
        step.accumulate(before, entering);
    }
    for (unsigned write = 0; write < dw_.size(); ++write) {
      Value gradient = loop.token(dw_[write]);
      if (scan_.decayByValue && gw_[write])
        gradient = step.subtract(gradient, loop.token(gw_[write]));
      rise = step.subtract(rise,
                           folded(scan_.decayByValue
                                      ? step.multiply(loop.token(forward_.writes[write]), gradient)
                                      : step.multiply(scan_.writes[write].in(loop), loop.token(dk_[write]))));
    }
    unsigned rises = loop.addOutput(rise);
    std::optional<unsigned> befores;
    if (before)
      befores = loop.addOutput(before);
    loop.create();

    // The sum from the end, as a state that nothing decays.
    FormScan sum;
    sum.walk = scan_.walk.turned();
    SmallVector<int64_t> shape{ShapedType::kDynamic, scan_.walk.heads};
    if (auto vector = dyn_cast<RankedTensorType>(slice))
      llvm::append_range(shape, vector.getShape());
    sum.state = RankedTensorType::get(shape, at_.getF32Type());
    sum.keyAxis = -1;
    TypedAttr one = at_.getF32FloatAttr(1);
    sum.reads = {{{}, one}};
    sum.inclusive = {true};
    sum.writes = {{{}, one}};
    sum.values = {{loop.output(rises), {}}};
    if (dFinal_)
      sum.init = finalProduct(sum.state);
    Value total = sum.create(at_, location_).reads.front();

    LoopBuilder end = map();
    Value gradient = end.token(total);
    if (befores)
      gradient = end.step().subtract(gradient, end.token(loop.output(*befores)));
    // What does not cross is zero: sums that cancel leave their rounding.
    Value decay = math::ExpOp::create(end.step(), scan_.decay.in(end));
    gradient = end.step().select(end.step().isPositive(decay), gradient, end.step().constant(slice, 0));
    end.addOutput(gradient);
    end.create();
    add(scan_.decay, end.output(0));
  }

  /// <S_N, dS_N> along the axis that the decay lacks, of whole states for a scalar one.
  Value finalProduct(RankedTensorType type) {
    int64_t axes = scan_.state.getRank() - 2, kept = type.getRank() - 2;
    SmallVector<int64_t> over;
    for (int64_t axis = 0; axis < axes; ++axis)
      if (kept == 0 || (axes == 2 && axis != (scan_.decayByValue ? 1 - scan_.keyAxis : scan_.keyAxis)))
        over.push_back(axis);
    return InnerProductOp::create(at_, location_, type, forward_.final, dFinal_,
                                  at_.getDenseI64ArrayAttr(over));
  }

  TypedAttr zero(Type type) {
    TypedAttr number = at_.getF32FloatAttr(0);
    if (auto tensor = dyn_cast<RankedTensorType>(type))
      number = DenseElementsAttr::get(tensor, Attribute(number));
    return number;
  }

  FormScan scan_;
  FormScan::Results forward_, adjoint_;
  Location location_;
  Cotangents &cotangents_;
  OpBuilder &at_;
  Value dFinal_;                          ///< or null
  SmallVector<Value> gy_, gw_;            ///< what y_j and w_i get from outside; null where nothing
  SmallVector<FormOperand> keys_, known_; ///< write keys and values of the adjoint
  SmallVector<Value> dy_, dw_, dr_, dk_;
};

} // namespace

LogicalResult autodiff::differentiateScan(NormalScanOp op, Cotangents &cotangents, OpBuilder &at) {
  std::optional<FormScan> scan = FormScan::of(op);
  if (!scan)
    return op.emitOpError("requires split-scans before its gradient is taken");
  ScanGradient(op, std::move(*scan), cotangents, at).run();
  return success();
}
