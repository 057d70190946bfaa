//===- ConstantData.cpp - The bytes of tensor constants -------------------===//
#include "TorchLite/Codegen/Common/ConstantData.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/Support/xxhash.h"

#include <mutex>

using namespace mlir;

namespace torchlite {

/// Bytes of an element, or 0 where elements are not whole bytes in the constant's storage.
static int64_t elementBytes(Type type) {
  if (!type.isIntOrFloat() || type.getIntOrFloatBitWidth() % 8)
    return 0;
  return type.getIntOrFloatBitWidth() / 8;
}

/// The stored elements; one if `splat`.
static std::optional<ArrayRef<char>> bytesOf(ElementsAttr constant, bool &splat) {
  splat = false;
  if (auto dense = dyn_cast<DenseElementsAttr>(constant)) {
    splat = dense.isSplat();
    return dense.getRawData();
  }
  auto resource = dyn_cast<DenseResourceElementsAttr>(constant);
  if (!resource)
    return std::nullopt;
  AsmResourceBlob *blob = resource.getRawHandle().getBlob();
  if (!blob)
    return std::nullopt;
  return blob->getData();
}

namespace {
/// Copies elements of a fixed size into a new layout.
struct Copier {
  ArrayRef<LayoutDim> layout;
  ArrayRef<int64_t> shape;
  SmallVector<int64_t> strides; // of the source
  const char *source;
  char *target;
  int64_t bytes;

  /// Writes all elements of the dimensions from `dim` on. `index` is the position in the source.
  void copy(unsigned dim, SmallVectorImpl<int64_t> &index) {
    if (dim == layout.size()) {
      int64_t offset = 0;
      bool inside = true;
      for (auto [d, i] : llvm::enumerate(index)) {
        inside &= i < shape[d];
        offset += i * strides[d];
      }
      if (inside)
        memcpy(target, source + offset * bytes, bytes);
      target += bytes; // the target starts out as zeros
      return;
    }
    LayoutDim step = layout[dim];
    int64_t start = index[step.source];
    // The innermost dimension is walked without recursion.
    if (dim + 1 == layout.size()) {
      bool inside = true;
      int64_t offset = 0;
      for (auto [d, i] : llvm::enumerate(index)) {
        inside &= int64_t(d) == step.source || i < shape[d];
        offset += i * strides[d];
      }
      int64_t count = 0;
      if (inside && start < shape[step.source])
        count = std::min(step.size, (shape[step.source] - start + step.factor - 1) / step.factor);
      const char *from = source + offset * bytes;
      int64_t stride = step.factor * strides[step.source] * bytes;
      if (bytes == 4) // the usual case, worth a plain loop
        for (int64_t i = 0; i < count; ++i)
          memcpy(target + 4 * i, from + i * stride, 4);
      else
        for (int64_t i = 0; i < count; ++i)
          memcpy(target + bytes * i, from + i * stride, bytes);
      target += step.size * bytes;
      return;
    }
    for (int64_t i = 0; i < step.size; ++i) {
      index[step.source] = start + i * step.factor;
      copy(dim + 1, index);
    }
    index[step.source] = start;
  }
};
} // namespace

/// The name of `resource` in another layout. Functions are compiled side by side: the name says
/// the layout, and not which of them came first, so that compilations give equal artefacts.
static std::string nameOf(DenseResourceElementsAttr resource, ArrayRef<LayoutDim> layout,
                          StringRef suffix) {
  SmallVector<uint8_t> bytes;
  for (LayoutDim dim : layout)
    for (int64_t number : {dim.size, dim.source, dim.factor})
      for (unsigned shift = 0; shift < 64; shift += 8)
        bytes.push_back(static_cast<uint8_t>(uint64_t(number) >> shift));
  return (resource.getRawHandle().getKey() + suffix + "_" +
          llvm::utohexstr(llvm::xxh3_64bits(bytes), /*LowerCase=*/true, /*Width=*/16))
      .str();
}

/// The resource `name` with these bytes: the one that another function made, if they are equal.
static ElementsAttr resourceOf(RankedTensorType type, StringRef name, AsmResourceBlob blob) {
  static std::mutex mutex; // between looking up and inserting
  std::lock_guard<std::mutex> lock(mutex);
  auto *dialect = type.getContext()->getLoadedDialect<BuiltinDialect>();
  auto &manager = DenseResourceElementsHandle::getManagerInterface(type.getContext());
  auto *entry = manager.getBlobManager().lookup(name);
  if (!entry)
    return DenseResourceElementsAttr::get(type, name, std::move(blob));
  if (!entry->getBlob()) // released, since nothing used it
    manager.getBlobManager().update(name, std::move(blob));
  else if (entry->getBlob()->getData() != blob.getData())
    return DenseResourceElementsAttr::get(type, name, std::move(blob));
  return DenseResourceElementsAttr::get(type, DenseResourceElementsHandle(entry, dialect));
}

ElementsAttr rearrange(ElementsAttr constant, ArrayRef<LayoutDim> layout, StringRef suffix) {
  auto type = cast<ShapedType>(constant.getType());
  int64_t bytes = elementBytes(type.getElementType());
  bool splat;
  std::optional<ArrayRef<char>> source = bytesOf(constant, splat);
  if (!bytes || !source || layout.empty())
    return {};
  SmallVector<int64_t> sizes;
  int64_t elements = 1;
  for (LayoutDim dim : layout) {
    sizes.push_back(dim.size);
    elements *= dim.size;
  }
  auto newType = RankedTensorType::get(sizes, type.getElementType());
  SmallVector<char> expanded;
  if (splat) {
    expanded.reserve(type.getNumElements() * bytes);
    for (int64_t i = 0; i < type.getNumElements(); ++i)
      expanded.append(source->begin(), source->end());
    source = expanded;
  }
  if (int64_t(source->size()) != type.getNumElements() * bytes)
    return {};

  AsmResourceBlob blob = HeapAsmResourceBlob::allocate(elements * bytes, /*align=*/64);
  memset(blob.getMutableData().data(), 0, elements * bytes);
  Copier copier{layout, type.getShape(), {}, source->data(), blob.getMutableData().data(), bytes};
  copier.strides.assign(type.getRank(), 1);
  for (int64_t d = type.getRank() - 2; d >= 0; --d)
    copier.strides[d] = copier.strides[d + 1] * type.getDimSize(d + 1);
  SmallVector<int64_t> index(type.getRank(), 0);
  copier.copy(0, index);

  auto resource = dyn_cast<DenseResourceElementsAttr>(constant);
  if (!resource)
    return DenseElementsAttr::getFromRawBuffer(newType, blob.getData());
  return resourceOf(newType, nameOf(resource, layout, suffix), std::move(blob));
}

ElementsAttr reshape(ElementsAttr constant, RankedTensorType type) {
  if (auto dense = dyn_cast<DenseElementsAttr>(constant))
    return dense.reshape(type);
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(constant))
    return DenseResourceElementsAttr::get(type, resource.getRawHandle());
  return {};
}

} // namespace torchlite
