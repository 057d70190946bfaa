//===- Nodes.cpp - Nodes of a graph that are neither calls nor control flow ===//
#include "Importer.h"

#include "torch/csrc/jit/ir/constants.h"

using namespace mlir;
using namespace torchlite::import;

namespace attr = c10::attr;
namespace prim = c10::prim;

LogicalResult Importer::importConstant(const jit::Node *node, Location loc) {
  const jit::Value *output = node->output();
  FailureOr<Type> type = convertType(output->type(), loc);
  if (failed(type))
    return failure();
  FailureOr<Attribute> value;
  if (auto functionType = output->type()->cast<c10::FunctionType>()) {
    value = Attribute(getFunction(*functionType->function()));
  } else if (std::optional<c10::IValue> constant = jit::toIValue(output)) {
    value = convertValue(*constant, "constant", loc);
  } else {
    return emitError(loc) << "a constant of the TorchScript type '"
                          << output->type()->annotation_str() << "' is not supported";
  }
  if (failed(value))
    return failure();
  // A constant of Optional type that is None has the optional's type.
  bindResults(node, tl::ConstantOp::create(builder, loc, *type, *value));
  return success();
}

LogicalResult Importer::importOperator(const jit::Node *node, Location loc) {
  const c10::FunctionSchema *schema = node->maybeSchema();
  // The attribute of a warning numbers the places that warn.
  bool hasAttributes = node->hasAttributes() && node->kind() != c10::aten::warn;
  if (!schema || node->blocks().size() || hasAttributes)
    return emitError(loc) << "the TorchScript construct '" << node->kind().toQualString()
                          << "' is not supported";
  SmallVector<Type> types;
  for (const jit::Value *output : node->outputs()) {
    FailureOr<Type> type = convertType(output->type(), loc);
    if (failed(type))
      return failure();
    types.push_back(*type);
  }
  StringRef name = schema->name();
  name.consume_front("aten::");
  std::string fullName = name.str();
  // The overloads of EnumValue differ in their result only, so that LibTorch names the first one.
  if (!schema->overload_name().empty() && node->kind() != prim::EnumValue)
    fullName += "." + schema->overload_name();
  bindResults(node, tl::AtenOp::create(builder, loc, types, builder.getStringAttr(fullName),
                                       getOperands(node)));
  return success();
}

LogicalResult Importer::importSimpleNode(const jit::Node *node, Location loc) {
  SmallVector<Value> in = getOperands(node);
  SmallVector<Type> types;
  if (node->kind() == prim::Constant)
    return importConstant(node, loc);
  auto out = [&] {
    for (const jit::Value *output : node->outputs()) {
      FailureOr<Type> type = convertType(output->type(), loc);
      if (failed(type))
        return failure();
      types.push_back(*type);
    }
    return success();
  };
  /// The node's string attribute `name`: of an attribute or method.
  auto name = [&] { return builder.getStringAttr(node->s(attr::name)); };
  auto bind = [&](Operation *op) {
    bindResults(node, op);
    return success();
  };
  switch (node->kind()) {
  case prim::GetAttr:
  case prim::CallMethod:
  case prim::CreateObject:
  case prim::ListConstruct:
  case prim::ListUnpack:
  case prim::TupleConstruct:
  case prim::TupleUnpack:
  case prim::TupleIndex:
  case prim::TupleSlice:
  case prim::DictConstruct:
  case prim::unchecked_cast:
  case prim::Uninitialized:
  case prim::Enter:
    if (failed(out()))
      return failure();
    break;
  default:
    break;
  }
  switch (node->kind()) {
  case prim::GetAttr:
    return bind(tl::GetAttrOp::create(builder, loc, types[0], in[0], name()));
  case prim::SetAttr:
    tl::SetAttrOp::create(builder, loc, in[0], name(), in[1]);
    return success();
  case prim::HasAttr:
    return bind(tl::HasAttrOp::create(builder, loc, builder.getI1Type(), in[0], name()));
  case prim::CallMethod:
    return bind(tl::CallMethodOp::create(builder, loc, types, name(), in));
  case prim::CreateObject:
    return bind(tl::CreateObjectOp::create(builder, loc, types[0]));
  case prim::ListConstruct:
    return bind(tl::ListConstructOp::create(builder, loc, types[0], in));
  case prim::ListUnpack:
    return bind(tl::ListUnpackOp::create(builder, loc, types, in[0]));
  case prim::TupleConstruct:
    return bind(tl::TupleConstructOp::create(builder, loc, types[0], in));
  case prim::TupleUnpack:
    return bind(tl::TupleUnpackOp::create(builder, loc, types, in[0]));
  case prim::TupleIndex:
    return bind(tl::TupleIndexOp::create(builder, loc, types[0], in[0], in[1]));
  case prim::TupleSlice:
    return bind(tl::TupleSliceOp::create(builder, loc, types[0], in[0], node->i(attr::beg),
                                         node->i(attr::end)));
  case prim::DictConstruct:
    return bind(tl::DictConstructOp::create(builder, loc, types[0], in));
  case prim::unchecked_cast:
    return bind(tl::UncheckedCastOp::create(builder, loc, types[0], in[0]));
  case prim::Uninitialized:
    return bind(tl::UninitializedOp::create(builder, loc, types[0]));
  case prim::isinstance: {
    const auto &tested = node->tys(attr::types);
    auto converted = convertTypes(tested, loc);
    if (failed(converted))
      return failure();
    return bind(tl::IsInstanceOp::create(builder, loc, builder.getI1Type(), in[0],
                                         builder.getTypeArrayAttr(*converted)));
  }
  case prim::RaiseException: {
    // Archives of before PyTorch 1.12 don't say the class.
    if (in.size() == 1)
      in.push_back(tl::ConstantOp::create(builder, loc, tl::NoneType::get(context),
                                          tl::NoneAttr::get(context)));
    tl::RaiseOp::create(builder, loc, in[0], in[1]);
    return success();
  }
  case prim::Enter:
    return bind(tl::EnterOp::create(builder, loc, types[0], in[0]));
  case prim::Exit:
    // The other operands are the exception that TorchScript doesn't have: always None.
    tl::ExitOp::create(builder, loc, in[0]);
    if (node->outputs().empty())
      return success();
    if (!node->output()->uses().empty())
      return emitError(loc) << "the result of '__exit__' is used, which is not supported";
    return success();
  case prim::Print:
    tl::PrintOp::create(builder, loc, in);
    return success();
  default:
    return importOperator(node, loc);
  }
}
