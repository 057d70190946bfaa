//===- Strides.cpp - How tensors of the program lie in memory -------------===//
#include "Strides.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

SmallVector<int64_t> specialize::staticShape(ArrayRef<OpFoldResult> sizes) {
  return llvm::map_to_vector(sizes, [](OpFoldResult size) {
    return getConstantIntValue(size).value_or(ShapedType::kDynamic);
  });
}

static bool isStatic(ArrayRef<int64_t> shape) { return !ShapedType::isDynamicShape(shape); }

/// PyTorch's strides of a contiguous tensor: sizes of 0 count as 1.
static Strides contiguousStrides(ArrayRef<int64_t> shape) {
  Strides strides(shape.size());
  int64_t stride = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= std::max<int64_t>(shape[i], 1);
  }
  return strides;
}

std::optional<Strides> specialize::stridesOf(const TensorRef &tensor) {
  if (tensor.strides)
    return tensor.strides;
  if (tensor.contiguous == Known::Yes && tensor.type.hasStaticShape())
    return contiguousStrides(tensor.type.getShape());
  return std::nullopt;
}

bool specialize::areContiguous(ArrayRef<int64_t> shape, ArrayRef<int64_t> strides) {
  if (llvm::is_contained(shape, 0))
    return true;
  int64_t expected = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    if (shape[i] != 1 && strides[i] != expected)
      return false;
    expected *= shape[i];
  }
  return true;
}

std::optional<Strides> specialize::stridesOfReshape(ArrayRef<int64_t> shape,
                                                    ArrayRef<int64_t> strides,
                                                    ArrayRef<int64_t> viewShape) {
  if (llvm::is_contained(shape, 0))
    return shape == viewShape ? Strides(strides) : contiguousStrides(viewShape);
  if (shape.empty())
    return Strides(viewShape.size(), 1);
  Strides result(viewShape.size());
  int64_t viewDim = static_cast<int64_t>(viewShape.size()) - 1;
  // Groups of dimensions that lie in memory as one, from behind; each is cut into dimensions of the
  // view.
  int64_t base = strides.back(), count = 1, viewCount = 1;
  for (size_t dim = shape.size(); dim-- > 0;) {
    count *= shape[dim];
    bool ends = dim == 0 || (shape[dim - 1] != 1 && strides[dim - 1] != count * base);
    if (!ends)
      continue;
    while (viewDim >= 0 && (viewCount < count || viewShape[viewDim] == 1)) {
      result[viewDim] = viewCount * base;
      viewCount *= viewShape[viewDim--];
    }
    if (viewCount != count)
      return std::nullopt;
    if (dim > 0) {
      base = strides[dim - 1];
      count = viewCount = 1;
    }
  }
  return viewDim < 0 ? std::optional(result) : std::nullopt;
}

/// Missing dimensions and those of size 1 are repeated.
static Strides stridesOfBroadcast(ArrayRef<int64_t> shape, ArrayRef<int64_t> strides,
                                  ArrayRef<int64_t> viewShape) {
  Strides result(viewShape.size(), 0);
  size_t added = viewShape.size() - shape.size();
  for (size_t i = 0; i < shape.size(); ++i)
    if (shape[i] == viewShape[added + i])
      result[added + i] = strides[i];
  return result;
}

std::optional<Strides> specialize::stridesOfView(const ViewStep &step, ArrayRef<int64_t> shape,
                                                 ArrayRef<int64_t> strides,
                                                 ArrayRef<int64_t> viewShape) {
  switch (step.kind) {
  case ViewStep::Kind::Same:
    return Strides(strides);
  case ViewStep::Kind::Permute: {
    Strides result;
    for (int64_t dim : step.permutation)
      result.push_back(strides[dim]);
    return result;
  }
  case ViewStep::Kind::Slice: {
    Strides result(strides);
    for (auto [stride, by] : llvm::zip_equal(result, step.steps)) {
      std::optional<int64_t> known = getConstantIntValue(by);
      if (!known)
        return std::nullopt;
      stride *= *known;
    }
    return result;
  }
  case ViewStep::Kind::Broadcast:
    if (!isStatic(shape) || !isStatic(viewShape) || viewShape.size() < shape.size())
      return std::nullopt;
    return stridesOfBroadcast(shape, strides, viewShape);
  case ViewStep::Kind::Reshape:
    if (!isStatic(shape) || !isStatic(viewShape))
      return std::nullopt;
    return stridesOfReshape(shape, strides, viewShape);
  case ViewStep::Kind::Custom:
    return std::nullopt;
  }
  llvm_unreachable("all kinds covered");
}

std::optional<int64_t> specialize::offsetOfView(const ViewStep &step, ArrayRef<int64_t> strides,
                                                std::optional<int64_t> offset) {
  if (step.kind == ViewStep::Kind::Custom)
    return std::nullopt;
  if (step.kind != ViewStep::Kind::Slice || !offset)
    return offset;
  for (auto [begin, stride] : llvm::zip_equal(step.offsets, strides)) {
    std::optional<int64_t> known = getConstantIntValue(begin);
    if (!known)
      return std::nullopt;
    *offset += *known * stride;
  }
  return offset;
}

/// Whether a tensor lies in memory without gaps and without an element twice, in any order.
static bool isDense(ArrayRef<int64_t> shape, ArrayRef<int64_t> strides) {
  SmallVector<std::pair<int64_t, int64_t>> dims;
  for (auto [size, stride] : llvm::zip_equal(shape, strides))
    if (size != 1)
      dims.push_back({stride, size});
  llvm::sort(dims);
  int64_t expected = 1;
  for (auto [stride, size] : dims) {
    if (stride != expected)
      return false;
    expected *= size;
  }
  return true;
}

Overlap specialize::overlapOf(const TensorRef &a, const TensorRef &b) {
  if (a.storage != b.storage)
    return Overlap::No;
  std::optional<Strides> ours = stridesOf(a), others = stridesOf(b);
  if (!ours || !others || !a.offset || !b.offset || !a.type.hasStaticShape() ||
      !b.type.hasStaticShape())
    return Overlap::Unknown;
  if (!a.type.getNumElements() || !b.type.getNumElements())
    return Overlap::No;
  if (!isDense(a.type.getShape(), *ours) || !isDense(b.type.getShape(), *others))
    return Overlap::Unknown; // nor does PyTorch look further
  int64_t end = *a.offset + a.type.getNumElements(), otherEnd = *b.offset + b.type.getNumElements();
  if (a.offset == b.offset && end == otherEnd)
    return *ours == *others ? Overlap::Full : Overlap::Partial;
  return *a.offset < otherEnd && *b.offset < end ? Overlap::Partial : Overlap::No;
}

std::optional<Strides> specialize::preservedStrides(ArrayRef<int64_t> shape,
                                                    ArrayRef<int64_t> strides) {
  SmallVector<int64_t> order;
  for (auto [dim, size] : llvm::enumerate(shape))
    if (size != 1)
      order.push_back(dim);
  llvm::stable_sort(order, [&](int64_t a, int64_t b) { return strides[a] > strides[b]; });
  for (size_t i = 0; i < order.size(); ++i)
    if (strides[order[i]] == 0 || (i && strides[order[i]] == strides[order[i - 1]]))
      return std::nullopt;
  if (order.size() != shape.size() && !areContiguous(shape, strides))
    return std::nullopt; // where dimensions of size 1 come to lie is not worth the trouble
  Strides result = contiguousStrides(shape);
  int64_t stride = 1;
  for (int64_t dim : llvm::reverse(order)) {
    result[dim] = stride;
    stride *= shape[dim];
  }
  return result;
}
