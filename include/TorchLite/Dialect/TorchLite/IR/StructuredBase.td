// The base of core operations with several tensor operands and a shape rule of their own.
#ifndef TORCHLITE_DIALECT_TORCHLITE_IR_STRUCTUREDBASE_TD
#define TORCHLITE_DIALECT_TORCHLITE_IR_STRUCTUREDBASE_TD

include "TorchLite/Dialect/TorchLite/IR/CoreBase.td"

/// An operation whose result types follow from operands and attributes. Written types may know more
/// or fewer dimensions than the inferred ones, but none that contradicts. Operands are checked in
/// `inferReturnTypes`, so that an operation that cannot be is refused where it is built.
class TL_ShapedOp<string mnemonic, list<Trait> traits>
    : TL_Op<mnemonic, !listconcat([InferTypeOpAdaptorWithIsCompatible, TL_ReifyShapes], traits)> {
  let extraClassDefinition = [{
    bool $cppClass::isCompatibleReturnTypes(::mlir::TypeRange inferred, ::mlir::TypeRange actual) {
      return inference::areCompatibleTensors(inferred, actual);
    }
  }];
}

class TL_StructuredOp<string mnemonic, list<Trait> traits = []>
    : TL_ShapedOp<mnemonic, !listconcat([Pure], traits)>;

/// An operation that raises an error for some values of its indices. It must not be executed where
/// the program does not, but it may go away with its result.
class TL_IndexedOp<string mnemonic, list<Trait> traits = []>
    : TL_ShapedOp<mnemonic, !listconcat([NoMemoryEffect], traits)>;

#endif
