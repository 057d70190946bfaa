//===- Signature.h - Entry signatures and structures of values --*- C++ -*-===//
//
// A signature says for which arguments a method is compiled:
//
//   signature ::= method `(` [type {`,` type}] `)`
//   type      ::= {(size | `?`) `x`} element       a tensor: 1x3x224x224xf32, ?x512xi64, f32
//              |  `int` | `float` | `bool`         a number that is known when it runs
//              |  16000 | -1 | 1.5 | `true` | `false` | "text"   a value that is fixed
//              |  `none`
//              |  `[` types `]`                    a list of that length
//              |  `(` types `)`                    a tuple
//              |  `{` "key" `:` type {`,` ...} `}` a dict with these keys
//   element   ::= f16 | bf16 | f32 | f64 | i8 | ui8 | i16 | i32 | i64 | i1 | complex64 | complex128
//
// It is held as attributes, one per argument, in the form that `tl.arguments` and `tl.result` of
// compiled functions have as well: a `TypeAttr` for what is passed at run time (tensor, `i64`,
// `f64`, `i1`), `#tl.none`, another constant attribute for a fixed value, and dictionaries {list =
// [...]}, {tuple = [...]}, {dict = [[key, value], ...]}.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_DIALECT_TORCHLITE_TRANSFORMS_SIGNATURE_H
#define TORCHLITE_DIALECT_TORCHLITE_TRANSFORMS_SIGNATURE_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/Support/LLVM.h"
#include <string>

namespace torchlite::tl {

struct MethodSignature {
  std::string method;
  llvm::SmallVector<mlir::Attribute> arguments;
};

/// Parses a signature. On failure `error` says what was expected and where (counted from 1).
mlir::FailureOr<MethodSignature> parseSignature(mlir::MLIRContext *context, llvm::StringRef text,
                                                std::string &error);

/// Parses one type of a signature (`--input-type`).
mlir::FailureOr<mlir::Attribute> parseSignatureType(mlir::MLIRContext *context,
                                                    llvm::StringRef text, std::string &error);

/// Writes a structure as a signature has it: `(?x4xf32, [int, none])`.
std::string printStructure(mlir::Attribute structure);

} // namespace torchlite::tl

#endif // TORCHLITE_DIALECT_TORCHLITE_TRANSFORMS_SIGNATURE_H
