//===- ModelDescription.h - What a compiled module offers -------*- C++ -*-===//
//
// The methods, variants, types and state of a module that went through specialization, read from
// the discardable attributes that its functions carry (`tl.method`, `tl.arguments`, `tl.result`,
// `tl.operands`, `tl.results`, `tl.state_in`, ...) and from its `tl.state` operations. Functions
// with `tl.device` are the same methods compiled for devices; `tl.gpu_sets` tells for which sets of
// kernels.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_DRIVER_MODELDESCRIPTION_H
#define TORCHLITE_DRIVER_MODELDESCRIPTION_H

#include "TorchLite.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"
#include <string>
#include <vector>

namespace torchlite::driver {

/// A type as in `tl_type`.
struct ValueType {
  tl_kind kind = TL_NONE;
  bool fixed = false;
  tl_dtype dtype = TL_F32;
  std::vector<int64_t> dims;
  /// List, tuple: the items; dict: key, value, key, value, ...
  std::vector<ValueType> children;
  /// Fixed int, bool, float (its bits).
  int64_t bits = 0;
  std::string text;

  /// A list of any length, whose items are of the one type in `children`, a leaf.
  bool anyLength = false;
  /// A list or dict of any length, whose items (keys, values) are of the types in `children`,
  /// whatever these are; and a value inside of such a one that may be None.
  bool isBoxed = false, isOptional = false;

  int64_t numLeaves() const;
  /// `1x3xf32`, `(f, [g])`, ...: what tl_type_format writes.
  std::string str() const;
};

struct Argument {
  std::string name;
  ValueType type;
};

/// A function for devices, with the kernels of one set.
struct DeviceCode {
  mlir::Operation *function = nullptr;
  int64_t arenaBytes = 0;
  /// The launches of a call may be recorded and replayed (`tl.replayable`).
  bool replayable = false;
};

/// A method with one set of types: compiled for the processor, for devices (`tl.device`), or for
/// both.
struct Variant {
  /// Null where it was not compiled for the processor.
  mlir::Operation *function = nullptr;
  /// By set of kernels; empty where it was not compiled for devices.
  std::vector<DeviceCode> device;
  int64_t number = 0;
  std::vector<Argument> arguments;
  ValueType result;
  std::vector<int32_t> changes;
  /// The tensors that it is called with must be contiguous (`tl.contiguous`).
  bool contiguous = false;
  std::vector<int32_t> stateOperands, stateResults;
  int32_t stateIn = -1, stateOut = -1;
  int64_t arenaBytes = 0;
};

struct Method {
  std::string name;
  std::vector<Variant> variants;
  /// `forward(x: 1x3xf32) -> 1x3xf32`
  std::string format(const Variant &variant) const;
};

/// An attribute that survives between calls.
struct StateSlot {
  std::string path;
  /// By state signature; none where the slot holds nothing there.
  std::vector<ValueType> types;
  /// The value in signature 0: elements as they lie in memory, or the 8 bytes of a scalar.
  std::vector<char> initial;
  /// The sizes of a tensor in signature 0, which its type there may leave open.
  std::vector<int64_t> initialSizes;
};

struct ModelDescription {
  std::vector<Method> methods;
  std::vector<StateSlot> slots;
  int64_t numStates = 0;
};

/// Reads a description; errors are reported at the operation that is at fault.
llvm::FailureOr<ModelDescription> describeModel(mlir::ModuleOp module);

/// Reads a structure attribute (`TypeAttr`, `#tl.none`, a constant, `{list = [...]}`, ...).
llvm::FailureOr<ValueType> readStructure(mlir::Attribute structure,
                                         llvm::function_ref<mlir::InFlightDiagnostic()> emitError);

} // namespace torchlite::driver

#endif // TORCHLITE_DRIVER_MODELDESCRIPTION_H
