// Operations of the `tlrt` dialect on values whose structure lives at run time
// (docs/RunTimeValues.md).
#ifndef TORCHLITE_DIALECT_RUNTIME_IR_BOXOPS_TD
#define TORCHLITE_DIALECT_RUNTIME_IR_BOXOPS_TD

include "TorchLite/Dialect/Runtime/IR/RuntimeBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Runtime_BoxType : TypeDef<Runtime_Dialect, "Box"> {
  let mnemonic = "box";
  let builderCall = "::torchlite::rt::BoxType::get($_builder.getContext())";
  let summary = "A value whose structure lives at run time";
  let description = [{
    A reference to a list, tuple, dictionary, text, tensor or number of the call, or None. What it is
    follows from the program's types, except for the element type, rank and sizes of tensors. Copies
    of the reference are the same object.
  }];
}

// What all boxes hold. Reads and writes of it stay in the order of the program.
def Runtime_BoxResource : Resource<"::torchlite::rt::BoxResource">;

class Runtime_BoxOp<string mnemonic, list<Trait> traits = []>
    : Runtime_Op<"box." # mnemonic, traits>;
defvar ReadsBoxes = MemoryEffects<[MemRead<Runtime_BoxResource>]>;
defvar WritesBoxes = MemoryEffects<[MemRead<Runtime_BoxResource>, MemWrite<Runtime_BoxResource>]>;

// Numbers lie in containers as they are.
def Runtime_BoxItem : AnyTypeOf<[I64, F64, I1, Runtime_BoxType]>;
def Runtime_BoxedTensor : AnyTypeOf<[AnyRankedTensor, AnyMemRef]>;

def Runtime_BoxCreateOp : Runtime_BoxOp<"create", [WritesBoxes]> {
  let summary = "An empty list (0), tuple (1) or dictionary (2)";
  let description = [{
    Example:
    ```mlir
    %list = tlrt.box.create 0
    ```
  }];
  let arguments = (ins I64Attr:$kind);
  let results = (outs Runtime_BoxType:$result);
  let assemblyFormat = "$kind attr-dict";
}

def Runtime_BoxNoneOp : Runtime_BoxOp<"none", [Pure]> {
  let summary = "None";
  let description = [{
    Example:
    ```mlir
    %none = tlrt.box.none
    ```
  }];
  let results = (outs Runtime_BoxType:$result);
  let assemblyFormat = "attr-dict";
}

def Runtime_BoxNumberOp : Runtime_BoxOp<"number", [WritesBoxes]> {
  let summary = "A number where a box is expected";
  let description = [{
    Example:
    ```mlir
    %box = tlrt.box.number %n : i64
    ```
  }];
  let arguments = (ins AnyTypeOf<[I64, F64, I1]>:$value);
  let results = (outs Runtime_BoxType:$result);
  let assemblyFormat = "$value attr-dict `:` type($value)";
}

def Runtime_BoxTextOp : Runtime_BoxOp<"text", [WritesBoxes]> {
  let summary = "A text that is known at compile time";
  let description = [{
    Example:
    ```mlir
    %key = tlrt.box.text "hidden"
    ```
  }];
  let arguments = (ins StrAttr:$text);
  let results = (outs Runtime_BoxType:$result);
  let assemblyFormat = "$text attr-dict";
}

def Runtime_BoxPackOp : Runtime_BoxOp<"pack", [
    MemoryEffects<[MemRead, MemRead<Runtime_BoxResource>, MemWrite<Runtime_BoxResource>]>]> {
  let summary = "A copy of a tensor in a box";
  let description = [{
    `isUnsigned` says that the integers are ones without a sign, which types do not say behind
    `convert-tl-to-linalg`: where the box is printed.

    Example:
    ```mlir
    %box = tlrt.box.pack %x : tensor<?x4xf32>
    ```
  }];
  let arguments = (ins Runtime_BoxedTensor:$tensor, UnitAttr:$isUnsigned);
  let results = (outs Runtime_BoxType:$result);
  let assemblyFormat = "$tensor attr-dict `:` type($tensor)";
}

def Runtime_BoxUnpackOp : Runtime_BoxOp<"unpack", [ReadsBoxes]> {
  let summary = "The tensor that is in a box";
  let description = [{
    Raises where it is of another element type or rank, or has other static sizes. A memref is the
    box's own memory, which must not be written. None has no elements; of rank 0, a zero.

    Example:
    ```mlir
    %x = tlrt.box.unpack %box : tensor<?x4xf32>
    ```
  }];
  let arguments = (ins Runtime_BoxType:$box);
  let results = (outs Runtime_BoxedTensor:$result);
  let assemblyFormat = "$box attr-dict `:` type($result)";
}

def Runtime_BoxAppendOp : Runtime_BoxOp<"append", [WritesBoxes]> {
  let summary = "Puts an item behind the last one of a container";
  let description = [{
    Example:
    ```mlir
    tlrt.box.append %list, %x : i64
    ```
  }];
  let arguments = (ins Runtime_BoxType:$container, Runtime_BoxItem:$item);
  let assemblyFormat = "$container `,` $item attr-dict `:` type($item)";
}

def Runtime_BoxSetOp : Runtime_BoxOp<"set", [WritesBoxes]> {
  let summary = "Puts an item in the place of another one";
  let description = [{
    The position exists: programs check it before.

    Example:
    ```mlir
    tlrt.box.set %list[%i], %x : i64
    ```
  }];
  let arguments = (ins Runtime_BoxType:$container, I64:$position, Runtime_BoxItem:$item);
  let assemblyFormat = "$container `[` $position `]` `,` $item attr-dict `:` type($item)";
}

def Runtime_BoxGetOp : Runtime_BoxOp<"get", [ReadsBoxes]> {
  let summary = "An item of a container";
  let description = [{
    Asked for a number, None is 0.

    Example:
    ```mlir
    %x = tlrt.box.get %list[%i] : i64
    ```
  }];
  let arguments = (ins Runtime_BoxType:$container, I64:$position);
  let results = (outs Runtime_BoxItem:$result);
  let assemblyFormat = "$container `[` $position `]` attr-dict `:` type($result)";
}

def Runtime_BoxPresentOp : Runtime_BoxOp<"present", [ReadsBoxes]> {
  let summary = "Whether an item is not None";
  let description = [{
    Example:
    ```mlir
    %some = tlrt.box.present %list[%i]
    ```
  }];
  let arguments = (ins Runtime_BoxType:$container, I64:$position);
  let results = (outs I1:$result);
  let assemblyFormat = "$container `[` $position `]` attr-dict";
}

def Runtime_BoxSizeOp : Runtime_BoxOp<"size", [ReadsBoxes]> {
  let summary = "How many items a container has";
  let description = [{
    A dictionary has two for each key. Of a text, the bytes.

    Example:
    ```mlir
    %n = tlrt.box.size %list
    ```
  }];
  let arguments = (ins Runtime_BoxType:$container);
  let results = (outs I64:$result);
  let assemblyFormat = "$container attr-dict";
}

def Runtime_BoxSliceOp : Runtime_BoxOp<"slice", [WritesBoxes]> {
  let summary = "A new container with some of the items";
  let description = [{
    `count` of them from `start` on, every `step`-th; all exist.

    Example:
    ```mlir
    %part = tlrt.box.slice %list[%start, %count, %step]
    ```
  }];
  let arguments = (ins Runtime_BoxType:$container, I64:$start, I64:$count, I64:$step);
  let results = (outs Runtime_BoxType:$result);
  let assemblyFormat = "$container `[` $start `,` $count `,` $step `]` attr-dict";
}

def Runtime_BoxSpliceOp : Runtime_BoxOp<"splice", [WritesBoxes]> {
  let summary = "Some items make place for those of another container";
  let description = [{
    `removed` items from `position` on, which exist; none come where `items` is None.

    Example:
    ```mlir
    tlrt.box.splice %list[%at, %removed], %items
    ```
  }];
  let arguments = (ins Runtime_BoxType:$container, I64:$position, I64:$removed,
                       Runtime_BoxType:$items);
  let assemblyFormat = "$container `[` $position `,` $removed `]` `,` $items attr-dict";
}

def Runtime_BoxFindOp : Runtime_BoxOp<"find", [WritesBoxes]> {
  let summary = "Where an equal item, or an equal key of a dictionary, is";
  let description = [{
    The first one from `from` on, or -1. The value of a key is behind it.

    Example:
    ```mlir
    %at = tlrt.box.find %dict[%zero], %key : i64
    ```
  }];
  let arguments = (ins Runtime_BoxType:$container, I64:$from, Runtime_BoxItem:$item);
  let results = (outs I64:$result);
  let assemblyFormat = "$container `[` $from `]` `,` $item attr-dict `:` type($item)";
}

def Runtime_BoxInsertOp : Runtime_BoxOp<"insert", [WritesBoxes]> {
  let summary = "Sets the value of a key of a dictionary";
  let description = [{
    Example:
    ```mlir
    tlrt.box.insert %dict[%key : i64], %value : !tlrt.box
    ```
  }];
  let arguments = (ins Runtime_BoxType:$container, Runtime_BoxItem:$key, Runtime_BoxItem:$item);
  let assemblyFormat =
      "$container `[` $key `:` type($key) `]` `,` $item attr-dict `:` type($item)";
}

def Runtime_BoxPairsOp : Runtime_BoxOp<"pairs", [WritesBoxes]> {
  let summary = "A list of a dictionary's keys with their values, as tuples";
  let description = [{
    Example:
    ```mlir
    %items = tlrt.box.pairs %dict
    ```
  }];
  let arguments = (ins Runtime_BoxType:$dict);
  let results = (outs Runtime_BoxType:$result);
  let assemblyFormat = "$dict attr-dict";
}

def Runtime_BoxUpdateOp : Runtime_BoxOp<"update", [WritesBoxes]> {
  let summary = "Sets the values of all keys that another dictionary has";
  let description = [{
    Example:
    ```mlir
    tlrt.box.update %dict, %other
    ```
  }];
  let arguments = (ins Runtime_BoxType:$dict, Runtime_BoxType:$other);
  let assemblyFormat = "$dict `,` $other attr-dict";
}

def Runtime_BoxRepeatOp : Runtime_BoxOp<"repeat", [WritesBoxes]> {
  let summary = "A list with the items of another one, some times";
  let description = [{
    Of a text, the text some times.

    Example:
    ```mlir
    %many = tlrt.box.repeat %list, %n
    ```
  }];
  let arguments = (ins Runtime_BoxType:$list, I64:$count);
  let results = (outs Runtime_BoxType:$result);
  let assemblyFormat = "$list `,` $count attr-dict";
}

def Runtime_BoxConcatOp : Runtime_BoxOp<"concat", [WritesBoxes]> {
  let summary = "Two texts behind each other";
  let description = [{
    Example:
    ```mlir
    %text = tlrt.box.concat %a, %b
    ```
  }];
  let arguments = (ins Runtime_BoxType:$lhs, Runtime_BoxType:$rhs);
  let results = (outs Runtime_BoxType:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict";
}

def Runtime_BoxCompareOp : Runtime_BoxOp<"compare", [ReadsBoxes]> {
  let summary = "The order of two texts: less than 0, 0, or more";
  let description = [{
    Example:
    ```mlir
    %order = tlrt.box.compare %a, %b
    ```
  }];
  let arguments = (ins Runtime_BoxType:$lhs, Runtime_BoxType:$rhs);
  let results = (outs I64:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict";
}

def Runtime_BoxEqualOp : Runtime_BoxOp<"equal", [ReadsBoxes]> {
  let summary = "Whether two texts, numbers, or containers of such are equal";
  let description = [{
    Example:
    ```mlir
    %same = tlrt.box.equal %a, %b
    ```
  }];
  let arguments = (ins Runtime_BoxType:$lhs, Runtime_BoxType:$rhs);
  let results = (outs I1:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict";
}

def Runtime_BoxRowsOp : Runtime_BoxOp<"rows", [WritesBoxes]> {
  let summary = "A list of a tensor's elements along its first dimension";
  let description = [{
    With `number`, of a vector: numbers of that type.

    Example:
    ```mlir
    %list = tlrt.box.rows %tensor number i64
    ```
  }];
  let arguments = (ins Runtime_BoxType:$tensor, OptionalAttr<TypeAttr>:$number);
  let results = (outs Runtime_BoxType:$result);
  let assemblyFormat = "$tensor (`number` $number^)? attr-dict";
}

def Runtime_BoxTogetherOp : Runtime_BoxOp<"together", [WritesBoxes]> {
  let summary = "The items of a list as one tensor";
  let description = [{
    They are numbers, or tensors of the type `item`; side by side in a new first dimension, or
    behind each other in dimension `along`. Raises where their sizes do not fit together.

    Example:
    ```mlir
    %tensor = tlrt.box.together %list of tensor<?x4xf32> along 0
    ```
  }];
  let arguments = (ins Runtime_BoxType:$list, TypeAttr:$item, OptionalAttr<I64Attr>:$along);
  let results = (outs Runtime_BoxType:$result);
  let assemblyFormat = "$list `of` $item (`along` $along^)? attr-dict";
}

def Runtime_BoxAddressOp : Runtime_BoxOp<"address", [Pure]> {
  let summary = "A box as it leaves the call";
  let description = [{
    The number stands in the result's slot; the runtime makes the caller's value of it.

    Example:
    ```mlir
    %leaf = tlrt.box.address %list
    ```
  }];
  let arguments = (ins Runtime_BoxType:$box);
  let results = (outs I64:$result);
  let assemblyFormat = "$box attr-dict";
}

def Runtime_BoxMarkOp : Runtime_BoxOp<"mark", [WritesBoxes]> {
  let summary = "What is referred to up to here";
  let description = [{
    Example:
    ```mlir
    %mark = tlrt.box.mark
    ```
  }];
  let results = (outs I64:$result);
  let assemblyFormat = "attr-dict";
}

def Runtime_BoxKeepOp : Runtime_BoxOp<"keep", [WritesBoxes]> {
  let summary = "Ends all references since a mark, except some";
  let description = [{
    Stands at the end of a trip of a loop, with the boxes that the next one takes over. What nothing
    refers to any more is freed.

    Example:
    ```mlir
    tlrt.box.keep %mark, %a, %b
    ```
  }];
  let arguments = (ins I64:$mark, Variadic<Runtime_BoxType>:$kept);
  let assemblyFormat = "$mark (`,` $kept^)? attr-dict";
}

def Runtime_BoxFormatOp : Runtime_BoxOp<"format", [WritesBoxes]> {
  let summary = "A text with values in it, as TorchScript's `str` writes them";
  let description = [{
    Between each two pieces stands one value: there is one piece more than there are values.
    Containers and tensors in boxes are written with all that they hold.

    Example:
    ```mlir
    %text = tlrt.box.format ["step ", " of ", ""][%i, %n : i64, i64]
    ```
  }];
  let arguments = (ins StrArrayAttr:$pieces, Variadic<Runtime_BoxItem>:$values);
  let results = (outs Runtime_BoxType:$result);
  let assemblyFormat = "$pieces (`[` $values^ `:` type($values) `]`)? attr-dict";
  let hasVerifier = 1;
}

// What a program prints: in the order of the program.
def Runtime_PrintResource : Resource<"::torchlite::rt::PrintResource">;

def Runtime_BoxPrintOp : Runtime_BoxOp<"print", [
    MemoryEffects<[MemRead<Runtime_BoxResource>, MemWrite<Runtime_PrintResource>]>]> {
  let summary = "Prints a text with values in it";
  let description = [{
    The text is that of `tlrt.box.format`; it goes to the instance's handler, or to the standard
    output (`tl_instance_set_print`). Without boxes among the values it runs on GPUs' hosts, too.

    Example:
    ```mlir
    tlrt.box.print ["step ", "\0A"][%i : i64]
    ```
  }];
  let arguments = (ins StrArrayAttr:$pieces, Variadic<Runtime_BoxItem>:$values);
  let assemblyFormat = "$pieces (`[` $values^ `:` type($values) `]`)? attr-dict";
  let hasVerifier = 1;
}

#endif // TORCHLITE_DIALECT_RUNTIME_IR_BOXOPS_TD
