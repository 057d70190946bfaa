//===- RunTimeLists.h - Lists whose length is not known ---------*- C++ -*-===//
//
// A list that a loop with an unknown number of trips appends to, or indexes with a number that is
// known only at run time, is kept as one tensor, if its elements are numbers of one kind or tensors
// of one rank and element type: element `i` is the buffer's slice `i`. `stack` and `cat` read the
// buffer as it is.
//
// The heap's cell of such a list has
//
//   count       how many elements there are (i64)
//   value       the buffer, `tensor<capacity x sizes>`; null before the first element
//   elements    none before the first element; then one that stands for any of them
//
// A tensor that is appended is the same object as the list's element. The buffer holds its value,
// so neither may be written while the other one is used: the element that stands for all is in a
// joined storage (Heap.h) with the places of what was appended. Sizes of elements that differ at
// run time are an error of the call.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_LIB_SPECIALIZE_INTERPRETER_RUNTIMELISTS_H
#define TORCHLITE_LIB_SPECIALIZE_INTERPRETER_RUNTIMELISTS_H

#include "Walker.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace torchlite::tl::specialize {

/// A run-time list at one point of the program.
class RunTimeList {
public:
  RunTimeList(RuleContext &ctx, CellId id)
      : ctx(ctx), w(ctx.getWalker()), b(ctx.b), loc(ctx.loc), id(id) {}

  mlir::Value count() const { return w.cell(id).count; }
  /// Null before the first element.
  mlir::Value buffer() const { return w.cell(id).value; }
  bool isEmpty() const { return w.cell(id).elements.empty(); }
  const SpecValue &anyElement() const { return w.cell(id).elements.front(); }

  /// Takes the elements of a list of known length, which are of one form.
  bool take(llvm::ArrayRef<SpecValue> known);
  bool append(const SpecValue &element);
  std::optional<SpecValue> get(mlir::Value position);
  bool set(mlir::Value position, const SpecValue &element);
  /// An index that may count from the end, checked.
  mlir::Value position(unsigned operand);
  void setCount(mlir::Value count) { w.change(id).count = count; }
  void setBuffer(mlir::Value buffer) { w.change(id).value = buffer; }
  /// Appends the elements of another list, or of this one.
  bool appendAll(const RunTimeList &other);
  /// Moves the elements from `first` up to `end` so that they begin at `to`, over those there.
  void move(mlir::Value first, mlir::Value to, mlir::Value end);
  /// All elements: [count, sizes...].
  mlir::Value together() const;
  /// `size` elements from `offset` on, as a list of its own.
  SpecValue part(mlir::OpFoldResult offset, mlir::OpFoldResult size);

private:
  /// A number or tensor as a tensor with a leading dimension of 1; null after a failure.
  mlir::Value row(const SpecValue &element);
  bool admit(const SpecValue &element);
  bool admits(const SpecValue &element);
  bool requireSizes(mlir::Value row, mlir::Value unless = {});
  mlir::Value joined(mlir::Value rows, mlir::Value more, mlir::Value noRows, mlir::Value noMore);
  mlir::Value created(mlir::Value row, mlir::OpFoldResult capacity);
  mlir::Value created(mlir::Value row, int64_t capacity) {
    return created(row, b.getIndexAttr(capacity));
  }
  mlir::Value grown(mlir::Value row);
  mlir::Value write(mlir::Value buffer, mlir::Value position, mlir::Value row);
  /// Whether it has no elements, at run time.
  mlir::Value isEmptyNow() const {
    return compare(mlir::arith::CmpIPredicate::eq, count(), integer(0));
  }
  mlir::Value compare(mlir::arith::CmpIPredicate predicate, mlir::Value x, mlir::Value y) const {
    return mlir::arith::CmpIOp::create(b, loc, predicate, x, y);
  }
  mlir::Value integer(int64_t value) const { return w.constant(b.getI64IntegerAttr(value)); }

  RuleContext &ctx;
  Walker &w;
  mlir::OpBuilder &b;
  mlir::Location loc;
  CellId id;
};

/// Whether a value is a list whose length is known only at run time.
bool isRunTimeList(const Walker &walker, const SpecValue &value);

/// Makes a list of known elements one of unknown length, here. False if its elements are not of one
/// form that a buffer can hold.
bool makeRunTimeList(Walker &walker, CellId list);

/// A copy of a list that stays of known length; nothing, without an error, if its elements are not
/// of one form.
std::optional<SpecValue> runTimeCopy(Walker &walker, const SpecValue &list);

/// The element at an index known only at run time of a list that stays of known length; nothing,
/// without an error, if its elements are not of one form, and after a failure.
std::optional<SpecValue> elementAt(RuleContext &ctx, const SpecValue &list, unsigned index);

/// A list whose elements are those of a tensor, [count, sizes...]; `element` is their type.
SpecValue runTimeListOf(Walker &walker, mlir::Value all, mlir::Attribute element,
                        mlir::Type elementType);

/// A list that leaves the program: {list_of = [type of its elements]}, with all elements as one
/// tensor. {list = []} if it never has elements.
mlir::Attribute
describeRunTimeList(Walker &walker, const SpecValue &list, const std::string &path,
                    llvm::SmallVectorImpl<std::pair<std::string, mlir::Value>> &leaves);

/// As many elements as a program unpacks, checked.
mlir::FailureOr<llvm::SmallVector<SpecValue>>
unpackRunTimeList(RuleContext &ctx, const SpecValue &list, int64_t count);

} // namespace torchlite::tl::specialize

#endif // TORCHLITE_LIB_SPECIALIZE_INTERPRETER_RUNTIMELISTS_H
