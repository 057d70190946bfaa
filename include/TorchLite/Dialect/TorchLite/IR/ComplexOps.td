// Complex numbers: what makes and takes them apart. Rules compute on their parts.
#ifndef TORCHLITE_DIALECT_TORCHLITE_IR_COMPLEXOPS_TD
#define TORCHLITE_DIALECT_TORCHLITE_IR_COMPLEXOPS_TD

include "TorchLite/Dialect/TorchLite/IR/StructuredBase.td"

def TL_Part : AnyTypeOf<[F32, F64], "f32 or f64">;
def TL_PartTensor : RankedTensorOf<[TL_Part]>;
def TL_ComplexTensor : RankedTensorOf<[TL_Complex]>;

def TL_ComplexOp : TL_InferredOp<"complex", [Pure, TL_ReifyShapes]> {
  let summary = "Complex numbers of their parts";
  let description = [{
    The same as `torch.complex`: the operands, of one element type, are broadcast as by numpy.

    Example:
    ```mlir
    %2 = tl.complex %0, %1 : tensor<4x?xf32>, tensor<f32> -> tensor<4x?xcomplex<f32>>
    ```
  }];
  let arguments = (ins TL_PartTensor:$re, TL_PartTensor:$im);
  let results = (outs TL_ComplexTensor:$result);
  let assemblyFormat = "$re `,` $im attr-dict `:` type($re) `,` type($im) `->` type($result)";
  let hasFolder = 1;
  let extraClassDefinition = compatibleDefinition # [{
    ::llvm::LogicalResult $cppClass::inferReturnTypes(
        ::mlir::MLIRContext *, ::std::optional<::mlir::Location> loc,
        ::mlir::ValueRange operands, ::mlir::DictionaryAttr, ::mlir::OpaqueProperties,
        ::mlir::RegionRange, ::llvm::SmallVectorImpl<::mlir::Type> &types) {
      ::mlir::Type part = ::mlir::getElementTypeOrSelf(operands[0].getType());
      if (part != ::mlir::getElementTypeOrSelf(operands[1].getType()))
        return ::mlir::emitOptionalError(loc, "expected parts of one element type, but got ",
                                         operands[0].getType(), " and ", operands[1].getType());
      return inference::inferBroadcast(loc, operands, ::mlir::ComplexType::get(part), types);
    }
    ::llvm::LogicalResult $cppClass::reifyResultShapes(
        ::mlir::OpBuilder &builder, ::mlir::ReifiedRankedShapedTypeDims &shapes) {
      return inference::reifyBroadcast(getOperation(), builder, shapes);
    }
  }];
}

/// A part of each complex number.
class TL_PartOp<string mnemonic, string what> : TL_InferredOp<mnemonic, [Pure, TL_ReifyShapes]> {
  let summary = what;
  let description = "The same as `torch." # mnemonic # "`.\n\nExample:\n```mlir\n%1 = tl."
                    # mnemonic # " %0 : tensor<4x?xcomplex<f32>> -> tensor<4x?xf32>\n```\n";
  let arguments = (ins TL_ComplexTensor:$operand);
  let results = (outs TL_PartTensor:$result);
  let assemblyFormat = "$operand attr-dict `:` type($operand) `->` type($result)";
  let hasFolder = 1;
  let extraClassDefinition = compatibleDefinition # [{
    ::llvm::LogicalResult $cppClass::inferReturnTypes(
        ::mlir::MLIRContext *, ::std::optional<::mlir::Location> loc,
        ::mlir::ValueRange operands, ::mlir::DictionaryAttr, ::mlir::OpaqueProperties,
        ::mlir::RegionRange, ::llvm::SmallVectorImpl<::mlir::Type> &types) {
      auto type = ::llvm::cast<::mlir::ComplexType>(::mlir::getElementTypeOrSelf(operands[0].getType()));
      return inference::inferBroadcast(loc, operands, type.getElementType(), types);
    }
    ::llvm::LogicalResult $cppClass::reifyResultShapes(
        ::mlir::OpBuilder &builder, ::mlir::ReifiedRankedShapedTypeDims &shapes) {
      return inference::reifyBroadcast(getOperation(), builder, shapes);
    }
  }];
}

def TL_RealOp : TL_PartOp<"real", "The real parts of complex numbers">;
def TL_ImagOp : TL_PartOp<"imag", "The imaginary parts of complex numbers">;

def TL_FourierOp : TL_StructuredOp<"fourier"> {
  let summary = "Discrete Fourier transforms";
  let description = [{
    Of the columns of matrices `[batch, rows, columns]`, given and returned by their parts: row k of the
    result is the sum over the rows j of x_j e^(-2 pi i j k / rows). Row 0 of `table` holds
    cos(2 pi k / rows), row 1 -sin(2 pi k / rows), for all k below the number of rows. Exchanging the
    parts of operand and result gives the inverse, without a factor.

    Example:
    ```mlir
    %re, %im = tl.fourier %a, %b, %t : tensor<2x6x8xf32>, tensor<2x6x8xf32>, tensor<2x6xf32>
                 -> tensor<2x6x8xf32>, tensor<2x6x8xf32>
    ```
  }];
  let arguments = (ins TL_PartTensor:$re, TL_PartTensor:$im, TL_PartTensor:$table);
  let results = (outs TL_PartTensor:$reResult, TL_PartTensor:$imResult);
  let assemblyFormat = [{
    $re `,` $im `,` $table attr-dict `:` type($re) `,` type($im) `,` type($table)
    `->` type($reResult) `,` type($imResult)
  }];
}

#endif
