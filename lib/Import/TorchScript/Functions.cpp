//===- Functions.cpp - Methods, functions and control flow ----------------===//
#include "Importer.h"

#include "torch/csrc/jit/api/function_impl.h"

using namespace mlir;
using namespace torchlite::import;

namespace attr = c10::attr;
namespace prim = c10::prim;

FlatSymbolRefAttr Importer::getFunction(jit::Function &function) {
  auto [known, isNew] = functionNames.emplace(&function, std::string());
  if (isNew) {
    known->second = makeSymbol(function.qualname().qualifiedName());
    functions.push_back(&function);
  }
  return FlatSymbolRefAttr::get(context, known->second);
}

/// The function has one result: TorchScript's only output, or None.
LogicalResult Importer::importFunction(jit::Function &function) {
  const std::string &name = functionNames.at(&function);
  auto *graphFunction = jit::tryToGraphFunction(function);
  if (!graphFunction)
    return emitError(NameLoc::get(builder.getStringAttr(name)))
           << "the function '" << name << "' is built into LibTorch, which is not supported";
  function.ensure_defined();
  // The graph as compiled from source; optimized_graph() would be LibTorch's work.
  std::shared_ptr<jit::Graph> graph = graphFunction->graph();
  const c10::FunctionSchema &schema = function.getSchema();
  setFunctionLocation(graph->block(), NameLoc::get(builder.getStringAttr(name)));
  Location loc = functionLoc;

  SmallVector<Type> argumentTypes, resultTypes;
  for (const jit::Value *input : graph->inputs()) {
    FailureOr<Type> type = convertType(input->type(), loc);
    if (failed(type))
      return failure();
    argumentTypes.push_back(*type);
  }
  if (graph->outputs().size() != 1 || schema.arguments().size() != argumentTypes.size())
    return emitError(loc) << "the function '" << name << "' has " << graph->outputs().size()
                          << " results and " << argumentTypes.size() << " arguments for "
                          << schema.arguments().size() << " of its schema";
  // The declared type: a returned value may be of a subtype of it.
  FailureOr<Type> resultType = convertType(
      schema.returns().size() == 1 ? schema.returns().front().type() : graph->outputs()[0]->type(),
      loc);
  if (failed(resultType))
    return failure();
  resultTypes.push_back(*resultType);

  OpBuilder moduleBuilder = OpBuilder::atBlockEnd(module.getBody());
  auto op = func::FuncOp::create(moduleBuilder, loc, name,
                                 builder.getFunctionType(argumentTypes, resultTypes));
  Block *entry = op.addEntryBlock();
  values.clear();
  for (size_t i = 0; i != argumentTypes.size(); ++i) {
    const c10::Argument &argument = schema.arguments()[i];
    op.setArgAttr(i, "tl.name", builder.getStringAttr(argument.name()));
    if (argument.default_value()) {
      FailureOr<Attribute> value =
          convertValue(*argument.default_value(), name + "." + argument.name(), loc);
      if (failed(value))
        return failure();
      op.setArgAttr(i, "tl.default", *value);
    }
    values[graph->inputs()[i]] = entry->getArgument(i);
  }
  builder.setInsertionPointToEnd(entry);
  if (failed(importBlock(graph->block())))
    return failure();
  Location returnLoc = convertLocation(graph->return_node()->sourceRange());
  Value result = castTo(getValue(graph->outputs()[0]), *resultType, returnLoc);
  func::ReturnOp::create(builder, returnLoc, result);
  return success();
}

LogicalResult Importer::importBlock(const jit::Block *block) {
  for (const jit::Node *node : block->nodes())
    if (failed(importNode(node)))
      return failure();
  return success();
}

LogicalResult Importer::importNode(const jit::Node *node) {
  switch (node->kind()) {
  case prim::If:
    return importIf(node);
  case prim::Loop:
    return importLoop(node);
  case prim::CallFunction:
    return importCallFunction(node);
  case prim::fork:
    return importFork(node);
  default:
    return importSimpleNode(node, convertLocation(node->sourceRange()));
  }
}

SmallVector<Value> Importer::getOperands(const jit::Node *node) {
  SmallVector<Value> operands;
  for (const jit::Value *input : node->inputs())
    operands.push_back(getValue(input));
  return operands;
}

void Importer::bindResults(const jit::Node *node, Operation *op) {
  for (auto [output, result] : llvm::zip_equal(node->outputs(), op->getResults()))
    values[output] = result;
}

Value Importer::castTo(Value value, Type type, Location loc) {
  return value.getType() == type ? value : tl::UncheckedCastOp::create(builder, loc, type, value);
}

/// The types of the node's outputs.
static SmallVector<c10::TypePtr> getOutputTypes(const jit::Node *node) {
  SmallVector<c10::TypePtr> types;
  for (const jit::Value *output : node->outputs())
    types.push_back(output->type());
  return types;
}

LogicalResult Importer::importIf(const jit::Node *node) {
  Location loc = convertLocation(node->sourceRange());
  auto outputs = getOutputTypes(node);
  auto types = convertTypes(c10::ArrayRef<c10::TypePtr>(outputs.data(), outputs.size()), loc);
  if (failed(types))
    return failure();
  auto op = tl::IfOp::create(builder, loc, *types, getValue(node->input(0)));
  for (auto [block, region] : llvm::zip_equal(node->blocks(), op->getRegions())) {
    OpBuilder::InsertionGuard guard(builder);
    builder.createBlock(&region);
    if (failed(importBlock(block)))
      return failure();
    SmallVector<Value> yielded;
    for (auto [output, type] : llvm::zip_equal(block->outputs(), *types))
      yielded.push_back(castTo(getValue(output), type, loc));
    tl::YieldOp::create(builder, loc, yielded);
  }
  bindResults(node, op);
  return success();
}

/// prim::Loop(trip count, condition, carried...) with a block (trip, carried...) that returns
/// (condition, carried...).
LogicalResult Importer::importLoop(const jit::Node *node) {
  Location loc = convertLocation(node->sourceRange());
  auto outputs = getOutputTypes(node);
  auto types = convertTypes(c10::ArrayRef<c10::TypePtr>(outputs.data(), outputs.size()), loc);
  if (failed(types))
    return failure();
  SmallVector<Value> initial;
  for (auto [input, type] : llvm::zip_equal(node->inputs().slice(2), *types))
    initial.push_back(castTo(getValue(input), type, loc));
  auto op = tl::LoopOp::create(builder, loc, *types, getValue(node->input(0)),
                               getValue(node->input(1)), initial);
  const jit::Block *block = node->blocks()[0];
  {
    OpBuilder::InsertionGuard guard(builder);
    SmallVector<Type> argumentTypes = {builder.getI64Type()};
    argumentTypes.append(*types);
    Block *body = builder.createBlock(&op.getBody(), {}, argumentTypes,
                                      SmallVector<Location>(argumentTypes.size(), loc));
    for (auto [input, argument] : llvm::zip_equal(block->inputs(), body->getArguments())) {
      FailureOr<Type> type = convertType(input->type(), loc);
      if (failed(type))
        return failure();
      values[input] = castTo(argument, *type, loc);
    }
    if (failed(importBlock(block)))
      return failure();
    SmallVector<Value> next;
    for (auto [output, type] : llvm::zip_equal(block->outputs().slice(1), *types))
      next.push_back(castTo(getValue(output), type, loc));
    tl::ContinueOp::create(builder, loc, getValue(block->outputs()[0]), next);
  }
  bindResults(node, op);
  return success();
}

LogicalResult Importer::importCallFunction(const jit::Node *node) {
  Location loc = convertLocation(node->sourceRange());
  auto outputs = getOutputTypes(node);
  auto types = convertTypes(c10::ArrayRef<c10::TypePtr>(outputs.data(), outputs.size()), loc);
  if (failed(types))
    return failure();
  jit::Function *callee = node->input(0)->type()->expectRef<c10::FunctionType>().function();
  SmallVector<Value> operands = getOperands(node);
  auto op = tl::CallOp::create(builder, loc, *types, getFunction(*callee),
                               ArrayRef<Value>(operands).drop_front());
  bindResults(node, op);
  return success();
}

/// What is forked runs where it is forked, in order: its future is its result.
LogicalResult Importer::importFork(const jit::Node *node) {
  Location loc = convertLocation(node->sourceRange());
  FailureOr<Type> type = convertType(node->output()->type(), loc);
  if (failed(type))
    return failure();
  std::shared_ptr<jit::Graph> forked = node->g(attr::Subgraph);
  for (auto [input, value] : llvm::zip_equal(forked->inputs(), getOperands(node)))
    values[input] = value;
  if (failed(importBlock(forked->block())))
    return failure();
  values[node->output()] = castTo(getValue(forked->outputs()[0]), *type, loc);
  return success();
}
