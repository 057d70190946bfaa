// The object graph of an archive: classes, storages and objects.
#ifndef TORCHLITE_DIALECT_TORCHLITE_IR_MODULEOPS_TD
#define TORCHLITE_DIALECT_TORCHLITE_IR_MODULEOPS_TD

include "mlir/IR/BuiltinAttributes.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "TorchLite/Dialect/TorchLite/IR/TorchLiteAttributes.td"
include "TorchLite/Dialect/TorchLite/IR/TorchLiteTypes.td"

def TL_ClassOp : TL_Op<"class", [Symbol, IsolatedFromAbove, NoRegionArguments, NoTerminator,
                                 SingleBlock]> {
  let summary = "A TorchScript class: its attributes and methods";
  let description = [{
    Holds `tl.attr` and `tl.method` operations. The symbol is the qualified TorchScript name.

    Example:
    ```mlir
    tl.class @"__torch__.Cell" {
      tl.attr "weight" : !tl.tensor
      tl.attr "training" : i1
      tl.method "forward" @"__torch__.Cell.forward" {exported}
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name attr-dict-with-keyword $body";
  let skipDefaultBuilders = 1;
  let builders = [OpBuilder<(ins "::llvm::StringRef":$name)>];
  let extraClassDeclaration = [{
    /// The declared type of an attribute, or null.
    ::mlir::Type getAttrType(::llvm::StringRef name);
    /// The function that implements a method, or null.
    ::mlir::FlatSymbolRefAttr getMethod(::llvm::StringRef name);
  }];
}

def TL_AttrOp : TL_Op<"attr", [HasParent<"ClassOp">]> {
  let summary = "Declares an attribute of a class";
  let description = "Example: `tl.attr \"hidden\" : !tl.optional<!tl.tensor>`";
  let arguments = (ins StrAttr:$name, TypeAttr:$type, UnitAttr:$is_parameter, UnitAttr:$is_buffer);
  let assemblyFormat = "$name `:` $type attr-dict";
}

def TL_MethodOp : TL_Op<"method", [HasParent<"ClassOp">]> {
  let summary = "Declares a method of a class and the function that implements it";
  let description = [{
    The function takes the object as its first argument. `exported` marks the methods of the root
    object that a caller may name. Example: `tl.method "reset" @"__torch__.M.reset" {exported}`
  }];
  let arguments = (ins StrAttr:$name, FlatSymbolRefAttr:$function, UnitAttr:$exported);
  let assemblyFormat = "$name $function attr-dict";
}

def TL_StorageOp : TL_Op<"storage", [Symbol]> {
  let summary = "The memory that one or more tensors of the object graph share";
  let description = [{
    A one-dimensional tensor; `#tl.tensor_ref` attributes give views of it.

    Example:
    ```mlir
    tl.storage @s0 = dense<[1.0, 2.0]> : tensor<2xf32>
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, ElementsAttr:$value);
  let assemblyFormat = "$sym_name `=` $value attr-dict";
  let hasVerifier = 1;
}

def TL_ObjectOp : TL_Op<"object", [Symbol]> {
  let summary = "An object of the archive with the values of its attributes";
  let description = [{
    `slots` maps each attribute of the class to its value: builtin attributes for int, float, bool
    and string, arrays for lists and tuples, `#tl.dict`, `#tl.none`, `#tl.tensor_ref`,
    `#tl.enum_value`, and a symbol reference for another object. Objects may refer to each other in
    any order. The module's attribute `tl.root` names the object whose methods are exported.

    Example:
    ```mlir
    tl.object @root : !tl.object<@"__torch__.Cell"> {
      slots = {training = false, weight = #tl.tensor_ref<@s0, offset = 0, sizes = [2], strides = [1], f32>}
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<TL_ObjectType>:$type,
                       DictionaryAttr:$slots);
  let assemblyFormat = "$sym_name `:` $type attr-dict";
  let hasVerifier = 1;
}

#endif
