//===- Rules.h - Rules from aten operators to core operations -*- C++ -*-=//
//
// One rule per operator overload, found by its schema name ("add.Tensor", "relu",
// "prim::device"). Rules live in lib/Specialize/Aten/<Family>.cpp, each of which has one function
// `register<Family>Rules` that is called by `RuleRegistry::get`.
//
// A rule sees its operands through `RuleContext`, builds core operations at the context's builder,
// and returns the result, or fails with a message. It never sees storages: in-place variants
// (`add_.Tensor`, `relu_`, `copy_`) need no rule of their own, they are derived from the functional
// overload of the same name: compute, check the type and shape, write to self.
//
// Three kinds of rules:
//   value    tensors in, fresh tensors out;
//   view     the result aliases operand 0: the rule says how it derives from it;
//   special  everything else: scalars, strings, lists, dicts, mutation.
//
// Errors. `return ctx.fail("expected ..., but got ...")` in any rule: the message goes to the
// Python line. Accessors do not return failures one by one: one that cannot give what it is asked
// for reports it and returns a placeholder of the right form (a `tensor<f32>`, 0, an empty list),
// and the engine drops the rule's result. So read all operands first, `if (ctx.failed()) return
// failure();`, and go on.
//
// Examples, as they stand in a family's file:
//
//   /// add.Tensor(self, other, alpha): self + alpha * other.
//   static FailureOr<Value> addTensor(RuleContext &ctx) {
//     Type type = ctx.resultType({0, 1});
//     Value self = ctx.operandAs(0, type), other = ctx.operandAs(1, type);
//     if (ctx.knownFloat(2) != 1.0)
//       other = ctx.binary<MulOp>(other, ctx.operandAs(2, type));
//     Value sum = ctx.binary<AddOp>(self, other);
//     if (ctx.failed())
//       return failure();
//     return sum;
//   }
//
//   /// relu(self): the maximum with 0; NaN stays NaN.
//   static FailureOr<Value> relu(RuleContext &ctx) {
//     Value self = ctx.tensor(0);
//     return ctx.binary<MaximumOp>(self, ctx.constantTensor(0, getElementTypeOrSelf(self)));
//   }
//
//   /// transpose.int(self, dim0, dim1).
//   static FailureOr<ViewAnswer> transposeInt(RuleContext &ctx) {
//     int64_t rank = ctx.tensorType(0).getRank();
//     SmallVector<int64_t> permutation = llvm::to_vector(llvm::seq<int64_t>(0, rank));
//     if (rank)
//       std::swap(permutation[ctx.dim(1, rank)], permutation[ctx.dim(2, rank)]);
//     return ViewAnswer{{viewPermute(permutation)}};
//   }
//
//   void specialize::registerArithmeticRules(RuleRegistry &registry) {
//     registry.value("add.Tensor", addTensor);     // also gives add_.Tensor
//     registry.value("relu", relu);                // also gives relu_
//     registry.view("transpose.int", transposeInt);
//   }
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_SPECIALIZE_RULES_H
#define TORCHLITE_SPECIALIZE_RULES_H

#include "TorchLite/Specialize/Value.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/Twine.h"

namespace torchlite::tl::specialize {

class Walker;

//===----------------------------------------------------------------------===//
// Element types
//===----------------------------------------------------------------------===//

/// The element type of a torch dtype number (c10::ScalarType), or null if there is none.
mlir::Type dtypeToType(mlir::MLIRContext *context, int64_t dtype);
/// The torch dtype number of an element type, or -1.
int64_t typeToDtype(mlir::Type type);
/// "Float", "Long", ... as PyTorch's messages spell an element type.
llvm::StringRef dtypeName(mlir::Type type);
/// `torch.promote_types`.
mlir::Type promoteTypes(mlir::Type a, mlir::Type b);
inline bool isFloat(mlir::Type type) { return llvm::isa<mlir::FloatType>(type); }
inline bool isBool(mlir::Type type) { return type.isInteger(1); }
inline bool isComplex(mlir::Type type) { return llvm::isa<mlir::ComplexType>(type); }
/// An integer type other than bool.
inline bool isInt(mlir::Type type) {
  return llvm::isa<mlir::IntegerType>(type) && !type.isInteger(1);
}

//===----------------------------------------------------------------------===//
// RuleContext
//===----------------------------------------------------------------------===//

/// The operands of one operator call, and what is needed to build its result.
class RuleContext {
public:
  RuleContext(Walker &walker, mlir::OpBuilder &builder, mlir::Location loc, llvm::StringRef name,
              llvm::ArrayRef<SpecValue> operands, mlir::TypeRange resultTypes)
      : b(builder), loc(loc), walker(walker), opName(name), args(operands),
        declaredResults(resultTypes) {}

  mlir::OpBuilder &b;
  mlir::Location loc;

  llvm::StringRef name() const { return opName; }
  mlir::MLIRContext *context() const { return b.getContext(); }

  //===--- Operands: abstract -----------------------------------------------===//

  unsigned size() const { return args.size(); }
  /// None if the call has fewer operands.
  const SpecValue &operand(unsigned i) const;
  bool isNone(unsigned i) const { return operand(i).isNone(); }
  bool isTensor(unsigned i) const { return operand(i).isTensor(); }
  /// The result types that the program declares, as written.
  mlir::TypeRange resultTypes() const { return declaredResults; }

  //===--- Operands: tensors ------------------------------------------------===//

  /// The current value of a tensor operand, of type `tensor<...>`.
  mlir::Value tensor(unsigned i);
  /// As `tensor`, null if the operand is None or missing.
  mlir::Value optionalTensor(unsigned i);
  /// The tensors of a `List[Tensor]` operand.
  llvm::SmallVector<mlir::Value> tensorList(unsigned i);
  /// As `tensorList` for `List[Optional[Tensor]]`: null for None.
  llvm::SmallVector<mlir::Value> optionalTensorList(unsigned i);
  /// A tensor operand, or a number as a 0-dim tensor, converted to `elementType`.
  mlir::Value tensorOrScalar(unsigned i, mlir::Type elementType);
  mlir::RankedTensorType tensorType(unsigned i);
  /// Whether a tensor operand is contiguous in memory, as PyTorch would say.
  Known contiguous(unsigned i);

  //===--- Operands: numbers ------------------------------------------------===//

  /// A constant; reports a failure if it is not known at compile time.
  int64_t constantInt(unsigned i);
  double constantFloat(unsigned i);
  bool constantBool(unsigned i);
  llvm::StringRef constantString(unsigned i);
  /// A constant, or `fallback` if the operand is None or missing.
  int64_t constantInt(unsigned i, int64_t fallback);
  double constantFloat(unsigned i, double fallback);
  bool constantBool(unsigned i, bool fallback);
  /// A constant if it is known, nothing otherwise (None included); never fails.
  std::optional<int64_t> knownInt(unsigned i) const { return operand(i).getInt(); }
  std::optional<double> knownFloat(unsigned i) const { return operand(i).getFloat(); }
  std::optional<bool> knownBool(unsigned i) const { return operand(i).getBool(); }
  /// A number as `i64`, `f64` or `i1`, a constant materialised; the type follows the operand.
  mlir::Value scalar(unsigned i);
  /// A number converted to the builtin scalar type `type` (any element type).
  mlir::Value scalarAs(unsigned i, mlir::Type type);
  /// An int as a size: an index attribute or an index-typed value.
  mlir::OpFoldResult index(unsigned i);
  /// A list of ints (or one int) as sizes.
  llvm::SmallVector<mlir::OpFoldResult> indexList(unsigned i);
  /// A list of constant ints. A single int is repeated `count` times, as is a list of one element,
  /// when `count` is not 0 (PyTorch's `int[2]` arguments).
  llvm::SmallVector<int64_t> constantIntList(unsigned i, unsigned count = 0);
  llvm::SmallVector<double> constantFloatList(unsigned i);
  /// A constant dimension of a tensor of `rank`, negative values wrapped; checked.
  /// A 0-dim tensor takes -1 and 0, as in PyTorch.
  int64_t dim(unsigned i, int64_t rank);
  /// A list of dimensions, wrapped, checked, without duplicates. None or empty: all dimensions.
  llvm::SmallVector<int64_t> dimList(unsigned i, int64_t rank);
  /// The element type of an optional dtype operand, `fallback` if it is None or missing.
  mlir::Type dtype(unsigned i, mlir::Type fallback);

  //===--- Shapes -----------------------------------------------------------===//

  /// Sizes of a tensor value, static ones as index attributes.
  mlir::OpFoldResult size(mlir::Value tensor, int64_t dim);
  llvm::SmallVector<mlir::OpFoldResult> sizes(mlir::Value tensor);
  /// Whether two sizes are provably equal or provably different.
  Known equal(mlir::OpFoldResult a, mlir::OpFoldResult b);
  /// Makes sure that two sizes are equal: fails if they are known to differ, emits `tl.check` with
  /// `message` if that is not known. False after a failure.
  bool requireEqual(mlir::OpFoldResult a, mlir::OpFoldResult b, const llvm::Twine &message);
  /// Arithmetic on sizes, folded; `floorDiv` rounds down, and takes a divisor below 1 for 1.
  mlir::OpFoldResult add(mlir::OpFoldResult a, mlir::OpFoldResult b);
  mlir::OpFoldResult sub(mlir::OpFoldResult a, mlir::OpFoldResult b);
  mlir::OpFoldResult mul(mlir::OpFoldResult a, mlir::OpFoldResult b);
  mlir::OpFoldResult floorDiv(mlir::OpFoldResult a, mlir::OpFoldResult b);
  mlir::OpFoldResult minimum(mlir::OpFoldResult a, mlir::OpFoldResult b);
  mlir::OpFoldResult maximum(mlir::OpFoldResult a, mlir::OpFoldResult b);
  /// The product of sizes.
  mlir::OpFoldResult product(llvm::ArrayRef<mlir::OpFoldResult> sizes);
  mlir::OpFoldResult fold(int64_t value) { return b.getIndexAttr(value); }
  /// A size as an `index` value / as an `i64` value.
  mlir::Value indexValue(mlir::OpFoldResult size);
  mlir::Value intValue(mlir::OpFoldResult size);
  /// The static part of sizes (`kDynamic` elsewhere), and the values of the dynamic ones.
  llvm::SmallVector<int64_t> staticSizes(llvm::ArrayRef<mlir::OpFoldResult> sizes);
  llvm::SmallVector<mlir::Value> dynamicSizes(llvm::ArrayRef<mlir::OpFoldResult> sizes);
  /// `tensor<sizes x elementType>`.
  mlir::RankedTensorType makeType(llvm::ArrayRef<mlir::OpFoldResult> sizes, mlir::Type elementType);
  /// Makes sure that ints can be the sizes of one tensor: none is negative, and their product is
  /// far from overflow. What follows from sizes of tensors needs no check. False after a failure.
  bool requireSizes(llvm::ArrayRef<mlir::OpFoldResult> sizes);
  /// A size that an operator gives as an int, of which -1 stands for `own`, at run time too.
  mlir::OpFoldResult sizeOrOwn(mlir::OpFoldResult size, mlir::OpFoldResult own);
  /// The size that broadcasting two sizes gives, checked: they are equal, or one of them is 1, if
  /// only at run time. Nothing after a failure.
  std::optional<mlir::OpFoldResult> broadcastSize(mlir::OpFoldResult a, mlir::OpFoldResult b,
                                                  const llvm::Twine &message);
  /// The sizes that broadcasting gives, checked. On failure, empty.
  llvm::SmallVector<mlir::OpFoldResult> broadcastSizes(mlir::ValueRange tensors);
  /// Checks that tensors broadcast, and expands those whose unknown size may be 1 at run time where
  /// that of another one is not. False after a failure.
  bool requireBroadcast(llvm::MutableArrayRef<mlir::Value> tensors);
  bool requireBroadcast(mlir::Value &lhs, mlir::Value &rhs);
  /// A tensor of the same rank with sizes that differ from its own at most where its size is 1,
  /// which need not be known: the tensor itself where they are equal.
  mlir::Value expandOnes(mlir::Value tensor, llvm::ArrayRef<mlir::OpFoldResult> sizes);
  /// PyTorch's `view`/`reshape` sizes: at most one -1 is inferred from the number of elements of
  /// `tensor`, which must divide; the products are checked.
  llvm::SmallVector<mlir::OpFoldResult> inferReshape(mlir::Value tensor,
                                                     llvm::ArrayRef<mlir::OpFoldResult> sizes);

  //===--- Type promotion (torch.result_type) -------------------------------===//

  /// The element type of the operands named by position: tensors, 0-dim tensors and numbers have
  /// PyTorch's priorities; None is skipped.
  mlir::Type resultType(llvm::ArrayRef<unsigned> operands);
  /// As `resultType`, with integers and bool turned to f32 (`sqrt`, `div.Tensor`, ...).
  mlir::Type floatResultType(llvm::ArrayRef<unsigned> operands);
  /// The operand as a tensor of that element type (= `tensorOrScalar`).
  mlir::Value operandAs(unsigned i, mlir::Type elementType) {
    return tensorOrScalar(i, elementType);
  }

  //===--- Builders ---------------------------------------------------------===//

  /// `tl.cast` to an element type; the value itself if it has it.
  mlir::Value cast(mlir::Value tensor, mlir::Type elementType);
  /// A 0-dim constant tensor of any element type.
  mlir::Value constantTensor(double value, mlir::Type elementType);
  mlir::Value constantTensor(int64_t value, mlir::Type elementType);
  mlir::Value constantTensor(int value, mlir::Type elementType) {
    return constantTensor(static_cast<int64_t>(value), elementType);
  }
  /// A scalar SSA value of the element type as a 0-dim tensor.
  mlir::Value fromScalar(mlir::Value scalar);
  /// The only element of a tensor as `i64`, `f64` or `i1` (`item()`); checks the number of
  /// elements.
  mlir::Value toScalar(mlir::Value tensor);
  /// A tensor filled with a scalar of the element type.
  mlir::Value full(llvm::ArrayRef<mlir::OpFoldResult> sizes, mlir::Value scalar);
  mlir::Value full(llvm::ArrayRef<mlir::OpFoldResult> sizes, double value, mlir::Type elementType);
  /// A constant of a builtin scalar type.
  mlir::Value constantScalar(double value, mlir::Type type);
  mlir::Value reshape(mlir::Value tensor, llvm::ArrayRef<mlir::OpFoldResult> sizes);
  mlir::Value permute(mlir::Value tensor, llvm::ArrayRef<int64_t> permutation);
  mlir::Value transpose(mlir::Value tensor, int64_t dim0, int64_t dim1);
  mlir::Value unsqueeze(mlir::Value tensor, int64_t dim);
  mlir::Value squeeze(mlir::Value tensor, int64_t dim);
  /// numpy-style broadcast to sizes; checked.
  mlir::Value broadcastTo(mlir::Value tensor, llvm::ArrayRef<mlir::OpFoldResult> sizes);
  /// `tensor.extract_slice` along one dimension, step 1 by default. Not checked against the size.
  mlir::Value slice(mlir::Value tensor, int64_t dim, mlir::OpFoldResult offset,
                    mlir::OpFoldResult size, int64_t step = 1);
  /// The tensor with a weaker or stronger static shape (`tensor.cast`), sizes being known equal.
  mlir::Value refine(mlir::Value tensor, mlir::RankedTensorType type);
  /// An elementwise binary core operation on two tensors of one element type, after checking that
  /// they broadcast. Null after a failure.
  template <typename OpTy, typename... Args>
  mlir::Value binary(mlir::Value lhs, mlir::Value rhs, Args &&...rest) {
    if (failed() || !lhs || !rhs || !requireBroadcast(lhs, rhs))
      return {};
    return OpTy::create(b, loc, lhs, rhs, std::forward<Args>(rest)...);
  }
  /// Emits `tl.check`: `condition` (i1) must hold, or the message is raised. `{}` in the message is
  /// filled with `values` (i64). A constant false condition fails the rule.
  void check(mlir::Value condition, const llvm::Twine &message, mlir::ValueRange values = {});

  //===--- Failures ---------------------------------------------------------===//

  /// Reports why the operator cannot be compiled as it is used here. Always returns failure.
  mlir::LogicalResult fail(const llvm::Twine &message);
  /// The operator raises an exception in PyTorch too (a size that does not match, an index out of
  /// range): it becomes a check that fails when the program gets there. What PyTorch computes but
  /// we do not is a case for `fail`. `{}` in the message is filled with `values`. Always returns
  /// failure.
  mlir::LogicalResult raise(const llvm::Twine &message, mlir::ValueRange values = {});
  /// Whether this context has reported a failure.
  bool failed() const { return hasFailed; }

  //===--- Abstract values (special rules) ----------------------------------===//

  /// A tensor value as a fresh tensor that aliases nothing.
  SpecValue makeTensor(mlir::Value value, Known contiguous = Known::Yes);
  /// The value of a tensor.
  mlir::Value tensorValue(const SpecValue &tensor);
  /// A number as SSA value.
  mlir::Value scalarValue(const SpecValue &number);
  SpecValue makeScalar(mlir::Value value) { return SpecValue::scalar(value); }
  SpecValue makeInt(int64_t value) { return SpecValue::integer(context(), value); }
  SpecValue makeFloat(double value) { return SpecValue::floating(context(), value); }
  SpecValue makeBool(bool value) { return SpecValue::boolean(context(), value); }
  SpecValue makeString(llvm::StringRef value) { return SpecValue::string(context(), value); }
  /// An int from a size.
  SpecValue makeInt(mlir::OpFoldResult size);
  SpecValue makeList(std::vector<SpecValue> elements, mlir::Type elementType);
  /// The elements of a list or tuple.
  llvm::ArrayRef<SpecValue> elements(const SpecValue &listOrTuple);
  /// Overwrites a tensor with a value of the same element type; shapes are checked, broadcasting
  /// and element type conversion are done here. False after a failure.
  bool writeTensor(const SpecValue &tensor, mlir::Value value);

  Walker &getWalker() { return walker; }

private:
  mlir::Value castComplex(mlir::Value tensor, mlir::Type elementType);
  mlir::OpFoldResult inferSize(llvm::ArrayRef<mlir::OpFoldResult> left, mlir::OpFoldResult want,
                               llvm::ArrayRef<mlir::OpFoldResult> sizes);
  llvm::SmallVector<mlir::OpFoldResult> inferAtRunTime(llvm::ArrayRef<mlir::OpFoldResult> from,
                                                       llvm::ArrayRef<mlir::OpFoldResult> sizes);

  Walker &walker;
  llvm::StringRef opName;
  llvm::ArrayRef<SpecValue> args;
  mlir::TypeRange declaredResults;
  bool hasFailed = false;
};

//===----------------------------------------------------------------------===//
// Rules
//===----------------------------------------------------------------------===//

/// Computes one fresh tensor.
using ValueRule = std::function<mlir::FailureOr<mlir::Value>(RuleContext &)>;
/// Computes several fresh tensors: the operator's results in order (a rule registered with
/// `valueList` returns them as one list).
using ValuesRule = std::function<mlir::FailureOr<llvm::SmallVector<mlir::Value>>(RuleContext &)>;

/// What a view rule answers: the steps from operand 0 to one view.
struct ViewAnswer {
  ViewChain steps;
  /// Yes: an alias. No: a fresh copy (the steps say how to compute it). Maybe: PyTorch would decide
  /// by strides that are not known; a later write to either is refused.
  Known aliases = Known::Yes;
  /// `is_contiguous` of the view; the default takes it from the steps.
  std::optional<Known> contiguous;
};
using ViewRule = std::function<mlir::FailureOr<ViewAnswer>(RuleContext &)>;
/// Several views of operand 0 (`split`, `chunk`, `unbind`), returned as one list.
using ViewListRule = std::function<mlir::FailureOr<std::vector<ViewAnswer>>(RuleContext &)>;
/// Asked before a `ViewListRule`: the views as pieces (Pieces.h) if their number is known only at
/// run time, nothing if it is known.
using PiecesRule = std::function<std::optional<SpecValue>(RuleContext &)>;
/// Anything else: gives one abstract value per result.
using SpecialRule =
    std::function<mlir::LogicalResult(RuleContext &, llvm::SmallVectorImpl<SpecValue> &results)>;

/// Steps for `ViewAnswer`.
ViewStep viewReshape(llvm::ArrayRef<mlir::OpFoldResult> sizes);
ViewStep viewPermute(llvm::ArrayRef<int64_t> permutation);
ViewStep viewSlice(llvm::ArrayRef<mlir::OpFoldResult> offsets,
                   llvm::ArrayRef<mlir::OpFoldResult> sizes,
                   llvm::ArrayRef<mlir::OpFoldResult> steps);
/// Read-only: PyTorch refuses to write to memory that several elements share.
ViewStep viewBroadcast(llvm::ArrayRef<mlir::OpFoldResult> sizes);
/// A slice along one dimension (`offset`, `size` in elements of the view, `step`).
ViewStep viewSliceDim(RuleContext &ctx, mlir::Value base, int64_t dim, mlir::OpFoldResult offset,
                      mlir::OpFoldResult size, mlir::OpFoldResult step);

/// How one operator is done.
struct Rule {
  ValueRule value;
  ValuesRule values;
  bool asList = false;
  ViewRule view;
  ViewListRule viewList;
  PiecesRule pieces;
  SpecialRule special;
  /// For an operand 0 that is a list whose length is known only at run time, or an operand 1 that
  /// is such a list of the same type. Other rules may store such a list, but fail where they ask
  /// for its elements.
  SpecialRule runTimeList;
  /// For operands that are lists, dicts or strings of a structure that is known only at run time
  /// (docs/RunTimeValues.md).
  SpecialRule boxed;
};

/// All rules, by schema name.
class RuleRegistry {
public:
  /// The registry with every family registered.
  static const RuleRegistry &get();
  /// Adds a family from outside of TorchLite: `registerRules` is called after all of TorchLite's
  /// own, so that its rules take the place of those of the same name. To be called before the first
  /// `get`.
  static void extend(std::function<void(RuleRegistry &)> registerRules);

  /// The rule of a name, or null. An in-place name has none of its own.
  const Rule *lookup(llvm::StringRef name) const;
  /// The rule from which an in-place operator (`add_.Tensor`) is derived, or null.
  const Rule *lookupInPlace(llvm::StringRef name) const;
  /// The rule from which an operator that is given the tensors of its results (`add.out`) is
  /// derived, and its name, or null.
  const Rule *lookupOut(llvm::StringRef name, std::string &functional) const;

  void value(llvm::StringRef name, ValueRule rule) { rules[name].value = std::move(rule); }
  void values(llvm::StringRef name, ValuesRule rule) { rules[name].values = std::move(rule); }
  void valueList(llvm::StringRef name, ValuesRule rule) {
    rules[name].values = std::move(rule);
    rules[name].asList = true;
  }
  void view(llvm::StringRef name, ViewRule rule) { rules[name].view = std::move(rule); }
  void viewList(llvm::StringRef name, ViewListRule rule) { rules[name].viewList = std::move(rule); }
  void pieces(llvm::StringRef name, PiecesRule rule) { rules[name].pieces = std::move(rule); }
  void special(llvm::StringRef name, SpecialRule rule) { rules[name].special = std::move(rule); }
  void boxed(llvm::StringRef name, SpecialRule rule) { rules[name].boxed = std::move(rule); }
  void runTimeList(llvm::StringRef name, SpecialRule rule) {
    rules[name].runTimeList = std::move(rule);
  }

private:
  llvm::StringMap<Rule> rules;
};

/// What is no tensor operator: Builtins/<Family>.cpp.
void registerBoxRules(RuleRegistry &registry);
void registerContainerRules(RuleRegistry &registry);
void registerCopyRules(RuleRegistry &registry);
void registerMathRules(RuleRegistry &registry);
void registerQueryRules(RuleRegistry &registry);
void registerRunTimeListRules(RuleRegistry &registry);
void registerRunTimeListSearchRules(RuleRegistry &registry);
void registerScalarRules(RuleRegistry &registry);
void registerStringRules(RuleRegistry &registry);
void registerStringMethodRules(RuleRegistry &registry);
void registerTensorOfRules(RuleRegistry &registry);

} // namespace torchlite::tl::specialize

#endif // TORCHLITE_SPECIALIZE_RULES_H
