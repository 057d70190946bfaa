// Elementwise operations: unary, binary, comparison, selection, conversion.
#ifndef TORCHLITE_DIALECT_TORCHLITE_IR_ELEMENTWISEOPS_TD
#define TORCHLITE_DIALECT_TORCHLITE_IR_ELEMENTWISEOPS_TD

include "TorchLite/Dialect/TorchLite/IR/CoreBase.td"

//===----------------------------------------------------------------------===//
// Unary
//===----------------------------------------------------------------------===//

/// One operand; the result has its type.
class TL_UnaryOp<string mnemonic, Type tensorType, string torchName, string what>
    : TL_Op<mnemonic, [Pure, SameOperandsAndResultType, TL_ReifyShapes]> {
  let summary = what;
  let description = "The same as `" # torchName # "` in PyTorch, element by element.\n\n"
                    "Example:\n```mlir\n%1 = tl." # mnemonic # " %0 : tensor<4x?xf32>\n```\n";
  let arguments = (ins tensorType:$operand);
  let results = (outs tensorType:$result);
  let assemblyFormat = "$operand attr-dict `:` type($result)";
  let hasFolder = 1;
  let extraClassDefinition = [{
    ::llvm::LogicalResult $cppClass::reifyResultShapes(
        ::mlir::OpBuilder &builder, ::mlir::ReifiedRankedShapedTypeDims &shapes) {
      return inference::reifyBroadcast(getOperation(), builder, shapes);
    }
    ::mlir::OpFoldResult $cppClass::fold(FoldAdaptor adaptor) {
      return folds::foldUnary(getOperation(), adaptor.getOperands());
    }
  }];
}

class TL_FloatUnaryOp<string mnemonic, string what, string torchName = "torch." # mnemonic>
    : TL_UnaryOp<mnemonic, TL_FloatTensor, torchName, what>;

def TL_CeilOp : TL_FloatUnaryOp<"ceil", "The smallest whole number not below">;
def TL_FloorOp : TL_FloatUnaryOp<"floor", "The largest whole number not above">;
def TL_RoundOp : TL_FloatUnaryOp<"round", "The nearest whole number, halves to even">;
def TL_TruncOp : TL_FloatUnaryOp<"trunc", "The whole number next towards zero">;
def TL_ExpOp : TL_FloatUnaryOp<"exp", "e to the power of x">;
def TL_Exp2Op : TL_FloatUnaryOp<"exp2", "2 to the power of x">;
def TL_Expm1Op : TL_FloatUnaryOp<"expm1", "exp(x) - 1, exact near zero">;
def TL_LogOp : TL_FloatUnaryOp<"log", "The natural logarithm">;
def TL_Log2Op : TL_FloatUnaryOp<"log2", "The logarithm to base 2">;
def TL_Log10Op : TL_FloatUnaryOp<"log10", "The logarithm to base 10">;
def TL_Log1pOp : TL_FloatUnaryOp<"log1p", "log(1 + x), exact near zero">;
def TL_SqrtOp : TL_FloatUnaryOp<"sqrt", "The square root; NaN for negative numbers">;
def TL_RsqrtOp : TL_FloatUnaryOp<"rsqrt", "1 / sqrt(x)">;
def TL_SinOp : TL_FloatUnaryOp<"sin", "The sine">;
def TL_CosOp : TL_FloatUnaryOp<"cos", "The cosine">;
def TL_TanOp : TL_FloatUnaryOp<"tan", "The tangent">;
def TL_AsinOp : TL_FloatUnaryOp<"asin", "The inverse sine">;
def TL_AcosOp : TL_FloatUnaryOp<"acos", "The inverse cosine">;
def TL_AtanOp : TL_FloatUnaryOp<"atan", "The inverse tangent">;
def TL_SinhOp : TL_FloatUnaryOp<"sinh", "The hyperbolic sine">;
def TL_CoshOp : TL_FloatUnaryOp<"cosh", "The hyperbolic cosine">;
def TL_TanhOp : TL_FloatUnaryOp<"tanh", "The hyperbolic tangent">;
def TL_AsinhOp : TL_FloatUnaryOp<"asinh", "The inverse hyperbolic sine">;
def TL_AcoshOp : TL_FloatUnaryOp<"acosh", "The inverse hyperbolic cosine">;
def TL_AtanhOp : TL_FloatUnaryOp<"atanh", "The inverse hyperbolic tangent">;
def TL_ErfOp : TL_FloatUnaryOp<"erf", "The error function">;
def TL_ErfcOp : TL_FloatUnaryOp<"erfc", "1 - erf(x)", "torch.special.erfc">;
def TL_SigmoidOp : TL_FloatUnaryOp<"sigmoid", "1 / (1 + exp(-x))">;

def TL_NegOp : TL_UnaryOp<"neg", TL_NumberTensor, "torch.neg", "-x; integers wrap around">;
def TL_AbsOp : TL_UnaryOp<"abs", TL_NumberTensor, "torch.abs",
                          "The absolute value; that of the least integer is itself">;
def TL_SignOp : TL_UnaryOp<"sign", TL_NumberTensor, "torch.sign",
                           "-1, 0 or 1; 0 for NaN and for both zeros">;
def TL_BitwiseNotOp : TL_UnaryOp<"bitwise_not", TL_IntOrBoolTensor, "torch.bitwise_not",
                                 "Every bit inverted; on i1 the logical not"> {
  let description = [{
    Example:
    ```mlir
    %1 = tl.bitwise_not %0 : tensor<4xi1>
    ```
  }];
}

/// A float operand; the result is i1 of the same shape.
class TL_FloatPredicateOp<string mnemonic, string what>
    : TL_InferredOp<mnemonic, [Pure, TL_ReifyShapes]> {
  let summary = what;
  let description = "The same as `torch." # mnemonic # "`.\n\nExample:\n```mlir\n%1 = tl."
                    # mnemonic # " %0 : tensor<4x?xf32> -> tensor<4x?xi1>\n```\n";
  let arguments = (ins TL_FloatTensor:$operand);
  let results = (outs TL_BoolTensor:$result);
  let assemblyFormat = "$operand attr-dict `:` type($operand) `->` type($result)";
  let extraClassDefinition = compatibleDefinition # [{
    ::llvm::LogicalResult $cppClass::inferReturnTypes(
        ::mlir::MLIRContext *context, ::std::optional<::mlir::Location> loc,
        ::mlir::ValueRange operands, ::mlir::DictionaryAttr, ::mlir::OpaqueProperties,
        ::mlir::RegionRange, ::llvm::SmallVectorImpl<::mlir::Type> &types) {
      return inference::inferBroadcast(loc, operands, ::mlir::IntegerType::get(context, 1), types);
    }
    ::llvm::LogicalResult $cppClass::reifyResultShapes(
        ::mlir::OpBuilder &builder, ::mlir::ReifiedRankedShapedTypeDims &shapes) {
      return inference::reifyBroadcast(getOperation(), builder, shapes);
    }
  }];
}

def TL_IsNanOp : TL_FloatPredicateOp<"isnan", "Whether an element is NaN">;
def TL_IsInfOp : TL_FloatPredicateOp<"isinf", "Whether an element is infinite">;

//===----------------------------------------------------------------------===//
// Binary
//===----------------------------------------------------------------------===//

/// Two operands of the same element type that are broadcast against each other as by numpy; the result
/// has their element type. A static size 1 is broadcast; dynamic sizes are taken to equal the other.
class TL_BinaryOp<string mnemonic, Type tensorType, string torchName, string what,
                  list<Trait> traits = [Pure]>
    : TL_InferredOp<mnemonic, !listconcat(traits, [TL_ReifyShapes])> {
  let summary = what;
  string note = "";
  let description = "The same as `" # torchName # "`, element by element, on operands that are"
                    " broadcast as by numpy. " # note # "\n\nExample:\n```mlir\n%2 = tl." # mnemonic
                    # " %0, %1 : tensor<4x?xf32>, tensor<1xf32> -> tensor<4x?xf32>\n```\n";
  let arguments = (ins tensorType:$lhs, tensorType:$rhs);
  let results = (outs tensorType:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` type($lhs) `,` type($rhs) `->` type($result)";
  let hasFolder = 1;
  code broadcastDefinition = compatibleDefinition # [{
    ::llvm::LogicalResult $cppClass::inferReturnTypes(
        ::mlir::MLIRContext *context, ::std::optional<::mlir::Location> loc,
        ::mlir::ValueRange operands, ::mlir::DictionaryAttr, ::mlir::OpaqueProperties,
        ::mlir::RegionRange, ::llvm::SmallVectorImpl<::mlir::Type> &types) {
      return inference::inferBroadcast(loc, operands, /*elementType=*/{}, types);
    }
    ::llvm::LogicalResult $cppClass::reifyResultShapes(
        ::mlir::OpBuilder &builder, ::mlir::ReifiedRankedShapedTypeDims &shapes) {
      return inference::reifyBroadcast(getOperation(), builder, shapes);
    }
    ::mlir::OpFoldResult $cppClass::fold(FoldAdaptor adaptor) {
      return folds::foldBinary(getOperation(), adaptor.getOperands());
    }
  }];
  let extraClassDefinition = broadcastDefinition;
}

/// An integer division: an error ("ZeroDivisionError") where an integer divisor is zero.
class TL_DivisionOp<string mnemonic, string torchName, string what>
    : TL_BinaryOp<mnemonic, TL_NumberTensor, torchName, what,
                  [NoMemoryEffect, TL_SpeculatableIfFloat]> {
  let note = "Integers raise ZeroDivisionError where the divisor is zero; floats never raise.";
  let extraClassDefinition = broadcastDefinition # [{
    ::mlir::Speculation::Speculatability $cppClass::getSpeculatability() {
      return ::llvm::isa<::mlir::FloatType>(getType().getElementType())
                 ? ::mlir::Speculation::Speculatable
                 : ::mlir::Speculation::NotSpeculatable;
    }
  }];
}

def TL_AddOp : TL_BinaryOp<"add", TL_RealTensor, "torch.add",
                           "The sum; integers wrap around, i1 is or-ed">;
def TL_SubOp : TL_BinaryOp<"sub", TL_NumberTensor, "torch.sub", "The difference; integers wrap around">;
def TL_MulOp : TL_BinaryOp<"mul", TL_RealTensor, "torch.mul",
                           "The product; integers wrap around, i1 is and-ed">;
def TL_DivOp : TL_BinaryOp<"div", TL_FloatTensor, "torch.div", "The quotient of floats">;
def TL_FloorDivOp : TL_DivisionOp<"floor_div", "torch.div(rounding_mode='floor')",
                                  "The quotient, rounded down">;
def TL_TruncDivOp : TL_DivisionOp<"trunc_div", "torch.div(rounding_mode='trunc')",
                                  "The quotient, rounded towards zero">;
def TL_RemainderOp : TL_DivisionOp<"remainder", "torch.remainder",
                                   "The remainder with the sign of the divisor (Python's %)">;
def TL_FmodOp : TL_DivisionOp<"fmod", "torch.fmod", "The remainder with the sign of the dividend">;
def TL_PowOp : TL_BinaryOp<"pow", TL_NumberTensor, "torch.pow", "lhs to the power of rhs"> {
  let note = "Integers wrap around; a negative integer exponent gives 0 unless the base is 1 or -1.";
}
def TL_Atan2Op : TL_BinaryOp<"atan2", TL_FloatTensor, "torch.atan2",
                             "The angle of the point (rhs, lhs)">;
def TL_MaximumOp : TL_BinaryOp<"maximum", TL_RealTensor, "torch.maximum",
                               "The larger one; NaN if either is NaN">;
def TL_MinimumOp : TL_BinaryOp<"minimum", TL_RealTensor, "torch.minimum",
                               "The smaller one; NaN if either is NaN">;
def TL_CopysignOp : TL_BinaryOp<"copysign", TL_FloatTensor, "torch.copysign",
                                "The magnitude of lhs with the sign of rhs">;

class TL_BitwiseOp<string mnemonic, Type tensorType, string torchName, string what>
    : TL_BinaryOp<mnemonic, tensorType, torchName, what> {
  let description = "The same as `" # torchName # "` on operands that are broadcast as by numpy. "
                    # note # "\n\nExample:\n```mlir\n%2 = tl." # mnemonic
                    # " %0, %1 : tensor<4x?xi32>, tensor<1xi32> -> tensor<4x?xi32>\n```\n";
}

def TL_AndOp : TL_BitwiseOp<"and", TL_IntOrBoolTensor, "torch.bitwise_and", "Bits set in both">;
def TL_OrOp : TL_BitwiseOp<"or", TL_IntOrBoolTensor, "torch.bitwise_or", "Bits set in either">;
def TL_XorOp : TL_BitwiseOp<"xor", TL_IntOrBoolTensor, "torch.bitwise_xor", "Bits set in one of both">;
def TL_ShiftLeftOp : TL_BitwiseOp<"shift_left", TL_IntTensor, "torch.bitwise_left_shift",
                                  "lhs shifted left by rhs bits"> {
  let note = "A distance that is negative or not below the width gives 0.";
}
def TL_ShiftRightOp : TL_BitwiseOp<"shift_right", TL_IntTensor, "torch.bitwise_right_shift",
                                   "lhs shifted right by rhs bits, keeping the sign"> {
  let note = "A distance that is negative or not below the width gives 0, or -1 for a negative lhs.";
}

//===----------------------------------------------------------------------===//
// Comparison, selection, conversion
//===----------------------------------------------------------------------===//

def TL_ComparePredicate : I32EnumAttr<"ComparePredicate", "How tl.compare compares", [
    I32EnumAttrCase<"EQ", 0, "eq">, I32EnumAttrCase<"NE", 1, "ne">, I32EnumAttrCase<"LT", 2, "lt">,
    I32EnumAttrCase<"LE", 3, "le">, I32EnumAttrCase<"GT", 4, "gt">, I32EnumAttrCase<"GE", 5, "ge">]> {
  let cppNamespace = "::torchlite::tl";
  let genSpecializedAttr = 0;
}
def TL_ComparePredicateAttr
    : EnumAttr<TorchLite_Dialect, TL_ComparePredicate, "compare_predicate"> {
  let assemblyFormat = "$value";
}

def TL_CompareOp : TL_InferredOp<"compare", [Pure, TL_ReifyShapes]> {
  let summary = "Compares two tensors element by element";
  let description = [{
    Operands have the same element type and are broadcast as by numpy. `ui8` is compared unsigned,
    `i1` with false below true. NaN equals nothing and is neither below nor above anything.

    Example:
    ```mlir
    %2 = tl.compare lt %0, %1 : tensor<4x?xf32>, tensor<1xf32> -> tensor<4x?xi1>
    ```
  }];
  let arguments = (ins TL_ComparePredicateAttr:$predicate, TL_RealTensor:$lhs, TL_RealTensor:$rhs);
  let results = (outs TL_BoolTensor:$result);
  let assemblyFormat = [{
    $predicate $lhs `,` $rhs attr-dict `:` type($lhs) `,` type($rhs) `->` type($result)
  }];
  let hasFolder = 1;
  let extraClassDefinition = compatibleDefinition # [{
    ::llvm::LogicalResult $cppClass::inferReturnTypes(
        ::mlir::MLIRContext *context, ::std::optional<::mlir::Location> loc,
        ::mlir::ValueRange operands, ::mlir::DictionaryAttr, ::mlir::OpaqueProperties,
        ::mlir::RegionRange, ::llvm::SmallVectorImpl<::mlir::Type> &types) {
      return inference::inferBroadcast(loc, operands, ::mlir::IntegerType::get(context, 1), types);
    }
    ::llvm::LogicalResult $cppClass::reifyResultShapes(
        ::mlir::OpBuilder &builder, ::mlir::ReifiedRankedShapedTypeDims &shapes) {
      return inference::reifyBroadcast(getOperation(), builder, shapes);
    }
  }];
}

def TL_WhereOp : TL_InferredOp<"where", [Pure, TL_ReifyShapes]> {
  let summary = "Elements of one tensor where a condition holds, of another where not";
  let description = [{
    All three operands are broadcast as by numpy; `onTrue` and `onFalse` have the same element type.
    See `torch.where`.

    Example:
    ```mlir
    %3 = tl.where %0, %1, %2 : tensor<4x1xi1>, tensor<4x?xf32>, tensor<f32> -> tensor<4x?xf32>
    ```
  }];
  let arguments = (ins TL_BoolTensor:$condition, TL_ElementTensor:$onTrue, TL_ElementTensor:$onFalse);
  let results = (outs TL_ElementTensor:$result);
  let assemblyFormat = [{
    $condition `,` $onTrue `,` $onFalse attr-dict `:` type($condition) `,` type($onTrue) `,`
    type($onFalse) `->` type($result)
  }];
  let hasFolder = 1;
  let extraClassDefinition = compatibleDefinition # [{
    ::llvm::LogicalResult $cppClass::reifyResultShapes(
        ::mlir::OpBuilder &builder, ::mlir::ReifiedRankedShapedTypeDims &shapes) {
      return inference::reifyBroadcast(getOperation(), builder, shapes);
    }
  }];
}

def TL_CastOp : TL_Op<"cast", [Pure, SameOperandsAndResultShape, TL_ReifyShapes]> {
  let summary = "Converts elements to another type as PyTorch does";
  let description = [{
    To `i1`: whether the element is not zero (NaN is true). Float to integer truncates; what PyTorch
    leaves undefined (NaN, values out of range) gives some value and never an error. Between integers
    the bits wrap around. Float to a narrower float rounds to nearest, ties to even.

    Example:
    ```mlir
    %1 = tl.cast %0 : tensor<4x?xf32> to tensor<4x?xi64>
    ```
  }];
  let arguments = (ins TL_ElementTensor:$operand);
  let results = (outs TL_ElementTensor:$result);
  let assemblyFormat = "$operand attr-dict `:` type($operand) `to` type($result)";
  let builders = [OpBuilder<(ins "::mlir::Value":$operand, "::mlir::Type":$elementType)>];
  let hasFolder = 1;
  let extraClassDefinition = [{
    ::llvm::LogicalResult $cppClass::reifyResultShapes(
        ::mlir::OpBuilder &builder, ::mlir::ReifiedRankedShapedTypeDims &shapes) {
      return inference::reifyBroadcast(getOperation(), builder, shapes);
    }
  }];
}

#endif
