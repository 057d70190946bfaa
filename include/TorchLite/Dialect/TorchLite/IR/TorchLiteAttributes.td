// Attributes of the `tl` dialect: constant values that builtin attributes cannot hold, and the
// enumerations of the core operations.
#ifndef TORCHLITE_DIALECT_TORCHLITE_IR_TORCHLITEATTRIBUTES_TD
#define TORCHLITE_DIALECT_TORCHLITE_IR_TORCHLITEATTRIBUTES_TD

include "mlir/IR/EnumAttr.td"
include "TorchLite/Dialect/TorchLite/IR/TorchLiteBase.td"

def TL_NoneAttr : TL_Attr<"None", "none"> {
  let summary = "The value `None`. Example: `#tl.none`";
}

def TL_TensorRefAttr : TL_Attr<"TensorRef", "tensor_ref"> {
  let summary = "A tensor of the object graph: a strided view of a `tl.storage`";
  let description = [{
    Offset, sizes and strides count elements. Two tensors that share memory name the same storage.
    Example: `#tl.tensor_ref<@s0, offset = 0, sizes = [4, 4], strides = [4, 1], f32>`.
  }];
  let parameters = (ins "::mlir::FlatSymbolRefAttr":$storage, "int64_t":$offset,
                        OptionalArrayRefParameter<"int64_t">:$sizes,
                        OptionalArrayRefParameter<"int64_t">:$strides,
                        "::mlir::Type":$elementType);
  let assemblyFormat = [{
    `<` $storage `,` `offset` `=` $offset `,` `sizes` `=` `[` (`]`) : ($sizes^ `]`)?
    `,` `strides` `=` `[` (`]`) : ($strides^ `]`)? `,` $elementType `>`
  }];
}

def TL_DictAttr : TL_Attr<"Dict", "dict"> {
  let summary = "A constant dictionary, in insertion order. Example: `#tl.dict<[\"a\"], [1]>`";
  let parameters = (ins "::mlir::ArrayAttr":$keys, "::mlir::ArrayAttr":$values);
  let assemblyFormat = "`<` $keys `,` $values `>`";
  let genVerifyDecl = 1;
}

def TL_EnumValueAttr : TL_Attr<"EnumValue", "enum_value"> {
  let summary = "A value of an enumeration. Example: `#tl.enum_value<\"RED\", 1 : i64>`";
  let parameters = (ins "::mlir::StringAttr":$name, "::mlir::Attribute":$value);
  let assemblyFormat = "`<` $name `,` $value `>`";
}

#endif
