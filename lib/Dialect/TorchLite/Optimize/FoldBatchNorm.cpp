//===- FoldBatchNorm.cpp - Folds normalisation into kernels ---------------===//
#include "TorchLite/Dialect/TorchLite/IR/TorchLiteDialect.h"
#include "TorchLite/Dialect/TorchLite/Optimize/Passes.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"

#include <cmath>

namespace torchlite::tl {
#define GEN_PASS_DEF_FOLDBATCHNORMPASS
#include "TorchLite/Dialect/TorchLite/Optimize/Passes.h.inc"
} // namespace torchlite::tl

using namespace mlir;
using namespace torchlite::tl;

namespace {

/// The elements of a constant of f32 or f64, read in place where they are stored as bytes.
class FloatConstant {
public:
  /// Fails for values that are no such constants.
  static std::optional<FloatConstant> get(Value value) {
    FloatConstant result;
    if (!value || !matchPattern(value, m_Constant(&result.attribute)))
      return std::nullopt;
    result.type = dyn_cast<RankedTensorType>(result.attribute.getType());
    if (!result.type || !result.type.hasStaticShape() ||
        !isa<Float32Type, Float64Type>(result.type.getElementType()))
      return std::nullopt;
    if (auto dense = dyn_cast<DenseElementsAttr>(result.attribute)) {
      result.bytes = dense.getRawData();
      result.isSplat = dense.isSplat();
      return result;
    }
    auto resource = dyn_cast<DenseResourceElementsAttr>(result.attribute);
    AsmResourceBlob *blob = resource ? resource.getRawHandle().getBlob() : nullptr;
    if (!blob)
      return std::nullopt;
    result.bytes = blob->getData();
    size_t width = result.type.getElementTypeBitWidth() / 8;
    if (result.bytes.size() != width * result.type.getNumElements())
      return std::nullopt;
    return result;
  }

  RankedTensorType getType() const { return type; }
  TypedAttr getAttribute() const { return attribute; }

  double operator[](int64_t i) const {
    if (isSplat)
      i = 0;
    if (type.getElementType().isF32()) {
      float value;
      memcpy(&value, bytes.data() + i * sizeof(value), sizeof(value));
      return value;
    }
    double value;
    memcpy(&value, bytes.data() + i * sizeof(value), sizeof(value));
    return value;
  }

private:
  TypedAttr attribute;
  RankedTensorType type;
  ArrayRef<char> bytes;
  bool isSplat = false;
};

/// A constant of `type` with the elements that `compute` gives: text for small ones, a resource for
/// others.
TypedAttr createConstant(RankedTensorType type, StringRef name,
                         llvm::function_ref<double(int64_t)> compute) {
  bool isSingle = type.getElementType().isF32();
  int64_t count = type.getNumElements();
  size_t width = isSingle ? sizeof(float) : sizeof(double);
  AsmResourceBlob blob = HeapAsmResourceBlob::allocate(std::max<size_t>(count * width, 1),
                                                       /*align=*/64, /*dataIsMutable=*/true);
  char *data = blob.getMutableData().data();
  for (int64_t i = 0; i < count; ++i) {
    double value = compute(i);
    float rounded = static_cast<float>(value);
    memcpy(data + i * width, isSingle ? static_cast<void *>(&rounded) : &value, width);
  }
  constexpr int64_t smallCount = 16;
  if (count <= smallCount)
    return DenseElementsAttr::getFromRawBuffer(type, ArrayRef<char>(data, count * width));
  return DenseResourceElementsAttr::get(type, name, std::move(blob));
}

/// What a normalisation of constants does to channel c: x * scale[c] + shift[c].
struct ScaleAndShift {
  SmallVector<double> scale, shift;
};

std::optional<ScaleAndShift> getScaleAndShift(BatchNormOp op) {
  auto mean = FloatConstant::get(op.getMean()), variance = FloatConstant::get(op.getVariance());
  auto weight = FloatConstant::get(op.getWeight()), bias = FloatConstant::get(op.getBias());
  if (!mean || !variance || (op.getWeight() && !weight) || (op.getBias() && !bias))
    return std::nullopt;
  ScaleAndShift result;
  double eps = op.getEps().convertToDouble();
  for (int64_t c = 0, e = mean->getType().getNumElements(); c < e; ++c) {
    double scale = (weight ? (*weight)[c] : 1.0) / std::sqrt((*variance)[c] + eps);
    result.scale.push_back(scale);
    result.shift.push_back((bias ? (*bias)[c] : 0.0) - (*mean)[c] * scale);
  }
  return result;
}

struct FoldBatchNorm : torchlite::tl::impl::FoldBatchNormPassBase<FoldBatchNorm> {
  void runOnOperation() override {
    SmallVector<BatchNormOp> operations;
    getOperation().walk([&](BatchNormOp op) { operations.push_back(op); });
    for (BatchNormOp op : operations) {
      std::optional<ScaleAndShift> affine = getScaleAndShift(op);
      if (!affine)
        continue;
      auto conv = op.getInput().getDefiningOp<ConvOp>();
      if (!conv || !conv->hasOneUse() || !foldIntoConv(op, conv, *affine))
        foldIntoProduct(op, *affine);
    }
  }

  /// Constants that were made from others: the same ones for the same.
  llvm::DenseMap<std::pair<Attribute, Attribute>, TypedAttr> folded;

  /// What a folded constant depends on besides the one it replaces.
  Attribute getKey(BatchNormOp op, StringRef part, Attribute groups) {
    Builder builder(op.getContext());
    SmallVector<Attribute> key = {builder.getStringAttr(part), op.getEpsAttr(), groups};
    for (Value operand : {op.getMean(), op.getVariance(), op.getWeight(), op.getBias()}) {
      Attribute attribute = builder.getUnitAttr();
      if (operand)
        matchPattern(operand, m_Constant(&attribute));
      key.push_back(attribute);
    }
    return builder.getArrayAttr(key);
  }

  Value getFolded(OpBuilder &builder, Location loc, Attribute from, Attribute key,
                  RankedTensorType type, StringRef name,
                  llvm::function_ref<double(int64_t)> compute) {
    TypedAttr &attribute = folded[{from, key}];
    if (!attribute)
      attribute = createConstant(type, name, compute);
    return arith::ConstantOp::create(builder, loc, attribute);
  }

  bool foldIntoConv(BatchNormOp op, ConvOp conv, const ScaleAndShift &affine) {
    auto weight = FloatConstant::get(conv.getWeight());
    auto bias = FloatConstant::get(conv.getBias());
    if (!weight || (conv.getBias() && !bias))
      return false;
    RankedTensorType type = weight->getType();
    int64_t features = affine.scale.size(), first = type.getDimSize(0), second = type.getDimSize(1);
    if (features == 0 || type.getNumElements() == 0)
      return false;
    // The feature that element i of the kernel belongs to: [F, C / G, ...], or, transposed,
    // [C, F / G, ...].
    int64_t rest = type.getNumElements() / (first * second), groups = conv.getGroups();
    auto getFeature = [&](int64_t i) {
      int64_t row = i / (second * rest);
      if (!conv.getTransposed())
        return row;
      int64_t group = row / (first / groups);
      return group * second + i / rest % second;
    };
    OpBuilder builder(op);
    Attribute how =
        builder.getArrayAttr({conv.getGroupsAttr(), builder.getBoolAttr(conv.getTransposed())});
    Value newWeight = getFolded(
        builder, conv.getWeight().getLoc(), weight->getAttribute(), getKey(op, "weight", how), type,
        "normalized_weight", [&](int64_t i) { return (*weight)[i] * affine.scale[getFeature(i)]; });
    Attribute oldBias = bias ? Attribute(bias->getAttribute()) : builder.getUnitAttr();
    Value newBias = getFolded(
        builder, op.getLoc(), oldBias, getKey(op, "bias", builder.getUnitAttr()),
        RankedTensorType::get({features}, type.getElementType()), "normalized_bias",
        [&](int64_t c) { return (bias ? (*bias)[c] : 0.0) * affine.scale[c] + affine.shift[c]; });
    auto result =
        ConvOp::create(builder, builder.getFusedLoc({conv.getLoc(), op.getLoc()}), op.getType(),
                       conv.getInput(), newWeight, newBias, conv.getStride(), conv.getPadding(),
                       conv.getDilation(), groups, conv.getTransposed(), conv.getOutputPadding());
    op.replaceAllUsesWith(result.getResult());
    op.erase();
    conv.erase();
    return true;
  }

  void foldIntoProduct(BatchNormOp op, const ScaleAndShift &affine) {
    auto input = op.getInput().getType();
    // [C, 1, ...]: broadcast along the batch and the spatial dimensions.
    SmallVector<int64_t> shape(input.getRank() - 1, 1);
    shape[0] = affine.scale.size();
    auto type = RankedTensorType::get(shape, input.getElementType());
    OpBuilder builder(op);
    Attribute rank = builder.getI64IntegerAttr(input.getRank()), none = builder.getUnitAttr();
    Value scale = getFolded(builder, op.getLoc(), none, getKey(op, "scale", rank), type,
                            "normalized_scale", [&](int64_t c) { return affine.scale[c]; });
    Value shift = getFolded(builder, op.getLoc(), none, getKey(op, "shift", rank), type,
                            "normalized_shift", [&](int64_t c) { return affine.shift[c]; });
    Value product = MulOp::create(builder, op.getLoc(), op.getInput(), scale);
    Value result = AddOp::create(builder, op.getLoc(), product, shift);
    if (result.getType() != op.getType())
      result = tensor::CastOp::create(builder, op.getLoc(), op.getType(), result);
    op.replaceAllUsesWith(result);
    op.erase();
  }
};
} // namespace
