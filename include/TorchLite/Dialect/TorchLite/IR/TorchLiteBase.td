// The `tl` dialect and the bases that its types, attributes and operations share.
#ifndef TORCHLITE_DIALECT_TORCHLITE_IR_TORCHLITEBASE_TD
#define TORCHLITE_DIALECT_TORCHLITE_IR_TORCHLITEBASE_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/OpBase.td"

def TorchLite_Dialect : Dialect {
  let name = "tl";
  let cppNamespace = "::torchlite::tl";
  let summary = "TorchScript programs, as written and as core tensor operations";
  let description = [{
    The dialect has two levels.

    *As written.* What `tl-translate --import-torchscript` makes of an archive, one to one: classes,
    objects, storages, methods, `tl.if`, `tl.loop`, containers, and `tl.aten` for every dispatcher
    operator. A tensor is `!tl.tensor`: a mutable reference of unknown rank and element type that
    may alias others.

    *Core.* What `tl-specialize` leaves: operations on builtin `tensor<...>` values with known rank
    and element type and without side effects. Shapes are inferred by the operations themselves.

    Element types: `f16`, `bf16`, `f32`, `f64`, `i8`, `i16`, `i32`, `i64` (signed), `ui8`
    (`torch.uint8`), `i1` (`torch.bool`), `complex<f32>`, `complex<f64>`. TorchScript's int, float
    and bool are `i64`, `f64` and `i1`.
  }];
  let hasConstantMaterializer = 1;
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"];
}

class TL_Type<string name, string typeMnemonic, list<Trait> traits = []>
    : TypeDef<TorchLite_Dialect, name, traits> {
  let mnemonic = typeMnemonic;
}

class TL_Attr<string name, string attrMnemonic, list<Trait> traits = []>
    : AttrDef<TorchLite_Dialect, name, traits> {
  let mnemonic = attrMnemonic;
}

class TL_Op<string mnemonic, list<Trait> traits = []> : Op<TorchLite_Dialect, mnemonic, traits>;

#endif
