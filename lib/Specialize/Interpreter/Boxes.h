//===- Boxes.h - Values whose structure lives at run time -------*- C++ -*-===//
//
// Lists and dicts whose structure neither the walk nor a run-time list (RunTimeLists.h) can know
// are objects of the runtime: `tlrt.box`. The heap's cell of such a container has the reference
// (`box`) and what is known of its contents (`form`), nothing else: two cells may be one object,
// and the runtime knows.
//
// Which containers are boxes is decided by the operation that makes them. A walk finds out that
// some would have to be, and is repeated with them.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_LIB_SPECIALIZE_INTERPRETER_BOXES_H
#define TORCHLITE_LIB_SPECIALIZE_INTERPRETER_BOXES_H

#include "TorchLite/Dialect/Runtime/IR/BoxOps.h"
#include "Walker.h"

namespace torchlite::tl::specialize {

/// Whether a value is a list or dict that is a box.
bool isBoxed(const Walker &walker, const SpecValue &value);
/// Whether values of a type, as written, can be in boxes.
bool canBeBoxed(mlir::Type type);

/// Notes that a list or dict would have to be a box, from where it is made on.
void suggestBox(Walker &walker, CellId container);
/// Notes an operation whose containers would have to be boxes. Those of attributes cannot be.
void suggestSite(Walker &walker, mlir::Operation *site);
void suggestBox(Walker &walker, const Cell &container);

/// The form that two are from now on.
Form *joinForms(Walker &walker, Form *a, Form *b);
/// What a form has become one with.
Form *rootOf(Form *form);

/// Whether tensors belong to a form, and none was ever put there.
bool isEmptyForm(Form *form);

/// A tensor in a box.
mlir::Value packed(mlir::OpBuilder &b, mlir::Location loc, mlir::Value tensor);

/// Into boxes and out of them, at one point of the program.
class Boxer {
public:
  Boxer(Walker &walker, mlir::Location loc) : w(walker), b(walker.b), loc(loc) {}

  /// A container that is a box from the beginning; nothing, after an error, if that is not
  /// possible.
  std::optional<SpecValue> newContainer(ValueKind kind, llvm::ArrayRef<SpecValue> elements,
                                        mlir::Type type);
  /// A list of constants of the archive, as a box that the call makes once; nothing if it is none.
  std::optional<SpecValue> constantList(const SpecValue &list);
  /// A container that the runtime has made, as `form` says.
  SpecValue container(mlir::Value box, Form *form);
  /// The box of a list or dict, which becomes one here; null after an error.
  mlir::Value boxOf(const SpecValue &container);
  /// The form of lists of a type, whose parts are those of other forms: of the elements, or of what
  /// tuples that are the elements are made of.
  Form *listForm(mlir::Type element, llvm::ArrayRef<Form *> parts);
  Form *formOf(const SpecValue &container) { return rootOf(w.cell(container.getCell()).form); }

  /// A value as an item of a container: `i64`, `f64`, `i1` or a box. Null after an error.
  mlir::Value item(const SpecValue &value, Form *form);
  /// As `item`, always a box.
  mlir::Value boxed(const SpecValue &value, Form *form);
  /// What is at a position of a container. `orNone`: it may be None, though its type does not say
  /// so, which is then not looked at.
  std::optional<SpecValue> get(mlir::Value container, mlir::Value position, Form *form,
                               bool orNone = false);
  /// The box of a value that may be None, and what it holds; null, after an error, if it cannot be
  /// one.
  std::pair<mlir::Value, Form *> optionalBox(const SpecValue &value);
  /// The type of tensors of a form; null, after an error, if they differ or there are none.
  mlir::RankedTensorType tensorType(Form *form);
  /// A tensor that was in a box.
  SpecValue tensorOut(mlir::Value value, Form *form);

  mlir::Value integer(int64_t value) { return w.constant(b.getI64IntegerAttr(value)); }

private:
  Form *newForm(mlir::Type type);
  Form *formFor(CellId id, mlir::Type type);
  bool fill(mlir::Value box, llvm::ArrayRef<SpecValue> elements, Form *form);
  mlir::Value packTensor(const SpecValue &tensor, Form *form);
  mlir::Value boxRunTimeList(CellId id, Form *form);
  mlir::Value boxOptional(const SpecValue &value, Form *form);
  bool boxContainersIn(const SpecValue &value, Form *form);
  std::optional<SpecValue> getTuple(mlir::Value box, Form *form, bool orNone);
  std::nullptr_t fail(const llvm::Twine &message) {
    (void)w.error(loc, message);
    return nullptr;
  }

  Walker &w;
  mlir::OpBuilder &b;
  mlir::Location loc;
};

/// A boxed list of numbers, or of tensors of one size, as a list of unknown length; nothing, after
/// a failure, if it is neither.
std::optional<SpecValue> unboxedList(RuleContext &ctx, const SpecValue &list);

/// A list, dict or str in a box, or a value that may be None, that leaves the program; null, after
/// an error or not, if it cannot.
mlir::Attribute describeBox(Walker &walker, const SpecValue &value, const std::string &path,
                            llvm::SmallVectorImpl<std::pair<std::string, mlir::Value>> &leaves);

/// An operator that is given boxes.
mlir::LogicalResult applyBoxed(RuleContext &ctx, const Rule &rule,
                               llvm::SmallVectorImpl<SpecValue> &results);
/// Whether an operator is given a box, and would look into it.
bool takesBox(RuleContext &ctx);

/// What of a loop's head boxes may hold (Loops.cpp).
unsigned countBoxed(const Walker &walker, const Heap &heap,
                    llvm::function_ref<bool(CellId)> isOfHead);

} // namespace torchlite::tl::specialize

#endif // TORCHLITE_LIB_SPECIALIZE_INTERPRETER_BOXES_H
