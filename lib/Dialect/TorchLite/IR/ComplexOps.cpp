//===- ComplexOps.cpp - Complex numbers and their parts -------------------===//
#include "TorchLite/Dialect/TorchLite/IR/TorchLiteDialect.h"
#include <complex>

using namespace mlir;
using namespace torchlite::tl;

using Number = std::complex<APFloat>;

/// Constants larger than this are not taken apart.
static constexpr int64_t maxElements = 1 << 16;

OpFoldResult ComplexOp::fold(FoldAdaptor adaptor) {
  auto re = getRe().getDefiningOp<RealOp>();
  auto im = getIm().getDefiningOp<ImagOp>();
  if (re && im && re.getOperand() == im.getOperand() && re.getOperand().getType() == getType())
    return re.getOperand();
  auto first = dyn_cast_or_null<DenseElementsAttr>(adaptor.getRe());
  auto second = dyn_cast_or_null<DenseElementsAttr>(adaptor.getIm());
  if (!first || !second || first.getType() != second.getType() || !getType().hasStaticShape() ||
      getType().getShape() != first.getType().getShape() || first.getNumElements() > maxElements)
    return {};
  SmallVector<Number> numbers;
  for (auto [x, y] : llvm::zip(first.getValues<APFloat>(), second.getValues<APFloat>()))
    numbers.push_back(Number(x, y));
  return DenseElementsAttr::get(getType(), numbers);
}

/// The operand of the `tl.complex` that made a number, or the parts of a constant.
static OpFoldResult foldPart(Attribute operand, RankedTensorType type, Value part,
                             APFloat (*partOf)(const Number &)) {
  if (part && part.getType() == type)
    return part;
  auto constant = dyn_cast_or_null<DenseElementsAttr>(operand);
  if (!constant || !type.hasStaticShape() || constant.getNumElements() > maxElements)
    return {};
  SmallVector<APFloat> parts;
  for (const Number &number : constant.getValues<Number>())
    parts.push_back(partOf(number));
  return DenseElementsAttr::get(type, parts);
}

OpFoldResult RealOp::fold(FoldAdaptor adaptor) {
  auto complex = getOperand().getDefiningOp<ComplexOp>();
  return foldPart(adaptor.getOperand(), getType(), complex ? complex.getRe() : Value(),
                  [](const Number &number) { return number.real(); });
}

OpFoldResult ImagOp::fold(FoldAdaptor adaptor) {
  auto complex = getOperand().getDefiningOp<ComplexOp>();
  return foldPart(adaptor.getOperand(), getType(), complex ? complex.getIm() : Value(),
                  [](const Number &number) { return number.imag(); });
}
