//===- Storages.cpp - Tensors of the object graph -------------------------===//
#include "Importer.h"

#include "TorchLite/Dialect/TorchLite/IR/StorageView.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace torchlite::import;

/// What a blob asks for. LibTorch gives more; but a reader of bytecode refuses a blob whose
/// alignment exceeds that of the buffer it reads from, and malloc promises no more than this.
static constexpr size_t kAlignment = 16;

FailureOr<Type> Importer::convertScalarType(c10::ScalarType type, const std::string &path,
                                            Location loc) {
  auto unsignedInt = [&](unsigned width) {
    return Type(IntegerType::get(context, width, IntegerType::Unsigned));
  };
  switch (type) {
  case c10::ScalarType::Float:
    return Type(builder.getF32Type());
  case c10::ScalarType::Double:
    return Type(builder.getF64Type());
  case c10::ScalarType::Half:
    return Type(builder.getF16Type());
  case c10::ScalarType::BFloat16:
    return Type(builder.getBF16Type());
  case c10::ScalarType::Char:
    return Type(builder.getI8Type());
  case c10::ScalarType::Short:
    return Type(builder.getI16Type());
  case c10::ScalarType::Int:
    return Type(builder.getI32Type());
  case c10::ScalarType::Long:
    return Type(builder.getI64Type());
  case c10::ScalarType::Bool:
    return Type(builder.getI1Type());
  case c10::ScalarType::Byte:
    return unsignedInt(8);
  case c10::ScalarType::UInt16:
    return unsignedInt(16);
  case c10::ScalarType::UInt32:
    return unsignedInt(32);
  case c10::ScalarType::UInt64:
    return unsignedInt(64);
  case c10::ScalarType::ComplexHalf:
    return Type(ComplexType::get(builder.getF16Type()));
  case c10::ScalarType::ComplexFloat:
    return Type(ComplexType::get(builder.getF32Type()));
  case c10::ScalarType::ComplexDouble:
    return Type(ComplexType::get(builder.getF64Type()));
  case c10::ScalarType::Float8_e5m2:
    return Type(Float8E5M2Type::get(context));
  case c10::ScalarType::Float8_e4m3fn:
    return Type(Float8E4M3FNType::get(context));
  default:
    return emitError(loc) << "'" << path << "': a tensor of type '" << c10::toString(type)
                          << "' is not supported";
  }
}

/// The storage's bytes as an attribute that refers to LibTorch's memory and keeps it alive.
static ElementsAttr makeElements(const at::Tensor &tensor, Type elementType, StringRef name) {
  const c10::Storage &storage = tensor.storage();
  size_t itemSize = tensor.element_size(), count = storage.nbytes() / itemSize;
  auto type = RankedTensorType::get({int64_t(count)}, elementType);
  if (count == 0)
    return DenseElementsAttr::get(type, ArrayRef<Attribute>());
  ArrayRef<char> bytes(static_cast<const char *>(storage.data()), count * itemSize);
  // LibTorch aligns what it allocates; but a storage may be a part of something else.
  if (reinterpret_cast<uintptr_t>(bytes.data()) % kAlignment != 0)
    return DenseResourceElementsAttr::get(
        type, name,
        HeapAsmResourceBlob::allocateAndCopyWithAlign(bytes, kAlignment, /*dataIsMutable=*/false));
  AsmResourceBlob blob(
      bytes, kAlignment, [kept = storage](void *, size_t, size_t) {}, /*dataIsMutable=*/false);
  return DenseResourceElementsAttr::get(type, name, std::move(blob));
}

FailureOr<Attribute> Importer::convertTensor(const at::Tensor &tensor, const std::string &path,
                                             Location loc) {
  if (!tensor.defined())
    return Attribute(tl::NoneAttr::get(context));
  auto refuse = [&](const Twine &kind) -> FailureOr<Attribute> {
    return emitError(loc) << "'" << path << "': a " << kind << " tensor is not supported";
  };
  if (tensor.is_quantized())
    return refuse("quantized");
  if (tensor.layout() != c10::kStrided)
    return refuse("sparse");
  if (tensor.is_nested())
    return refuse("nested");
  if (!tensor.device().is_cpu())
    return refuse("'" + tensor.device().str() + "'");
  if (tensor.is_conj() || tensor.is_neg())
    return refuse("lazily conjugated or negated");
  FailureOr<Type> elementType = convertScalarType(tensor.scalar_type(), path, loc);
  if (failed(elementType))
    return failure();
  std::string fault = tl::findViewFault(tensor.storage_offset(),
                                        ArrayRef<int64_t>(tensor.sizes().data(), tensor.dim()),
                                        ArrayRef<int64_t>(tensor.strides().data(), tensor.dim()),
                                        tensor.storage().nbytes() / tensor.element_size());
  if (!fault.empty())
    return emitError(loc) << "'" << path << "': the tensor is not a view of its storage: " << fault;
  auto [known, isNew] = storages.emplace(tensor.storage().unsafeGetStorageImpl(), StorageInfo{});
  StorageInfo &info = known->second;
  if (isNew) {
    info = {makeSymbol(path), *elementType};
    OpBuilder moduleBuilder = before(storagesEnd);
    tl::StorageOp::create(moduleBuilder, unknown, info.name,
                          makeElements(tensor, *elementType, info.name));
    // The address must stay taken.
    keptAlive.push_back(tensor);
  }
  if (info.elementType != *elementType)
    return emitError(loc) << "'" << path << "': tensors of type " << *elementType << " and "
                          << info.elementType << " share the storage '" << info.name
                          << "', which is not supported";
  return Attribute(tl::TensorRefAttr::get(
      context, FlatSymbolRefAttr::get(context, info.name), tensor.storage_offset(),
      ArrayRef<int64_t>(tensor.sizes().data(), tensor.dim()),
      ArrayRef<int64_t>(tensor.strides().data(), tensor.dim()), *elementType));
}
