//===- Reshape.cpp - Reshapes as collapse_shape and expand_shape ----------===//
#include "Utils.h"

using namespace mlir;
using namespace torchlite;

namespace {

/// Consecutive dimensions of source and result that hold the same elements.
struct Group {
  int64_t sourceBegin, sourceEnd, resultBegin, resultEnd;
};

/// Splits the dimensions of a reshape into groups, the finer the better.
class GroupMatcher {
public:
  GroupMatcher(ArrayRef<int64_t> source, ArrayRef<int64_t> result, SameSizePredicate isSameSize)
      : source(source), result(result), isSameSize(isSameSize) {}

  /// The groups in order; both shapes have at least one dimension.
  SmallVector<Group> match() {
    Group middle = {0, static_cast<int64_t>(source.size()), 0, static_cast<int64_t>(result.size())};
    SmallVector<Group> groups, last;
    while (std::optional<Group> group = matchFront(middle)) {
      groups.push_back(*group);
      middle.sourceBegin = group->sourceEnd;
      middle.resultBegin = group->resultEnd;
    }
    while (std::optional<Group> group = matchBack(middle)) {
      last.push_back(*group);
      middle.sourceEnd = group->sourceBegin;
      middle.resultEnd = group->resultBegin;
    }
    addMiddle(middle, groups, last);
    llvm::append_range(groups, llvm::reverse(last));
    return groups;
  }

private:
  bool areSame(int64_t sourceDim, int64_t resultDim) const {
    return ShapedType::isDynamic(source[sourceDim]) && ShapedType::isDynamic(result[resultDim]) &&
           isSameSize && isSameSize(sourceDim, resultDim);
  }

  /// The smallest group at the begin of `rest`: one dynamic dimension, or static ones with the same
  /// product.
  std::optional<Group> matchFront(const Group &rest) const {
    if (rest.sourceBegin == rest.sourceEnd || rest.resultBegin == rest.resultEnd)
      return std::nullopt;
    Group group = {rest.sourceBegin, rest.sourceBegin + 1, rest.resultBegin, rest.resultBegin + 1};
    if (areSame(group.sourceBegin, group.resultBegin))
      return group;
    int64_t sourceSize = source[group.sourceBegin], resultSize = result[group.resultBegin];
    while (!ShapedType::isDynamic(sourceSize) && !ShapedType::isDynamic(resultSize)) {
      if (sourceSize == resultSize)
        return group;
      if (sourceSize < resultSize) {
        if (group.sourceEnd == rest.sourceEnd)
          return std::nullopt;
        sourceSize = multiply(sourceSize, source[group.sourceEnd++]);
      } else {
        if (group.resultEnd == rest.resultEnd)
          return std::nullopt;
        resultSize = multiply(resultSize, result[group.resultEnd++]);
      }
    }
    return std::nullopt;
  }

  std::optional<Group> matchBack(const Group &rest) const {
    if (rest.sourceBegin == rest.sourceEnd || rest.resultBegin == rest.resultEnd)
      return std::nullopt;
    Group group = {rest.sourceEnd - 1, rest.sourceEnd, rest.resultEnd - 1, rest.resultEnd};
    if (areSame(group.sourceBegin, group.resultBegin))
      return group;
    int64_t sourceSize = source[group.sourceBegin], resultSize = result[group.resultBegin];
    while (!ShapedType::isDynamic(sourceSize) && !ShapedType::isDynamic(resultSize)) {
      if (sourceSize == resultSize)
        return group;
      if (sourceSize < resultSize) {
        if (group.sourceBegin == rest.sourceBegin)
          return std::nullopt;
        sourceSize = multiply(sourceSize, source[--group.sourceBegin]);
      } else {
        if (group.resultBegin == rest.resultBegin)
          return std::nullopt;
        resultSize = multiply(resultSize, result[--group.resultBegin]);
      }
    }
    return std::nullopt;
  }

  /// What no end could match: a group of its own, or part of a neighbour if one side has nothing
  /// left (then the other side's sizes are all 1).
  static void addMiddle(Group middle, SmallVectorImpl<Group> &first, SmallVectorImpl<Group> &last) {
    bool noSource = middle.sourceBegin == middle.sourceEnd;
    bool noResult = middle.resultBegin == middle.resultEnd;
    if (noSource && noResult)
      return;
    if (!noSource && !noResult) {
      first.push_back(middle);
    } else if (!first.empty()) {
      first.back().sourceEnd = middle.sourceEnd;
      first.back().resultEnd = middle.resultEnd;
    } else {
      last.back().sourceBegin = middle.sourceBegin;
      last.back().resultBegin = middle.resultBegin;
    }
  }

  static int64_t multiply(int64_t lhs, int64_t rhs) {
    return ShapedType::isDynamic(rhs) ? rhs : lhs * rhs;
  }

  ArrayRef<int64_t> source, result;
  SameSizePredicate isSameSize;
};

} // namespace

static int64_t getProduct(ArrayRef<int64_t> shape) {
  if (ShapedType::isDynamicShape(shape))
    return ShapedType::kDynamic;
  return ShapedType::getNumElements(shape);
}

/// tensor.reshape, which takes all sizes from a tensor.
static Value createDynamicReshape(OpBuilder &builder, Location loc, Value operand,
                                  RankedTensorType type, ArrayRef<OpFoldResult> sizes) {
  SmallVector<Value> values = getValueOrCreateConstantIndexOp(builder, loc, sizes);
  Value shape = tensor::FromElementsOp::create(builder, loc, values);
  return tensor::ReshapeOp::create(builder, loc, type, operand, shape);
}

static Value createCast(OpBuilder &builder, Location loc, Value value, RankedTensorType type) {
  if (value.getType() == type)
    return value;
  return tensor::CastOp::create(builder, loc, type, value);
}

Value torchlite::createReshape(OpBuilder &builder, Location loc, Value operand,
                               RankedTensorType type, ArrayRef<OpFoldResult> sizes,
                               SameSizePredicate isSameSize) {
  auto sourceType = cast<RankedTensorType>(operand.getType());
  // Products of 0 tell nothing; and there is nothing to move.
  if (llvm::is_contained(sourceType.getShape(), 0) || llvm::is_contained(type.getShape(), 0))
    return createEmpty(builder, loc, type, sizes);
  if (sourceType == type && type.getNumDynamicDims() <= 1)
    return operand;
  Type elementType = type.getElementType();
  SmallVector<ReassociationIndices> none;
  if (sourceType.getRank() == 0) {
    auto ones = RankedTensorType::get(SmallVector<int64_t>(type.getRank(), 1), elementType);
    if (type.getRank() > 0)
      operand = tensor::ExpandShapeOp::create(builder, loc, ones, operand, none);
    return createCast(builder, loc, operand, type);
  }
  if (type.getRank() == 0) {
    auto ones = RankedTensorType::get(SmallVector<int64_t>(sourceType.getRank(), 1), elementType);
    return tensor::CollapseShapeOp::create(builder, loc, type,
                                           createCast(builder, loc, operand, ones), none);
  }

  // What the type knows is not computed.
  SmallVector<OpFoldResult> known(sizes);
  for (auto [dim, size] : llvm::enumerate(type.getShape()))
    if (!ShapedType::isDynamic(size))
      known[dim] = builder.getIndexAttr(size);

  SmallVector<ReassociationIndices> collapsed, expanded;
  SmallVector<int64_t> collapsedShape, expandedShape;
  for (Group group : GroupMatcher(sourceType.getShape(), type.getShape(), isSameSize).match()) {
    collapsed.push_back(llvm::to_vector<2>(llvm::seq(group.sourceBegin, group.sourceEnd)));
    expanded.push_back(llvm::to_vector<2>(llvm::seq(group.resultBegin, group.resultEnd)));
    ArrayRef<int64_t> from =
        sourceType.getShape().slice(collapsed.back().front(), collapsed.back().size());
    ArrayRef<int64_t> to = type.getShape().slice(expanded.back().front(), expanded.back().size());
    // MLIR cannot take apart the strides of an expand_shape with two dynamic sizes in a group.
    if (llvm::count(to, ShapedType::kDynamic) > 1)
      return createDynamicReshape(builder, loc, operand, type, known);
    collapsedShape.push_back(getProduct(from));
    expandedShape.push_back(getProduct(to));
  }
  if (static_cast<int64_t>(collapsed.size()) != sourceType.getRank())
    operand = tensor::CollapseShapeOp::create(
        builder, loc, RankedTensorType::get(collapsedShape, elementType), operand, collapsed);
  operand = createCast(builder, loc, operand, RankedTensorType::get(expandedShape, elementType));
  if (static_cast<int64_t>(expanded.size()) == type.getRank())
    return operand;
  return tensor::ExpandShapeOp::create(builder, loc, type, operand, expanded, known);
}
