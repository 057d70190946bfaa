// What the core operations share: element types, shape inference by arity, documentation.
#ifndef TORCHLITE_DIALECT_TORCHLITE_IR_COREBASE_TD
#define TORCHLITE_DIALECT_TORCHLITE_IR_COREBASE_TD

include "mlir/IR/EnumAttr.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "TorchLite/Dialect/TorchLite/IR/TorchLiteAttributes.td"

//===----------------------------------------------------------------------===//
// Element types
//===----------------------------------------------------------------------===//

def TL_Float : AnyTypeOf<[F16, BF16, F32, F64], "f16, bf16, f32 or f64">;
def TL_Int : AnyTypeOf<[I8, UI8, I16, I32, I64], "i8, ui8, i16, i32 or i64">;
def TL_IntOrBool : AnyTypeOf<[I8, UI8, I16, I32, I64, I1], "i8, ui8, i16, i32, i64 or i1">;
def TL_Number : AnyTypeOf<[TL_Float, TL_Int], "f16, bf16, f32, f64, i8, ui8, i16, i32 or i64">;
def TL_Real : AnyTypeOf<[TL_Float, TL_IntOrBool],
                        "f16, bf16, f32, f64, i8, ui8, i16, i32, i64 or i1">;
def TL_Complex : AnyTypeOf<[Complex<F32>, Complex<F64>], "complex<f32> or complex<f64>">;
def TL_Element : AnyTypeOf<[TL_Real, TL_Complex],
                           "f16, bf16, f32, f64, i8, ui8, i16, i32, i64, i1 or complex">;

def TL_FloatTensor : RankedTensorOf<[TL_Float]>;
def TL_IntTensor : RankedTensorOf<[TL_Int]>;
def TL_IntOrBoolTensor : RankedTensorOf<[TL_IntOrBool]>;
def TL_NumberTensor : RankedTensorOf<[TL_Number]>;
def TL_RealTensor : RankedTensorOf<[TL_Real]>;
def TL_ElementTensor : RankedTensorOf<[TL_Element]>;
def TL_BoolTensor : RankedTensorOf<[I1]>;
def TL_I64Tensor : RankedTensorOf<[I64]>;

//===----------------------------------------------------------------------===//
// Traits
//===----------------------------------------------------------------------===//

/// Result types follow from operands and attributes; a result may know more or fewer dimensions
/// than were inferred, but none that contradicts.
def TL_InferTypes : DeclareOpInterfaceMethods<InferTypeOpInterface>;
def TL_ReifyShapes
    : DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>;

/// No effect on memory, but an error for some operands (division by zero), so that the operation must
/// not be executed where the program does not: integers only, floats are speculatable.
def TL_SpeculatableIfFloat : DeclareOpInterfaceMethods<ConditionallySpeculatable, ["getSpeculatability"]>;

/// A core operation whose result types are inferred: the class must define `inferReturnTypes`. One
/// that sets `extraClassDeclaration` or `extraClassDefinition` keeps the two parts given here.
class TL_InferredOp<string mnemonic, list<Trait> traits = []>
    : TL_Op<mnemonic, !listconcat([TL_InferTypes], traits)> {
  code compatibleDefinition = [{
    bool $cppClass::isCompatibleReturnTypes(::mlir::TypeRange inferred, ::mlir::TypeRange actual) {
      return inference::areCompatibleResults(inferred, actual);
    }
  }];
  code compatibleDeclaration = [{
    static bool isCompatibleReturnTypes(::mlir::TypeRange inferred, ::mlir::TypeRange actual);
  }];
  let extraClassDeclaration = compatibleDeclaration;
  let extraClassDefinition = compatibleDefinition;
}

#endif
