// Types of the `tl` dialect: TorchScript's types that have no builtin counterpart.
#ifndef TORCHLITE_DIALECT_TORCHLITE_IR_TORCHLITETYPES_TD
#define TORCHLITE_DIALECT_TORCHLITE_IR_TORCHLITETYPES_TD

include "TorchLite/Dialect/TorchLite/IR/TorchLiteBase.td"

def TL_TensorType : TL_Type<"Tensor", "tensor"> {
  let summary = "TorchScript's Tensor: a mutable reference of unknown rank and element type";
  let description = [{
    May alias other tensors. Exists only before `tl-specialize`; after it, tensors are builtin
    ranked tensors with value semantics. Example: `!tl.tensor`.
  }];
}

def TL_StringType : TL_Type<"String", "str"> {
  let summary = "A TorchScript string. Example: `!tl.str`";
}

def TL_NoneType : TL_Type<"None", "none"> {
  let summary = "The type of `None`. Example: `!tl.none`";
}

def TL_NumberType : TL_Type<"Number", "number"> {
  let summary = "TorchScript's Scalar: an int, float, bool or complex. Example: `!tl.number`";
}

def TL_DeviceType : TL_Type<"Device", "device"> {
  let summary = "A `torch.device`. Example: `!tl.device`";
}

def TL_GeneratorType : TL_Type<"Generator", "generator"> {
  let summary = "A `torch.Generator`. Example: `!tl.generator`";
}

def TL_AnyType : TL_Type<"Any", "any"> {
  let summary = "TorchScript's Any: a value of any type. Example: `!tl.any`";
}

def TL_AnyListType : TL_Type<"AnyList", "any_list"> {
  let summary = "What every list is an instance of (`isinstance(x, list)`). Example: `!tl.any_list`";
}

def TL_AnyTupleType : TL_Type<"AnyTuple", "any_tuple"> {
  let summary = "What every tuple is an instance of. Example: `!tl.any_tuple`";
}

def TL_ListType : TL_Type<"List", "list"> {
  let summary = "A mutable list, shared by reference. Example: `!tl.list<i64>`";
  let parameters = (ins "::mlir::Type":$elementType);
  let assemblyFormat = "`<` $elementType `>`";
}

def TL_DictType : TL_Type<"Dict", "dict"> {
  let summary = "A mutable, insertion-ordered dictionary. Example: `!tl.dict<!tl.str, !tl.tensor>`";
  let parameters = (ins "::mlir::Type":$keyType, "::mlir::Type":$valueType);
  let assemblyFormat = "`<` $keyType `,` $valueType `>`";
}

def TL_TupleType : TL_Type<"Tuple", "tuple"> {
  let summary = "An immutable tuple. Example: `!tl.tuple<!tl.tensor, i64>`, and the empty `!tl.tuple`";
  let parameters = (ins OptionalArrayRefParameter<"::mlir::Type">:$types);
  let assemblyFormat = "(`<` $types^ `>`)?";
}

def TL_OptionalType : TL_Type<"Optional", "optional"> {
  let summary = "A value or `None`. Example: `!tl.optional<!tl.tensor>`";
  let parameters = (ins "::mlir::Type":$elementType);
  let assemblyFormat = "`<` $elementType `>`";
}

def TL_UnionType : TL_Type<"Union", "union"> {
  let summary = "One of several types. Example: `!tl.union<i64, !tl.str>`";
  let parameters = (ins OptionalArrayRefParameter<"::mlir::Type">:$types);
  let assemblyFormat = "(`<` $types^ `>`)?";
}

def TL_FutureType : TL_Type<"Future", "future"> {
  let summary = "The result of `torch.jit.fork`. Example: `!tl.future<!tl.tensor>`";
  let parameters = (ins "::mlir::Type":$elementType);
  let assemblyFormat = "`<` $elementType `>`";
}

def TL_ObjectType : TL_Type<"Object", "object"> {
  let summary = "An instance of a TorchScript class, shared by reference";
  let description = "The class is a `tl.class` of that name. Example: `!tl.object<@\"__torch__.Cell\">`.";
  let parameters = (ins "::mlir::FlatSymbolRefAttr":$className);
  let assemblyFormat = "`<` $className `>`";
}

def TL_EnumType : TL_Type<"Enum", "enum"> {
  let summary = "A TorchScript enumeration. Example: `!tl.enum<\"__torch__.Color\", i64>`";
  let parameters = (ins "::mlir::StringAttr":$enumName, "::mlir::Type":$valueType);
  let assemblyFormat = "`<` $enumName `,` $valueType `>`";
}

def TL_FunctionType : TL_Type<"Function", "function"> {
  let summary = "A TorchScript function as a value. Example: `!tl.function<@\"__torch__.f\">`";
  let parameters = (ins "::mlir::FlatSymbolRefAttr":$function);
  let assemblyFormat = "`<` $function `>`";
}

#endif
