//===- EmitDescriptor.cpp - The runtime's tables as LLVM constants --------===//
//
// Field order follows runtime/include/TorchLite/Runtime/Descriptor.h and TorchLite.h (tl_type).
//
//===----------------------------------------------------------------------===//
#include "TorchLite/Codegen/NVGPU/Passes.h"
#include "TorchLite/Driver/ModelDescription.h"
#include "TorchLite/Driver/Passes.h"
#include "TorchLite/Runtime/Descriptor.h"
#include "llvm/ADT/StringExtras.h"

namespace torchlite::driver {
#define GEN_PASS_DEF_EMITDESCRIPTOR
#include "TorchLite/Driver/Passes.h.inc"

namespace {
using namespace mlir;

/// The `tl_gpu_code` of a module with kernels, which tl-nvgpu-serialize leaves.
constexpr llvm::StringLiteral gpuCodeSymbol = "tl_gpu_code";

/// One field of a table's row.
struct Field {
  enum Kind { Int32, Int64, Pointer } kind;
  int64_t value = 0;
  /// The symbol that a pointer holds; empty: null.
  std::string symbol;

  static Field i32(int64_t value) { return {Int32, value, {}}; }
  static Field i64(int64_t value) { return {Int64, value, {}}; }
  static Field pointer(std::string symbol) { return {Pointer, 0, std::move(symbol)}; }
};
using Row = SmallVector<Field>;

/// Builds constant globals.
class Tables {
public:
  Tables(ModuleOp module)
      : module(module), builder(OpBuilder::atBlockEnd(module.getBody())), loc(module.getLoc()),
        symbols(module) {}

  /// An array of structs (all rows have the same fields); the symbol, or "" without rows.
  std::string table(ArrayRef<Row> rows, StringRef name = "tl_table");
  /// Text with a zero at its end.
  std::string string(StringRef text) { return bytes((text + StringRef("\0", 1)).str(), 1); }
  std::string bytes(StringRef data, int64_t alignment);
  std::string integers(ArrayRef<int64_t> values);
  std::string integers(ArrayRef<int32_t> values);
  std::string type(const ValueType &type) { return table({typeRow(type)}); }
  /// A function without arguments that returns a symbol's address.
  void accessor(StringRef name, StringRef symbol, LLVM::Linkage linkage);
  void declare(StringRef symbol);

private:
  Row typeRow(const ValueType &type);
  Value emitField(OpBuilder &b, const Field &field);
  LLVM::GlobalOp global(Type type, StringRef name, Attribute value, int64_t alignment);

  ModuleOp module;
  OpBuilder builder;
  Location loc;
  SymbolTable symbols;
  llvm::StringMap<std::string> known;
};

LLVM::GlobalOp Tables::global(Type type, StringRef name, Attribute value, int64_t alignment) {
  auto result = LLVM::GlobalOp::create(builder, loc, type, /*isConstant=*/true,
                                       LLVM::Linkage::Internal, name, value, alignment);
  // Makes the name unique.
  symbols.insert(result);
  return result;
}

std::string Tables::bytes(StringRef data, int64_t alignment) {
  std::string &name = known[data];
  if (name.empty() || alignment > 1) {
    auto type = LLVM::LLVMArrayType::get(builder.getI8Type(), data.size());
    name = global(type, "tl_bytes", builder.getStringAttr(data), alignment).getSymName().str();
  }
  return name;
}

std::string Tables::integers(ArrayRef<int64_t> values) {
  if (values.empty())
    return "";
  auto type = LLVM::LLVMArrayType::get(builder.getI64Type(), values.size());
  return global(type, "tl_sizes", builder.getI64TensorAttr(values), 8).getSymName().str();
}

std::string Tables::integers(ArrayRef<int32_t> values) {
  if (values.empty())
    return "";
  auto type = LLVM::LLVMArrayType::get(builder.getI32Type(), values.size());
  return global(type, "tl_indices", builder.getI32TensorAttr(values), 4).getSymName().str();
}

Value Tables::emitField(OpBuilder &b, const Field &field) {
  switch (field.kind) {
  case Field::Int32:
    return LLVM::ConstantOp::create(b, loc, b.getI32Type(), b.getI32IntegerAttr(field.value));
  case Field::Int64:
    return LLVM::ConstantOp::create(b, loc, b.getI64Type(), b.getI64IntegerAttr(field.value));
  case Field::Pointer:
    break;
  }
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  if (field.symbol.empty())
    return LLVM::ZeroOp::create(b, loc, pointer);
  return LLVM::AddressOfOp::create(b, loc, pointer, field.symbol);
}

std::string Tables::table(ArrayRef<Row> rows, StringRef name) {
  if (rows.empty())
    return "";
  SmallVector<Type> fields;
  for (const Field &field : rows.front())
    fields.push_back(field.kind == Field::Int32 ? Type(builder.getI32Type())
                     : field.kind == Field::Int64
                         ? Type(builder.getI64Type())
                         : LLVM::LLVMPointerType::get(builder.getContext()));
  auto row = LLVM::LLVMStructType::getLiteral(builder.getContext(), fields);
  auto type = LLVM::LLVMArrayType::get(row, rows.size());
  LLVM::GlobalOp result = global(type, name, Attribute(), 8);
  OpBuilder::InsertionGuard guard(builder);
  builder.createBlock(&result.getInitializerRegion());
  Value value = LLVM::UndefOp::create(builder, loc, type);
  for (auto [index, row] : llvm::enumerate(rows))
    for (auto [position, field] : llvm::enumerate(row))
      value = LLVM::InsertValueOp::create(
          builder, loc, value, emitField(builder, field),
          ArrayRef<int64_t>{static_cast<int64_t>(index), static_cast<int64_t>(position)});
  LLVM::ReturnOp::create(builder, loc, value);
  return result.getSymName().str();
}

/// The element type of a leaf's tensor; 0 for others.
static int32_t elementType(const ValueType &type) {
  if (!type.anyLength)
    return type.kind == TL_TENSOR ? type.dtype : 0;
  const ValueType &item = type.children.front();
  switch (item.kind) {
  case TL_INT:
    return TL_I64;
  case TL_FLOAT:
    return TL_F64;
  case TL_BOOL:
    return TL_I1;
  default:
    return item.dtype;
  }
}

Row Tables::typeRow(const ValueType &type) {
  SmallVector<Row> children;
  for (const ValueType &child : type.children)
    children.push_back(typeRow(child));
  int64_t count = type.isBoxed             ? -2
                  : type.anyLength         ? -1
                  : type.kind == TL_TENSOR ? type.dims.size()
                  : type.kind == TL_DICT   ? type.children.size() / 2
                                           : type.children.size();
  return {Field::i32(type.kind),
          Field::i32(type.isOptional ? 2 : type.fixed),
          Field::i32(elementType(type)),
          Field::i32(count),
          Field::pointer(integers(ArrayRef<int64_t>(type.dims))),
          Field::pointer(table(children)),
          Field::i64(type.bits),
          Field::pointer(type.fixed && type.kind == TL_STRING ? string(type.text) : "")};
}

void Tables::accessor(StringRef name, StringRef symbol, LLVM::Linkage linkage) {
  auto pointer = LLVM::LLVMPointerType::get(builder.getContext());
  auto function = LLVM::LLVMFuncOp::create(builder, loc, name,
                                           LLVM::LLVMFunctionType::get(pointer, {}), linkage);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(function.addEntryBlock(builder));
  Value address = LLVM::AddressOfOp::create(builder, loc, pointer, symbol);
  LLVM::ReturnOp::create(builder, loc, address);
}

void Tables::declare(StringRef symbol) {
  LLVM::GlobalOp::create(builder, loc, builder.getI8Type(), /*isConstant=*/true,
                         LLVM::Linkage::External, symbol, Attribute());
}

/// A pointer to a compiled function, null where there is none.
Field functionField(Operation *function) {
  return Field::pointer(function ? SymbolTable::getSymbolName(function).str() : "");
}

Row variantRow(Tables &tables, const Variant &variant) {
  SmallVector<Row> arguments;
  for (const Argument &argument : variant.arguments)
    arguments.push_back(
        {Field::pointer(tables.string(argument.name)), Field::pointer(tables.type(argument.type))});
  SmallVector<Row> codes;
  for (const DeviceCode &code : variant.device)
    codes.push_back(
        {functionField(code.function), Field::i64(code.arenaBytes), Field::i32(code.replayable)});
  return {functionField(variant.function),
          Field::i64(variant.arenaBytes),
          Field::pointer(tables.table(arguments)),
          Field::pointer(tables.type(variant.result)),
          Field::pointer(tables.integers(ArrayRef<int32_t>(variant.changes))),
          Field::pointer(tables.integers(ArrayRef<int32_t>(variant.stateOperands))),
          Field::pointer(tables.integers(ArrayRef<int32_t>(variant.stateResults))),
          Field::i32(variant.arguments.size()),
          Field::i32(variant.changes.size()),
          Field::i32(variant.stateOperands.size()),
          Field::i32(variant.stateResults.size()),
          Field::i32(variant.stateIn),
          Field::i32(variant.stateOut),
          Field::pointer(tables.table(codes)),
          Field::i32(variant.contiguous)};
}

Row slotRow(Tables &tables, const StateSlot &slot) {
  SmallVector<Row> types;
  for (const ValueType &type : slot.types)
    types.push_back({Field::pointer(tables.type(type))});
  std::string initial, sizes;
  if (!slot.types.empty() && slot.types.front().numLeaves()) {
    // Also an empty tensor has an address.
    initial =
        tables.bytes(slot.initial.empty() ? StringRef("\0", 1)
                                          : StringRef(slot.initial.data(), slot.initial.size()),
                     64);
    sizes = tables.integers(ArrayRef<int64_t>(slot.initialSizes));
  }
  return {Field::pointer(tables.string(slot.path)), Field::pointer(tables.table(types)),
          Field::pointer(initial), Field::pointer(sizes)};
}

struct EmitDescriptor : impl::EmitDescriptorBase<EmitDescriptor> {
  using Base::Base;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    bool isIdentifier = !name.empty() && !llvm::isDigit(name[0]) &&
                        llvm::all_of(name, [](char c) { return llvm::isAlnum(c) || c == '_'; });
    if (!isIdentifier) {
      module.emitError("the model's name must be a C identifier, but is '") << name << "'";
      return signalPassFailure();
    }
    FailureOr<ModelDescription> model = describeModel(module);
    if (failed(model))
      return signalPassFailure();
    for (Method &method : model->methods)
      for (Variant &variant : method.variants) {
        if (failed(checkEntry(variant.function)))
          return signalPassFailure();
        for (DeviceCode &code : variant.device)
          if (failed(checkEntry(code.function)))
            return signalPassFailure();
      }
    emit(module, *model);
    removeAttributes(module);
  }

  static LogicalResult checkEntry(Operation *op) {
    auto function = dyn_cast_if_present<LLVM::LLVMFuncOp>(op);
    if (op && (!function || function.getNumArguments() != 1))
      return op->emitOpError("expected an LLVM function that takes the frame");
    if (op && op->hasAttr("tl.device") &&
        !SymbolTable::lookupNearestSymbolFrom(op, StringAttr::get(op->getContext(), gpuCodeSymbol)))
      return op->emitOpError("is for devices, but the module has no kernels (@")
             << gpuCodeSymbol << ")";
    return success();
  }

  void emit(ModuleOp module, const ModelDescription &model) {
    Tables tables(module);
    SmallVector<Row> methods, slots;
    for (const Method &method : model.methods) {
      SmallVector<Row> variants;
      for (const Variant &variant : method.variants)
        variants.push_back(variantRow(tables, variant));
      methods.push_back({Field::pointer(tables.string(method.name)),
                         Field::pointer(tables.table(variants)), Field::i64(variants.size())});
    }
    for (const StateSlot &slot : model.slots)
      slots.push_back(slotRow(tables, slot));
    tables.declare("tl_runtime");
    Row row{Field::pointer("tl_runtime"),
            Field::i32(TL_DESCRIPTOR_VERSION),
            Field::i32(threads),
            Field::pointer(tables.string(name)),
            Field::pointer(tables.string(features)),
            Field::pointer(tables.table(methods)),
            Field::i64(methods.size()),
            Field::pointer(tables.table(slots)),
            Field::i64(slots.size()),
            Field::i64(model.numStates),
            Field::pointer(module.lookupSymbol(gpuCodeSymbol) ? gpuCodeSymbol.str() : "")};
    std::string descriptor = tables.table({row}, "tl_descriptor");
    tables.accessor(name + "_model", descriptor, LLVM::Linkage::External);
    tables.accessor("tl_library_model", descriptor, LLVM::Linkage::Weak);
  }

  /// What described the functions is in the tables now; nothing but the accessors is called from
  /// outside.
  void removeAttributes(ModuleOp module) {
    module->removeAttr(nvgpu::setsAttrName);
    for (Operation &op : llvm::make_early_inc_range(*module.getBody())) {
      if (op.getName().getStringRef() == "tl.state") {
        op.erase();
        continue;
      }
      auto function = dyn_cast<LLVM::LLVMFuncOp>(op);
      if (!function || !function->hasAttr("tl.method"))
        continue;
      function.setLinkage(LLVM::Linkage::Internal);
      SmallVector<StringAttr> names;
      for (NamedAttribute attribute : function->getDiscardableAttrs())
        if (attribute.getName().strref().starts_with("tl."))
          names.push_back(attribute.getName());
      for (StringAttr attribute : names)
        function->removeDiscardableAttr(attribute);
    }
  }
};

} // namespace
} // namespace torchlite::driver
