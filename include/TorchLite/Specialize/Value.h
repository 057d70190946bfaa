//===- Value.h - Abstract values of the specializing walk ---*- C++ -*-===//
//
// What the walk of `tl-specialize` knows about a value of the program: exact structure (lists,
// tuples, dicts and objects of known shape), constants where they are known, and SSA values of
// builtin types for the rest.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_SPECIALIZE_VALUE_H
#define TORCHLITE_SPECIALIZE_VALUE_H

#include "TorchLite/Dialect/TorchLite/IR/TorchLiteDialect.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace torchlite::tl::specialize {

class RuleContext;

/// The number of a heap cell: a storage, list, dict or object. Cells are never reused.
using CellId = unsigned;

/// Three-valued knowledge.
enum class Known { No, Yes, Maybe };

//===----------------------------------------------------------------------===//
// Views
//===----------------------------------------------------------------------===//

/// One step from a base tensor to a view of it. A view is read by computing it from the base's
/// current value, and written by computing the base's next value.
struct ViewStep {
  enum class Kind { Same, Reshape, Permute, Slice, Broadcast, Custom };
  Kind kind = Kind::Custom;
  /// Sizes of the view (all kinds), as index attributes or index-typed values.
  llvm::SmallVector<mlir::OpFoldResult> sizes;
  /// Slice: where the view starts, and its step, per dimension of the base.
  llvm::SmallVector<mlir::OpFoldResult> offsets, steps;
  /// Permute: dimension `i` of the view is dimension `permutation[i]` of the base.
  llvm::SmallVector<int64_t> permutation;
  /// Custom: the view's value from the base's, and the base's from the base's and the view's. A
  /// null `write` makes the view read-only: writing through it is refused.
  std::function<mlir::Value(RuleContext &, mlir::Value base)> read;
  std::function<mlir::Value(RuleContext &, mlir::Value base, mlir::Value view)> write;
  /// The step shares memory with its base because that is contiguous; it copies where it is not.
  /// Set by rules; the walker gives each such step of a tensor whose layout follows those that the
  /// method is called with a number, counting up.
  bool ifContiguous = false;
  unsigned decision = 0;
};

/// The steps from a storage's whole tensor to a view, in order. Immutable and shared.
using ViewChain = std::vector<ViewStep>;

/// Strides of a tensor in elements, one a dimension.
using Strides = llvm::SmallVector<int64_t, 4>;

/// A tensor object: a view of a storage.
struct TensorRef {
  CellId storage;
  /// Null or empty for the whole storage.
  std::shared_ptr<const ViewChain> chain;
  mlir::RankedTensorType type;
  /// Whether the elements lie in memory row-major without gaps (what PyTorch's `is_contiguous`
  /// says).
  Known contiguous = Known::Yes;
  /// The layout may follow that of tensors that the method is called with: `contiguous` says how it
  /// is where those are contiguous.
  bool given = true;
  /// The strides that the tensor has in PyTorch, if they are known and are not just those of a
  /// contiguous one.
  std::optional<Strides> strides = std::nullopt;
  /// Where in its storage it begins, in elements, if that is known.
  std::optional<int64_t> offset = 0;
  /// A 0-dim constant of the archive, which LibTorch treats as a number in type promotion.
  bool isNumber = false;
};

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

enum class ValueKind {
  Uninitialized, ///< `tl.uninitialized`: never used, bottom in every join
  Unknown,       ///< the result of something that was already reported as an error
  None,
  Tensor,
  Int,
  Float,
  Bool,
  String,
  Device,
  List,
  Pieces, ///< a list of a tensor's pieces (split, unbind), as many as is known at run time
  Tuple,
  Dict,
  Object,
  Enum,
  Function,
  Optional, ///< None or something else, which is known only at run time
  Text      ///< a str that is known only at run time
};

/// Stands in the text of a string for a number that is known only at run time. A text of the
/// program that has this character has no holes.
inline constexpr llvm::StringLiteral holeMark = "\x01";

/// An abstract value. Cheap to copy; lists, dicts, objects and storages live in the heap and are
/// named by their cell.
class SpecValue {
public:
  SpecValue() = default;

  static SpecValue uninitialized() { return SpecValue(ValueKind::Uninitialized); }
  static SpecValue unknown() { return SpecValue(ValueKind::Unknown); }
  static SpecValue none() { return SpecValue(ValueKind::None); }
  static SpecValue tensor(TensorRef ref) {
    SpecValue v(ValueKind::Tensor);
    v.ref = std::make_shared<const TensorRef>(std::move(ref));
    return v;
  }
  /// A constant int, float, bool, string, device or enumeration value.
  static SpecValue constant(ValueKind kind, mlir::Attribute value) {
    SpecValue v(kind);
    v.attr = value;
    return v;
  }
  /// A run-time int (`i64`), float (`f64`) or bool (`i1`). Constants of `arith` are recognised.
  static SpecValue scalar(mlir::Value value);
  static SpecValue integer(mlir::MLIRContext *context, int64_t value);
  static SpecValue floating(mlir::MLIRContext *context, double value);
  static SpecValue boolean(mlir::MLIRContext *context, bool value);
  static SpecValue string(mlir::MLIRContext *context, llvm::StringRef value);
  /// A string with `holeMark` where the run-time scalars `holes` are to be printed.
  static SpecValue formatted(mlir::MLIRContext *context, llvm::StringRef text,
                             std::vector<SpecValue> holes);
  static SpecValue tuple(std::vector<SpecValue> elements) {
    SpecValue v(ValueKind::Tuple);
    v.parts = std::make_shared<const std::vector<SpecValue>>(std::move(elements));
    return v;
  }
  /// `payload` where `present` (an `i1`) holds, None elsewhere.
  static SpecValue optional(mlir::Value present, SpecValue payload) {
    SpecValue v(ValueKind::Optional);
    v.value = present;
    v.parts = std::make_shared<const std::vector<SpecValue>>(1, std::move(payload));
    return v;
  }
  /// A str in a box.
  static SpecValue text(mlir::Value box) {
    SpecValue v(ValueKind::Text);
    v.value = box;
    return v;
  }
  /// See Pieces.h: what says how the pieces are cut, and the tensor and numbers that they follow
  /// from.
  static SpecValue pieces(mlir::Attribute cut, std::vector<SpecValue> parts) {
    SpecValue v = constant(ValueKind::Pieces, cut);
    v.parts = std::make_shared<const std::vector<SpecValue>>(std::move(parts));
    return v;
  }
  static SpecValue cell(ValueKind kind, CellId id) {
    SpecValue v(kind);
    v.id = id;
    return v;
  }

  ValueKind kind() const { return valueKind; }
  bool is(ValueKind k) const { return valueKind == k; }
  bool isNone() const { return is(ValueKind::None); }
  bool isTensor() const { return is(ValueKind::Tensor); }
  bool isNumber() const {
    return is(ValueKind::Int) || is(ValueKind::Float) || is(ValueKind::Bool);
  }
  /// Whether the value is a scalar or string that is known at compile time.
  bool isConstant() const { return attr && !(parts && !parts->empty()); }

  mlir::Attribute getConstant() const { return attr; }
  /// The constant int or bool (as 0 or 1); nothing if unknown or of another kind.
  std::optional<int64_t> getInt() const;
  /// The constant int, float or bool as a double.
  std::optional<double> getFloat() const;
  std::optional<bool> getBool() const;
  /// The constant string or device; nothing if it has holes.
  std::optional<llvm::StringRef> getString() const;

  /// The SSA value of a run-time scalar (null for constants).
  mlir::Value getScalar() const {
    return is(ValueKind::Optional) || is(ValueKind::Text) ? mlir::Value() : value;
  }
  mlir::Value getBox() const {
    assert(is(ValueKind::Text));
    return value;
  }
  /// Whether an optional value is not None.
  mlir::Value getPresent() const {
    assert(is(ValueKind::Optional));
    return value;
  }
  /// What an optional value is if it is not None.
  const SpecValue &getPayload() const {
    assert(is(ValueKind::Optional));
    return parts->front();
  }
  const TensorRef &getTensor() const {
    assert(isTensor());
    return *ref;
  }
  /// A tuple's elements, a string's holes, an optional's payload, or what pieces follow from.
  llvm::ArrayRef<SpecValue> getElements() const {
    return parts ? llvm::ArrayRef<SpecValue>(*parts) : llvm::ArrayRef<SpecValue>();
  }
  /// The same tuple, string or pieces, of other elements.
  SpecValue withElements(std::vector<SpecValue> elements) const {
    SpecValue v = *this;
    v.parts = std::make_shared<const std::vector<SpecValue>>(std::move(elements));
    return v;
  }
  CellId getCell() const { return id; }

  /// Whether both are the same by identity: same constant, same SSA value, same cell, same view.
  bool same(const SpecValue &other) const;
  /// For messages: "Tensor", "int", "List", ...
  llvm::StringRef kindName() const;

private:
  explicit SpecValue(ValueKind kind) : valueKind(kind) {}

  ValueKind valueKind = ValueKind::Uninitialized;
  CellId id = 0;
  mlir::Value value;
  mlir::Attribute attr;
  std::shared_ptr<const TensorRef> ref;
  std::shared_ptr<const std::vector<SpecValue>> parts;
};

llvm::StringRef kindName(ValueKind kind);

} // namespace torchlite::tl::specialize

#endif // TORCHLITE_SPECIALIZE_VALUE_H
