// TorchScript's language: constants, attributes, calls, control flow, containers, exceptions.
#ifndef TORCHLITE_DIALECT_TORCHLITE_IR_LANGUAGEOPS_TD
#define TORCHLITE_DIALECT_TORCHLITE_IR_LANGUAGEOPS_TD

include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "TorchLite/Dialect/TorchLite/IR/TorchLiteAttributes.td"
include "TorchLite/Dialect/TorchLite/IR/TorchLiteTypes.td"

def TL_ConstantOp : TL_Op<"constant", [Pure]> {
  let summary = "A TorchScript constant";
  let description = [{
    The value is written as in `tl.object`. Lists and objects made by a constant are the same object
    at every execution, as in TorchScript.

    Example:
    ```mlir
    %0 = tl.constant 3 : i64 -> i64
    %1 = tl.constant "same" -> !tl.str
    %2 = tl.constant #tl.none -> !tl.none
    %3 = tl.constant [1, 2] -> !tl.list<i64>
    ```
  }];
  let arguments = (ins AnyAttr:$value);
  let results = (outs AnyType:$result);
  let assemblyFormat = "$value attr-dict `->` type($result)";
}

def TL_GetAttrOp : TL_Op<"get_attr"> {
  let summary = "Reads an attribute of an object";
  let description = "Example: `%w = tl.get_attr %self \"weight\" : !tl.object<@C> -> !tl.tensor`";
  let arguments = (ins TL_ObjectType:$object, StrAttr:$name);
  let results = (outs AnyType:$result);
  let assemblyFormat = "$object $name attr-dict `:` type($object) `->` type($result)";
}

def TL_SetAttrOp : TL_Op<"set_attr"> {
  let summary = "Writes an attribute of an object";
  let description = "Example: `tl.set_attr %self \"h\" = %h : !tl.object<@C>, !tl.tensor`";
  let arguments = (ins TL_ObjectType:$object, StrAttr:$name, AnyType:$value);
  let assemblyFormat = "$object $name `=` $value attr-dict `:` type($object) `,` type($value)";
}

def TL_HasAttrOp : TL_Op<"has_attr"> {
  let summary = "Whether an object has an attribute (`hasattr`)";
  let description = "Example: `%b = tl.has_attr %self \"h\" : !tl.object<@C>`";
  let arguments = (ins AnyType:$object, StrAttr:$name);
  let results = (outs I1:$result);
  let assemblyFormat = "$object $name attr-dict `:` type($object)";
}

def TL_CreateObjectOp : TL_Op<"create_object"> {
  let summary = "Makes an object of a class whose attributes are not set yet";
  let description = "Example: `%o = tl.create_object : !tl.object<@C>`";
  let results = (outs TL_ObjectType:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
}

def TL_CallOp : TL_Op<"call"> {
  let summary = "Calls a TorchScript function";
  let description = "Example: `%r = tl.call @\"__torch__.foo\"(%x) : (!tl.tensor) -> !tl.tensor`";
  let arguments = (ins FlatSymbolRefAttr:$callee, Variadic<AnyType>:$operands);
  let results = (outs Variadic<AnyType>:$results);
  let assemblyFormat = "$callee `(` $operands `)` attr-dict `:` functional-type($operands, $results)";
}

def TL_CallMethodOp : TL_Op<"call_method"> {
  let summary = "Calls a method of an object, found by the object's class";
  let description = [{
    Example: `%r = tl.call_method "forward"(%self, %x) : (!tl.object<@C>, !tl.tensor) -> !tl.tensor`
  }];
  let arguments = (ins StrAttr:$method, Variadic<AnyType>:$operands);
  let results = (outs Variadic<AnyType>:$results);
  let assemblyFormat = "$method `(` $operands `)` attr-dict `:` functional-type($operands, $results)";
  let hasVerifier = 1;
}

def TL_IfOp : TL_Op<"if", [NoRegionArguments, SingleBlock, RecursiveMemoryEffects,
                           RecursivelySpeculatable]> {
  let summary = "A conditional";
  let description = [{
    Both regions end in `tl.yield` with the values of the results. Serves before and after
    `tl-specialize`.

    Example:
    ```mlir
    %r = tl.if %cond -> (!tl.tensor) {
      tl.yield %x : !tl.tensor
    } else {
      tl.yield %y : !tl.tensor
    }
    ```
  }];
  let arguments = (ins I1:$condition);
  let results = (outs Variadic<AnyType>:$results);
  let regions = (region SizedRegion<1>:$thenRegion, SizedRegion<1>:$elseRegion);
  let assemblyFormat = [{
    $condition (`->` `(` type($results)^ `)`)? attr-dict-with-keyword $thenRegion `else` $elseRegion
  }];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

def TL_LoopOp : TL_Op<"loop", [SingleBlock, RecursiveMemoryEffects]> {
  let summary = "TorchScript's loop: at most `maxTripCount` trips while the condition holds";
  let description = [{
    The body's first argument is the trip number (`i64`, from 0), the others are the carried values.
    It ends in `tl.continue` with the condition of the next trip and the next carried values. A
    `for` has a constant true condition, a `while` the trip count INT64_MAX. Results are the carried
    values after the last trip; with no trip they are the initial ones.

    Example:
    ```mlir
    %r = tl.loop %n while %true iter(%x) : (!tl.tensor) {
    ^bb0(%i: i64, %c: !tl.tensor):
      tl.continue %true iter(%c : !tl.tensor)
    }
    ```
  }];
  let arguments = (ins I64:$maxTripCount, I1:$initialCondition, Variadic<AnyType>:$initialValues);
  let results = (outs Variadic<AnyType>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $maxTripCount `while` $initialCondition (`iter` `(` $initialValues^ `)` `:` `(` type($initialValues) `)`)?
    (`->` `(` type($results)^ `)`)? attr-dict-with-keyword $body
  }];
  let hasVerifier = 1;
}

def TL_YieldOp : TL_Op<"yield", [Pure, Terminator, ReturnLike, HasParent<"IfOp">]> {
  let summary = "Ends an arm of `tl.if`. Example: `tl.yield %x : !tl.tensor`";
  let arguments = (ins Variadic<AnyType>:$operands);
  let assemblyFormat = "($operands^ `:` type($operands))? attr-dict";
}

def TL_ContinueOp : TL_Op<"continue", [Pure, Terminator, HasParent<"LoopOp">]> {
  let summary = "Ends a trip of `tl.loop`. Example: `tl.continue %c iter(%x : !tl.tensor)`";
  let arguments = (ins I1:$condition, Variadic<AnyType>:$values);
  let assemblyFormat = "$condition (`iter` `(` $values^ `:` type($values) `)`)? attr-dict";
}

def TL_ListConstructOp : TL_Op<"list_construct"> {
  let summary = "Makes a new list. Example: `%l = tl.list_construct %a, %b : (i64, i64) -> !tl.list<i64>`";
  let arguments = (ins Variadic<AnyType>:$elements);
  let results = (outs TL_ListType:$result);
  let assemblyFormat = "$elements attr-dict `:` functional-type($elements, $result)";
}

def TL_ListUnpackOp : TL_Op<"list_unpack"> {
  let summary = "The elements of a list whose length must equal the number of results";
  let description = "Example: `%a, %b = tl.list_unpack %l : !tl.list<i64> -> i64, i64`";
  let arguments = (ins TL_ListType:$list);
  let results = (outs Variadic<AnyType>:$results);
  let assemblyFormat = "$list attr-dict `:` type($list) `->` type($results)";
}

def TL_TupleConstructOp : TL_Op<"tuple_construct", [Pure]> {
  let summary = "Makes a tuple. Example: `%t = tl.tuple_construct %a : (i64) -> !tl.tuple<i64>`";
  let arguments = (ins Variadic<AnyType>:$elements);
  let results = (outs TL_TupleType:$result);
  let assemblyFormat = "$elements attr-dict `:` functional-type($elements, $result)";
}

def TL_TupleUnpackOp : TL_Op<"tuple_unpack", [Pure]> {
  let summary = "The elements of a tuple. Example: `%a, %b = tl.tuple_unpack %t : !tl.tuple<i64, i1> -> i64, i1`";
  let arguments = (ins TL_TupleType:$tuple);
  let results = (outs Variadic<AnyType>:$results);
  let assemblyFormat = "$tuple attr-dict `:` type($tuple) `->` type($results)";
  let hasVerifier = 1;
}

def TL_TupleIndexOp : TL_Op<"tuple_index"> {
  let summary = "One element of a tuple; a negative index counts from the end";
  let description = "Example: `%a = tl.tuple_index %t[%i] : !tl.tuple<i64, i64> -> i64`";
  let arguments = (ins TL_TupleType:$tuple, I64:$index);
  let results = (outs AnyType:$result);
  let assemblyFormat = "$tuple `[` $index `]` attr-dict `:` type($tuple) `->` type($result)";
}

def TL_TupleSliceOp : TL_Op<"tuple_slice", [Pure]> {
  let summary = "The elements `begin` to `end` (excluded) of a tuple";
  let description = "Example: `%s = tl.tuple_slice %t[0, 1] : !tl.tuple<i64, i1> -> !tl.tuple<i64>`";
  let arguments = (ins TL_TupleType:$tuple, I64Attr:$begin, I64Attr:$end);
  let results = (outs TL_TupleType:$result);
  let assemblyFormat = "$tuple `[` $begin `,` $end `]` attr-dict `:` type($tuple) `->` type($result)";
}

def TL_DictConstructOp : TL_Op<"dict_construct"> {
  let summary = "Makes a new dictionary from keys and values in turn";
  let description = [{
    Example: `%d = tl.dict_construct %k, %v : (!tl.str, i64) -> !tl.dict<!tl.str, i64>`
  }];
  let arguments = (ins Variadic<AnyType>:$operands);
  let results = (outs TL_DictType:$result);
  let assemblyFormat = "$operands attr-dict `:` functional-type($operands, $result)";
  let hasVerifier = 1;
}

def TL_UncheckedCastOp : TL_Op<"unchecked_cast", [Pure]> {
  let summary = "A type refinement that TorchScript has proved or trusts";
  let description = "Example: `%x = tl.unchecked_cast %o : !tl.optional<i64> -> i64`";
  let arguments = (ins AnyType:$operand);
  let results = (outs AnyType:$result);
  let assemblyFormat = "$operand attr-dict `:` type($operand) `->` type($result)";
}

def TL_IsInstanceOp : TL_Op<"isinstance", [Pure]> {
  let summary = "Whether a value is of one of the types";
  let description = "Example: `%b = tl.isinstance %x of [i64, !tl.str] : !tl.any`";
  let arguments = (ins AnyType:$operand, TypeArrayAttr:$types);
  let results = (outs I1:$result);
  let assemblyFormat = "$operand `of` $types attr-dict `:` type($operand)";
}

def TL_UninitializedOp : TL_Op<"uninitialized", [Pure]> {
  let summary = "A value that is never used: what an arm yields that raises";
  let description = "Example: `%u = tl.uninitialized : !tl.tensor`";
  let results = (outs AnyType:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
}

def TL_RaiseOp : TL_Op<"raise"> {
  let summary = "Raises an exception";
  let description = [{
    `message` is the formatted text, `className` the qualified name of the exception's class or an
    empty string. Control never passes this operation.

    Example: `tl.raise %message, %class : !tl.str, !tl.str`
  }];
  let arguments = (ins AnyType:$message, AnyType:$className);
  let assemblyFormat = "$message `,` $className attr-dict `:` type($message) `,` type($className)";
}

def TL_EnterOp : TL_Op<"enter"> {
  let summary = "Enters a context manager (`with`). Example: `%r = tl.enter %o : !tl.object<@C> -> !tl.any`";
  let arguments = (ins AnyType:$object);
  let results = (outs AnyType:$result);
  let assemblyFormat = "$object attr-dict `:` type($object) `->` type($result)";
}

def TL_ExitOp : TL_Op<"exit"> {
  let summary = "Leaves a context manager (`with`). Example: `tl.exit %o : !tl.object<@C>`";
  let arguments = (ins AnyType:$object);
  let assemblyFormat = "$object attr-dict `:` type($object)";
}

def TL_PrintOp : TL_Op<"print"> {
  let summary = "TorchScript's print. Example: `tl.print %x, %y : !tl.str, i64`";
  let arguments = (ins Variadic<AnyType>:$operands);
  let assemblyFormat = "($operands^ `:` type($operands))? attr-dict";
}

def TL_AtenOp : TL_Op<"aten"> {
  let summary = "Any operator of PyTorch's registry, by its schema name";
  let description = [{
    The name is that of the schema without the `aten::` namespace, with the overload after a dot;
    other namespaces are kept (`"prim::device"`, `"quantized::linear"`). Operands follow the schema,
    with defaults made explicit by TorchScript. See
    https://pytorch.org/docs/stable/torch.compiler_ir.html for the operators' meaning.

    Example:
    ```mlir
    %r = tl.aten "add.Tensor"(%a, %b, %one) : (!tl.tensor, !tl.tensor, i64) -> !tl.tensor
    ```
  }];
  let arguments = (ins StrAttr:$name, Variadic<AnyType>:$operands);
  let results = (outs Variadic<AnyType>:$results);
  let assemblyFormat = "$name `(` $operands `)` attr-dict `:` functional-type($operands, $results)";
}

#endif
