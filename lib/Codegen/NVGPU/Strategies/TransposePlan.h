//===- TransposePlan.h - What a transposing kernel reads, in which tiles --===//
//
// The analysis of strategy `transpose` (Transpose.cpp): which operands go through shared memory,
// which dimensions of the result are the rows and the columns of tiles, how large tiles and
// accesses are.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_LIB_CODEGEN_NVGPU_STRATEGIES_TRANSPOSEPLAN_H
#define TORCHLITE_LIB_CODEGEN_NVGPU_STRATEGIES_TRANSPOSEPLAN_H

#include "TorchLite/Dialect/Runtime/IR/RuntimeDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include <optional>
#include <string>

namespace torchlite::nvgpu {

class TransposePlan {
public:
  static constexpr int64_t threads = 256; ///< of a block

  /// A buffer as numbers of elements: strides by dimension, and where its first element is.
  struct Layout {
    llvm::SmallVector<int64_t> strides;
    int64_t offset = 0;

    static std::optional<Layout> of(mlir::MemRefType type);
  };
  /// An operand, and where in it an element of the result looks.
  struct Read {
    mlir::BlockArgument argument;
    mlir::AffineMap map; ///< from dimensions of the result to those of the buffer
  };
  /// A read that goes through shared memory.
  struct Tile {
    Read read;
    mlir::Value buffer;
    Layout layout;
    int64_t bytes = 0; ///< of an element
    int64_t width = 1; ///< elements of an access

    /// Elements of shared memory from one column to the next.
    int64_t line(int64_t extent) const;
  };
  /// Neighbouring dimensions of the result that count as one.
  struct Group {
    llvm::SmallVector<unsigned> dims; ///< outermost first
    int64_t known = 1;                ///< number of elements; kDynamic where it is not known
    bool contains(unsigned dim) const { return llvm::is_contained(dims, dim); }
  };

  /// None, with nothing changed, where the kernel does not transpose; `reason` says what was
  /// expected.
  static std::optional<TransposePlan> make(rt::KernelOp kernel, std::string &reason);

  /// Bytes of shared memory for all tiles.
  int64_t sharedBytes() const;
  bool isUnit(unsigned dim) const { return type.getDimSize(dim) == 1; }

  mlir::MemRefType type; ///< of the first result; all have its shape
  llvm::SmallVector<Tile> tiles;
  llvm::SmallVector<Layout> outputs;
  /// Dimensions of the result: along the operands' neighbours, along its own. All others are the
  /// batch.
  unsigned row = 0, column = 0;
  Group rows, columns;
  llvm::SmallVector<unsigned> batch;
  int64_t extent = 0;                    ///< of tiles, both ways
  int64_t unitRows = 1, unitColumns = 1; ///< of the elements that a thread computes together

private:
  explicit TransposePlan(rt::KernelOp kernel);
  bool checkForm(std::string &reason);
  void findReads(mlir::Value tensor, mlir::AffineMap map);
  std::optional<unsigned> neighbours(const Read &read) const;
  bool findTiles(std::string &reason);
  bool follow(unsigned outer, unsigned inner) const;
  Group makeGroup(unsigned last, unsigned other) const;
  bool checkSizes(std::string &reason) const;
  static bool isAligned(const Layout &layout, llvm::ArrayRef<unsigned> of, const Group &along,
                        int64_t width);
  void chooseWidths();

  mutable rt::KernelOp kernel; ///< operations' accessors are not const
  llvm::SmallVector<Read> reads;
};

} // namespace torchlite::nvgpu

#endif // TORCHLITE_LIB_CODEGEN_NVGPU_STRATEGIES_TRANSPOSEPLAN_H
