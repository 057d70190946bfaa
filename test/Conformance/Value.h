//===- Value.h - Values of the conformance manifest -----------------------===//
//
// What a case gives to a model and what PyTorch returned for it, as generate.py wrote them.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_TEST_CONFORMANCE_VALUE_H
#define TORCHLITE_TEST_CONFORMANCE_VALUE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"
#include <string>
#include <vector>

namespace conformance {

/// A TorchScript value. Tensors are dense, row-major, little endian.
struct Value {
  enum class Kind { None, Tensor, Int, Bool, Float, String, List, Tuple, Dict };
  Kind kind = Kind::None;
  int64_t integer = 0;              ///< Int, and Bool as 0 or 1
  double number = 0;                ///< Float
  std::string text;                 ///< String; for a Tensor its element type ("f32")
  llvm::SmallVector<int64_t> sizes; ///< Tensor
  std::string bytes;                ///< Tensor
  std::vector<Value> elements;      ///< List, Tuple; Dict has key and value in turn

  int64_t getNumElements() const {
    int64_t count = 1;
    for (int64_t size : sizes)
      count *= size;
    return count;
  }
};

/// The size of an element of the type, 0 for an unknown name.
int64_t getElementBytes(llvm::StringRef elementType);

/// Reads a VALUE of the manifest; tensor elements come from `data`, the content of data.bin.
llvm::Expected<Value> parseValue(const llvm::json::Value &json, llvm::StringRef data);

/// Empty where `actual` is what PyTorch gave: floats within rtol 1e-4 and atol 1e-5 (f16 and bf16
/// within their own precision) with NaN equal to NaN, all else exactly. Otherwise what differs,
/// with `path` naming the place. With `values` false only types, sizes and structure count.
/// `exact`, where it is given, has tensors of which each element is as right as the expected one
/// (generate.py tells why).
std::string compare(const Value &actual, const Value &expected, bool values,
                    const std::string &path = "result", const Value *exact = nullptr);

} // namespace conformance

#endif // TORCHLITE_TEST_CONFORMANCE_VALUE_H
