//===- Queries.cpp - What a program asks about tensors and values ---------===//
#include "../Interpreter/Boxes.h"
#include "../Interpreter/Strides.h"
#include "../Interpreter/Walker.h"
#include "TorchLite/Specialize/Rules.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
namespace rt = torchlite::rt;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

namespace {

using Results = SmallVectorImpl<SpecValue>;

/// A rule that gives a constant.
SpecialRule constantBool(bool value) {
  return [value](RuleContext &ctx, Results &results) {
    results.push_back(ctx.makeBool(value));
    return success();
  };
}
SpecialRule constantInt(int64_t value) {
  return [value](RuleContext &ctx, Results &results) {
    results.push_back(ctx.makeInt(value));
    return success();
  };
}

/// Operators without effect here: warnings, modes.
LogicalResult nothing(RuleContext &ctx, Results &results) {
  for (size_t i = 0; i < ctx.resultTypes().size(); ++i)
    results.push_back(SpecValue::none());
  return success();
}

/// The operand itself.
LogicalResult same(RuleContext &ctx, Results &results) {
  results.push_back(ctx.operand(0));
  return success();
}

/// prim::EnumName(value), prim::EnumValue(value).
template <bool isName> LogicalResult enumPart(RuleContext &ctx, Results &results) {
  auto value = dyn_cast_if_present<EnumValueAttr>(ctx.operand(0).getConstant());
  if (!value)
    return ctx.fail("expected a value of an enumeration that is known at compile time");
  Type type = AnyType::get(ctx.context());
  results.push_back(
      ctx.getWalker().fromAttribute(isName ? value.getName() : value.getValue(), type));
  return success();
}

/// A rule on the type of a tensor operand.
template <typename Function> SpecialRule ofType(Function function) {
  return [function](RuleContext &ctx, Results &results) -> LogicalResult {
    RankedTensorType type = ctx.tensorType(0);
    if (ctx.failed())
      return failure();
    results.push_back(function(ctx, type));
    return success();
  };
}

LogicalResult size(RuleContext &ctx, Results &results) {
  Value tensor = ctx.tensor(0);
  if (ctx.failed())
    return failure();
  std::vector<SpecValue> sizes;
  for (OpFoldResult extent : ctx.sizes(tensor))
    sizes.push_back(ctx.makeInt(extent));
  results.push_back(ctx.makeList(std::move(sizes), ctx.b.getI64Type()));
  return success();
}

LogicalResult sizeOfDim(RuleContext &ctx, Results &results) {
  Value tensor = ctx.tensor(0);
  if (ctx.failed())
    return failure();
  int64_t rank = cast<RankedTensorType>(tensor.getType()).getRank();
  std::optional<int64_t> dim = ctx.knownInt(1);
  if (!dim) {
    if (ctx.getWalker().loseStructure("the dimension of size() is known only at run time"))
      return failure();
    return ctx.fail("expected a dimension that is known at compile time");
  }
  if (*dim < -rank || *dim >= rank)
    return ctx.raise("Dimension out of range (expected to be in range of [" + Twine(-rank) + ", " +
                     Twine(rank - 1) + "], but got " + Twine(*dim) + ")");
  results.push_back(ctx.makeInt(ctx.size(tensor, *dim < 0 ? *dim + rank : *dim)));
  return success();
}

LogicalResult numel(RuleContext &ctx, Results &results) {
  Value tensor = ctx.tensor(0);
  if (ctx.failed())
    return failure();
  results.push_back(ctx.makeInt(ctx.product(ctx.sizes(tensor))));
  return success();
}

LogicalResult lengthOfTensor(RuleContext &ctx, Results &results) {
  Value tensor = ctx.tensor(0);
  if (ctx.failed())
    return failure();
  if (cast<RankedTensorType>(tensor.getType()).getRank() == 0)
    return ctx.raise("TypeError: len() of a 0-d tensor");
  results.push_back(ctx.makeInt(ctx.size(tensor, 0)));
  return success();
}

LogicalResult isContiguous(RuleContext &ctx, Results &results) {
  if (!ctx.isTensor(0))
    return ctx.fail("expected a tensor");
  ctx.getWalker().reliesOnContiguity |= ctx.operand(0).getTensor().given;
  switch (ctx.contiguous(0)) {
  case Known::Yes:
    return results.push_back(ctx.makeBool(true)), success();
  case Known::No:
    return results.push_back(ctx.makeBool(false)), success();
  case Known::Maybe:
    return ctx.fail("whether this tensor is contiguous is not known at compile time");
  }
  return failure();
}

/// Whether two names that are not the same cell may stand for one thing all the same.
bool mayBeOne(Walker &w, const SpecValue &a, const SpecValue &b) {
  auto cellOf = [](const SpecValue &value) -> std::optional<CellId> {
    if (value.isTensor())
      return value.getTensor().storage;
    if (value.is(ValueKind::List) || value.is(ValueKind::Dict))
      return value.getCell();
    return std::nullopt;
  };
  std::optional<CellId> x = cellOf(a), y = cellOf(b);
  return x && y && *x != *y && a.kind() == b.kind() && w.state.heap.mayAlias(*x, *y);
}

/// stride.int(self, dim).
LogicalResult strideOfDim(RuleContext &ctx, Results &results) {
  Value tensor = ctx.tensor(0);
  int64_t rank = cast<RankedTensorType>(tensor.getType()).getRank(), dim = ctx.dim(1, rank);
  if (ctx.failed())
    return failure();
  std::optional<Strides> strides = stridesOf(ctx.operand(0).getTensor());
  if (!strides || rank == 0)
    return ctx.fail("the strides of this tensor are not known at compile time");
  ctx.getWalker().reliesOnContiguity |= ctx.operand(0).getTensor().given;
  results.push_back(ctx.makeInt((*strides)[dim]));
  return success();
}

/// stride(self).
LogicalResult strideList(RuleContext &ctx, Results &results) {
  (void)ctx.tensor(0);
  if (ctx.failed())
    return failure();
  std::optional<Strides> strides = stridesOf(ctx.operand(0).getTensor());
  if (!strides)
    return ctx.fail("the strides of this tensor are not known at compile time");
  ctx.getWalker().reliesOnContiguity |= ctx.operand(0).getTensor().given;
  std::vector<SpecValue> elements;
  for (int64_t stride : *strides)
    elements.push_back(ctx.makeInt(stride));
  results.push_back(ctx.makeList(std::move(elements), ctx.b.getI64Type()));
  return success();
}

/// Whether two lists or dicts in boxes are one, or not.
Value sameBox(RuleContext &ctx, bool negated) {
  auto address = [&](unsigned i) -> Value {
    Value box = ctx.getWalker().cell(ctx.operand(i).getCell()).box;
    return rt::BoxAddressOp::create(ctx.b, ctx.loc, box);
  };
  return arith::CmpIOp::create(ctx.b, ctx.loc,
                               negated ? arith::CmpIPredicate::ne : arith::CmpIPredicate::eq,
                               address(0), address(1));
}

/// Tuples and strings that come out of boxes are put together anew each time.
bool mayBeSameInBoxes(Walker &w, const SpecValue &a, const SpecValue &b) {
  if (a.is(ValueKind::Tuple) && b.is(ValueKind::Tuple))
    return !w.boxes.forms.empty();
  return a.is(ValueKind::Text) || b.is(ValueKind::Text);
}

/// `a is b`.
template <bool negated> LogicalResult identity(RuleContext &ctx, Results &results) {
  const SpecValue &a = ctx.operand(0), &b = ctx.operand(1);
  bool identical;
  if (a.is(ValueKind::Optional) || b.is(ValueKind::Optional)) {
    // The other one is None.
    Value present = (a.is(ValueKind::Optional) ? a : b).getPresent();
    if (!negated) {
      Value yes = ctx.getWalker().constant(ctx.b.getBoolAttr(true));
      present = ctx.b.createOrFold<arith::XOrIOp>(ctx.loc, present, yes);
    }
    results.push_back(SpecValue::scalar(present));
    return success();
  }
  if (a.isNone() || b.isNone())
    identical = a.isNone() && b.isNone();
  else if (a.isNumber() && b.isNumber() && !(a.isConstant() && b.isConstant()))
    return ctx.fail("'is' between numbers that are known only at run time is not supported");
  else if (isBoxed(ctx.getWalker(), a) && isBoxed(ctx.getWalker(), b)) {
    results.push_back(SpecValue::scalar(sameBox(ctx, negated)));
    return success();
  } else if (!a.same(b) && mayBeSameInBoxes(ctx.getWalker(), a, b))
    return ctx.fail("'is' between tuples or strings that lists or dicts hold whose structure is "
                    "known only at run time is not supported");
  else if (mayBeOne(ctx.getWalker(), a, b))
    return ctx.fail(
        "'is' between two things that are one or not, which depends on a condition at run "
        "time");
  else
    identical = a.same(b);
  results.push_back(ctx.makeBool(identical != negated));
  return success();
}

LogicalResult unwrapOptional(RuleContext &ctx, Results &results) {
  if (ctx.operand(0).isNone())
    return ctx.raise("Unwrapping null optional");
  if (ctx.operand(0).is(ValueKind::Optional)) {
    ctx.check(ctx.operand(0).getPresent(), "Unwrapping null optional");
    results.push_back(ctx.operand(0).getPayload());
    return success();
  }
  return same(ctx, results);
}

LogicalResult deviceOf(RuleContext &ctx, Results &results) {
  // The target decides where a program runs, whatever the archive says.
  results.push_back(SpecValue::constant(ValueKind::Device, ctx.b.getStringAttr("cpu")));
  return success();
}

/// prim::type(device): "cpu", as deviceOf says.
LogicalResult typeOfDevice(RuleContext &ctx, Results &results) {
  results.push_back(ctx.makeString("cpu"));
  return success();
}

LogicalResult makeDevice(RuleContext &ctx, Results &results) {
  (void)ctx.constantString(0);
  if (ctx.failed())
    return failure();
  return deviceOf(ctx, results);
}

LogicalResult promote(RuleContext &ctx, Results &results) {
  int64_t a = ctx.constantInt(0), b = ctx.constantInt(1);
  if (ctx.failed())
    return failure();
  Type x = dtypeToType(ctx.context(), a), y = dtypeToType(ctx.context(), b);
  if (!x || !y)
    return ctx.fail("expected two dtypes that are supported");
  results.push_back(ctx.makeInt(typeToDtype(promoteTypes(x, y))));
  return success();
}

LogicalResult resultTypeOf(RuleContext &ctx, Results &results) {
  Type type = ctx.resultType({0, 1});
  if (ctx.failed())
    return failure();
  results.push_back(ctx.makeInt(typeToDtype(type)));
  return success();
}

} // namespace

void specialize::registerQueryRules(RuleRegistry &registry) {
  for (const char *name : {"size", "prim::shape"})
    registry.special(name, size);
  for (const char *name : {"size.int", "sym_size.int"})
    registry.special(name, sizeOfDim);
  for (const char *name : {"numel", "sym_numel"})
    registry.special(name, numel);
  registry.special("len.Tensor", lengthOfTensor);
  for (const char *name : {"dim", "ndimension", "prim::ndim"})
    registry.special(name, ofType([](RuleContext &ctx, RankedTensorType type) {
                       return ctx.makeInt(type.getRank());
                     }));
  registry.special("prim::dtype", ofType([](RuleContext &ctx, RankedTensorType type) {
                     return ctx.makeInt(typeToDtype(type.getElementType()));
                   }));
  registry.special("is_floating_point", ofType([](RuleContext &ctx, RankedTensorType type) {
                     return ctx.makeBool(isFloat(type.getElementType()));
                   }));
  registry.special("is_complex", ofType([](RuleContext &ctx, RankedTensorType type) {
                     return ctx.makeBool(isComplex(type.getElementType()));
                   }));
  registry.special("is_signed", ofType([](RuleContext &ctx, RankedTensorType type) {
                     return ctx.makeBool(!type.getElementType().isUnsignedInteger() &&
                                         !isBool(type.getElementType()));
                   }));
  for (const char *name : {"element_size", "prim::itemsize"})
    registry.special(name, ofType([](RuleContext &ctx, RankedTensorType type) {
                       auto complex = dyn_cast<ComplexType>(type.getElementType());
                       unsigned bits = complex
                                           ? 2 * complex.getElementType().getIntOrFloatBitWidth()
                                           : type.getElementTypeBitWidth();
                       return ctx.makeInt(static_cast<int64_t>((bits + 7) / 8));
                     }));
  registry.special("is_contiguous", isContiguous);
  registry.special("stride", strideList);
  registry.special("stride.int", strideOfDim);
  registry.special("prim::device", deviceOf);
  registry.special("prim::type", typeOfDevice);
  registry.special("device", makeDevice);
  registry.special("device.with_index", makeDevice);
  registry.special("get_device", constantInt(-1));
  registry.special("prim::layout", constantInt(0));
  for (const char *name : {"prim::is_cuda",       "prim::is_quantized",
                           "prim::is_sparse",     "prim::is_mkldnn",
                           "prim::is_xpu",        "prim::is_mps",
                           "prim::is_mtia",       "prim::is_vulkan",
                           "prim::is_meta",       "prim::is_ipu",
                           "prim::is_nested",     "prim::is_sparse_csr",
                           "prim::is_xla",        "prim::is_ort",
                           "prim::is_maia",       "prim::is_hpu",
                           "prim::requires_grad", "is_grad_enabled",
                           "is_autocast_enabled", "is_autocast_cpu_enabled",
                           "cuda_is_available",   "is_inference"})
    registry.special(name, constantBool(false));
  registry.special("prim::is_cpu", constantBool(true));
  registry.special("__is__", identity<false>);
  registry.special("__isnot__", identity<true>);
  for (const char *name : {"prim::unchecked_unwrap_optional", "_unwrap_optional"})
    registry.special(name, unwrapOptional);
  for (const char *name :
       {"prim::data", "detach", "detach_", "requires_grad_", "prim::unchecked_cast", "alias",
        "prim::annotate", "_set_requires_grad", "wait"}) // for what has run where it was forked
    registry.special(name, same);
  for (const char *name : {"warn", "warn_once", "set_grad_enabled", "_set_grad_enabled"})
    registry.special(name, nothing);
  registry.special("prim::EnumValue", enumPart<false>);
  registry.special("prim::EnumName", enumPart<true>);
  registry.special("promote_types", promote);
  for (const char *name : {"result_type.Tensor", "result_type.Scalar", "result_type.Scalar_Tensor",
                           "result_type.Scalar_Scalar"})
    registry.special(name, resultTypeOf);
}
