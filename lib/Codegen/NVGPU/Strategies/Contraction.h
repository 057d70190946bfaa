//===- Contraction.h - Products and convolutions as one form -----*- C++ -*-===//
//
// A kernel whose root multiplies elements of two operands and sums the products is a batch of
// matrix products in disguise:
//
//   result[batch, m, n] = epilogue(init[batch, m, n] + sum over k: rows[batch, m, k] *
//   columns[batch, k, n])
//
// Each loop of the root belongs to one of four axes: to Batch where both operands and the result
// are indexed by it, to M and N where the result and one operand are, to K where both operands are
// and the result is not. An axis is the row-major number of its loops: for a convolution M is
// (image, row, column of the result), N the output channel, K (row and column in the kernel, input
// channel), and Batch the group. That is implicit GEMM: no matrix of patches exists, its addresses
// are computed.
//
// Addresses are sums of one part per axis, so that a strategy computes each part where its number
// changes: rows once per thread, steps of K in the loop. Padding is no memory either: an operand
// that is padded has windows, whose coordinates are sums in the same way, and which are checked at
// last.
//
//   FailureOr<Contraction> form = Contraction::match(kernel, reason);        // no code
//   form->prepare(builder);                                                  // host: sizes,
//   strides
//   ... Launch::create(... ceilDiv(form->hostSize(Axis::M), tile) ...)
//   Place row = form->place(builder, Contraction::Rows, Axis::M, m);         // device
//   Place step = form->place(builder, Contraction::Rows, Axis::K, k);
//   Value a = form->load(builder, Contraction::Rows, form->add(builder, row, step), 4, guard);
//   ...
//   form->evaluateResult(builder, evaluator, iteration, accumulator);
//
// Source of implicit GEMM: Chetlur et al., "cuDNN: Efficient Primitives for Deep Learning", 2014,
// and NVIDIA CUTLASS, "Implicit GEMM Convolution".
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_LIB_CODEGEN_NVGPU_STRATEGIES_CONTRACTION_H
#define TORCHLITE_LIB_CODEGEN_NVGPU_STRATEGIES_CONTRACTION_H

#include "TorchLite/Codegen/NVGPU/Strategy.h"
#include "TorchLite/Codegen/NVGPU/ValueEvaluator.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace torchlite::nvgpu {

/// Loops of a contraction that are numbered together.
enum class Axis { Batch, M, N, K };
constexpr unsigned axisCount = 4;

/// A number that is known, or that the host computes (an index).
struct Extent {
  int64_t known = mlir::ShapedType::kDynamic;
  mlir::Value value;

  bool isKnown() const { return !mlir::ShapedType::isDynamic(known); }
};

/// A part of an address: a number of elements, and coordinates in the padded dimensions. Parts
/// without contribution are null.
struct Place {
  mlir::Value offset;
  llvm::SmallVector<mlir::Value, 3> windows; ///< one for each of the operand's windows
};

class Contraction {
public:
  /// Which buffer: the operand with M, the operand with N, the kernel's output.
  enum Side { Rows, Columns, Result };

  /// A padded dimension: elements are zero where the coordinate is not below `size` (unsigned).
  struct Window {
    unsigned dim;
    int64_t low; ///< how many elements were added before; negative where some were cut
    Extent size; ///< of the source
  };

  struct Operand {
    mlir::Value buffer; ///< an operand of the kernel
    mlir::MemRefType type;
    llvm::SmallVector<Window, 0> windows;
    bool isPadded = false;
    /// The axis along which neighbours are neighbours in memory too, if any.
    std::optional<Axis> contiguous;
    /// How many elements from `number`, a multiple of it, along that axis are in one aligned access
    /// of at most 16 bytes (and inside or outside the windows together): 1, 2, 4, 8 or 16. Where
    /// the size of the axis is no multiple, the last access reaches beyond it: that is the caller's
    /// to guard.
    int64_t vectorElements = 1;

    mlir::Type elementType() const { return type.getElementType(); }
  };

  /// The contraction of `kernel`'s body, or what is expected in `reason`. Emits nothing.
  static mlir::FailureOr<Contraction> match(rt::KernelOp kernel, std::string &reason);

  /// Emits on the host what is not known of sizes and strides. Once, before everything below.
  mlir::LogicalResult prepare(mlir::OpBuilder &builder, std::string &reason);

  rt::KernelOp kernel;
  mlir::linalg::LinalgOp root;
  Operand operands[3]; ///< by Side

  const Operand &rows() const { return operands[Rows]; }
  const Operand &columns() const { return operands[Columns]; }
  const Operand &result() const { return operands[Result]; }
  /// Of the sums: the element type of the root's result (f32, f64 or integers).
  mlir::Type accumulatorType() const;
  bool isFloat() const { return mlir::isa<mlir::FloatType>(accumulatorType()); }
  /// Whether an address is more than strides: windows, or dimensions that several loops index.
  bool isConvolution() const { return convolution; }
  /// The number of elements of an axis, kDynamic where it is not known; at least 0.
  int64_t staticSize(Axis axis) const;
  /// The same on the host (an index), after `prepare`.
  mlir::Value hostSize(Axis axis) const { return sizes[unsigned(axis)].value; }

  /// What numbers are computed in on the device: i32 where all is known and small, else index.
  mlir::Type numberType(mlir::OpBuilder &builder) const;
  /// A constant, and the size of an axis, of that type.
  mlir::Value number(mlir::OpBuilder &builder, int64_t value) const;
  mlir::Value size(mlir::OpBuilder &builder, Axis axis) const;
  /// An index (thread and block numbers) as a number, and back.
  mlir::Value fromIndex(mlir::OpBuilder &builder, mlir::Value value) const;
  mlir::Value toIndex(mlir::OpBuilder &builder, mlir::Value value) const;

  //===--------------------------------------------------------------------===//
  // Addresses
  //===--------------------------------------------------------------------===//

  /// The part of `axis` in the addresses of `side`, for a number along it. Numbers beyond the size
  /// give places that must not be read. What does not depend on any axis comes with M (Columns:
  /// with N).
  Place place(mlir::OpBuilder &builder, Side side, Axis axis, mlir::Value number) const;
  /// The part of K for the number `first + inner`, where `first` is a multiple of `step` and
  /// `inner` below it. Where one step stays within the innermost loop, what is costly depends on
  /// `first` only, which all threads share.
  Place placeInStep(mlir::OpBuilder &builder, Side side, mlir::Value first, mlir::Value inner,
                    int64_t step) const;
  Place add(mlir::OpBuilder &builder, const Place &left, const Place &right) const;
  /// The offset in the operand's `flat` buffer (an index).
  mlir::Value offset(mlir::OpBuilder &builder, const Place &sum) const;
  /// Whether the sum of all parts is inside of all windows: i1, or null where there are none.
  mlir::Value inside(mlir::OpBuilder &builder, Side side, const Place &sum) const;
  /// The buffer as memref<? x T> from the element that offset 0 is. In a kernel.
  mlir::Value flat(mlir::OpBuilder &builder, Side side) const;
  /// Reads `width` elements (1: a scalar, else a vector; at most `vectorElements`) at the sum of
  /// all parts where `guard` (null: true) holds and they are inside of the windows; else zeros.
  mlir::Value load(mlir::OpBuilder &builder, Side side, mlir::Value flat, const Place &sum,
                   int64_t width, mlir::Value guard) const;

  //===--------------------------------------------------------------------===//
  // Arithmetic
  //===--------------------------------------------------------------------===//

  /// The type in which an operand's elements are multiplied, and an element in it (extended, if the
  /// body does so). Takes vectors too.
  mlir::Value extend(mlir::OpBuilder &builder, Side side, mlir::Value element) const;
  /// Whether elements are multiplied as they are in memory.
  bool isPlain(Side side) const { return extensions[side].empty(); }
  /// `sum + row * column` on the accumulator's type; a fused multiply-add for floats. Of extended
  /// elements.
  mlir::Value multiplyAdd(mlir::OpBuilder &builder, mlir::Value row, mlir::Value column,
                          mlir::Value sum) const;
  /// `left + right` on the accumulator's type, and zero in it.
  mlir::Value addSums(mlir::OpBuilder &builder, mlir::Value left, mlir::Value right) const;
  mlir::Value zero(mlir::OpBuilder &builder) const;
  /// Whether the body multiplies the elements as they are, or extended without loss from floats to
  /// floats: then sums of products of the operands' own type are what is asked for.
  bool multipliesFloats() const;

  //===--------------------------------------------------------------------===//
  // The result
  //===--------------------------------------------------------------------===//

  /// Sets the coordinates (index values) of the loops of `axis` in `iteration`, which has one entry
  /// per loop of the root.
  void setCoordinates(mlir::OpBuilder &builder, Axis axis, mlir::Value number,
                      llvm::MutableArrayRef<mlir::Value> iteration) const;
  /// The coordinates in the kernel's output of an iteration.
  llvm::SmallVector<mlir::Value> resultCoordinates(mlir::OpBuilder &builder,
                                                   llvm::ArrayRef<mlir::Value> iteration) const;
  /// Whether N is one loop, and the last dimension of the kernel's output.
  bool isLastColumn() const;
  /// The element of the kernel's output for a sum of products: with the initial value added and the
  /// epilogue applied. `evaluator` must be on `builder`. Null, and `evaluator.getError()`, where
  /// the body has what the evaluator does not know.
  mlir::Value evaluateResult(mlir::OpBuilder &builder, ValueEvaluator &evaluator,
                             llvm::ArrayRef<mlir::Value> iteration, mlir::Value sum) const;

private:
  /// A coordinate of a buffer: factors by loop of the root, and what is added.
  struct Linear {
    llvm::SmallVector<int64_t> factors;
    int64_t constant = 0;
  };
  /// How an operand's address changes with a loop.
  struct Step {
    Extent stride;                      ///< elements
    llvm::SmallVector<int64_t> windows; ///< coordinates, for each window
    /// The dimensions of the buffer, with the factors in their coordinates.
    llvm::SmallVector<std::pair<unsigned, int64_t>> terms;
    /// The dimensions that nothing else indexes, first and last, where there are only these.
    std::optional<std::pair<unsigned, unsigned>> whole;
  };
  /// Loops of the root that follow each other in the memory of one operand, as one.
  struct Loop {
    llvm::SmallVector<unsigned> dims; ///< outermost first
    Extent size;
    Step step;
  };

  mlir::LogicalResult matchBody(std::string &reason);
  mlir::LogicalResult matchResult(std::string &reason);
  mlir::LogicalResult matchOperand(Side side, mlir::Value tensor, mlir::AffineMap map,
                                   std::string &reason);
  mlir::LogicalResult linearize(mlir::AffineExpr expr, int64_t factor, Linear &linear) const;
  mlir::LogicalResult classifyLoops(llvm::ArrayRef<mlir::AffineMap> maps, std::string &reason);
  Step makeStep(Side side, unsigned loop) const;
  static bool followEachOther(const Loop &outer, const Loop &inner);
  void orderLoops();
  void mergeLoops(Side side);
  void findVectors(Side side);
  bool findSmall() const;
  /// Splits a number into one per loop.
  llvm::SmallVector<mlir::Value> split(mlir::OpBuilder &builder, mlir::Value number,
                                       llvm::ArrayRef<Extent> sizes) const;
  mlir::Value extentValue(mlir::OpBuilder &builder, const Extent &extent) const;
  mlir::Value scale(mlir::OpBuilder &builder, mlir::Value value, const Extent &factor) const;
  mlir::Value sum(mlir::OpBuilder &builder, mlir::Value left, mlir::Value right) const;
  mlir::Location loc() const { return mlir::linalg::LinalgOp(root)->getLoc(); }

  bool convolution = false;
  bool isSmall = false;
  llvm::SmallVector<Extent> loopSizes;           ///< by loop of the root
  llvm::SmallVector<std::optional<Axis>> axisOf; ///< by loop of the root; none where the size is 1
  llvm::SmallVector<unsigned> dims[axisCount];   ///< loops of the root by axis, outermost first
  std::vector<Loop> loops[3][axisCount];         ///< the same merged, by Side
  Extent sizes[axisCount];
  Extent origins[3];                       ///< what is added to all offsets
  llvm::SmallVector<unsigned> outputLoops; ///< by dimension of the kernel's output
  bool startsAtZero = false;
  llvm::SmallVector<Linear> indices[3]; ///< by Side and dimension of the buffer
  /// The conversions of an operand's elements before the product, first one first.
  llvm::SmallVector<mlir::Operation *> extensions[2];
};

} // namespace torchlite::nvgpu

#endif // TORCHLITE_LIB_CODEGEN_NVGPU_STRATEGIES_CONTRACTION_H
