//===- LowerBoxes.cpp - Operations on boxes to calls of the runtime -------===//
#include "LowerBoxes.h"

#include "TorchLite/Dialect/Runtime/IR/BoxOps.h"
#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace torchlite;

/// As in runtime/include/TorchLite/Runtime/Boxes.h.
enum ItemKind : int64_t { TL_ITEM_INT, TL_ITEM_FLOAT, TL_ITEM_BOOL, TL_ITEM_BOX };

void torchlite::addBoxConversion(LLVMTypeConverter &converter) {
  converter.addConversion(
      [](rt::BoxType type) -> Type { return LLVM::LLVMPointerType::get(type.getContext()); });
}

Value BoxLowering::call(Operation *op, StringRef name, Type result, ArrayRef<Value> operands,
                        bool needsFrame) {
  SmallVector<Value> all;
  if (needsFrame)
    all.push_back(frameOf(op));
  llvm::append_range(all, operands);
  Type type = result ? result : Type(LLVM::LLVMVoidType::get(builder.getContext()));
  auto function =
      runtimeFunction(name, type, llvm::map_to_vector(all, [](Value v) { return v.getType(); }));
  auto made = LLVM::CallOp::create(builder, op->getLoc(), function, all);
  return result ? made.getResult() : Value();
}

static int64_t itemKind(Type type) {
  return type.isInteger(64)  ? TL_ITEM_INT
         : type.isF64()      ? TL_ITEM_FLOAT
         : type.isInteger(1) ? TL_ITEM_BOOL
                             : TL_ITEM_BOX;
}

/// An item as its kind and its bits.
SmallVector<Value, 2> BoxLowering::item(Location loc, Value value) {
  int64_t kind = itemKind(value.getType());
  Value bits = value;
  if (kind == TL_ITEM_FLOAT)
    bits = LLVM::BitcastOp::create(builder, loc, i64, value);
  else if (kind == TL_ITEM_BOOL)
    bits = LLVM::ZExtOp::create(builder, loc, i64, value);
  else if (kind == TL_ITEM_BOX)
    bits = LLVM::PtrToIntOp::create(builder, loc, i64, pointerTo(loc, value));
  return {constant(loc, kind), bits};
}

Value BoxLowering::message(Operation *op, StringRef text) {
  std::string where = describeLocation(op->getLoc());
  return textAddress(op->getLoc(), where.empty() ? text.str() : (text + " (" + where + ")").str());
}

LogicalResult BoxLowering::replaceBy(Operation *op, Value value) {
  if (op->getNumResults()) {
    Value result = op->getResult(0);
    result.replaceAllUsesWith(cast(op->getLoc(), result.getType(), value));
  }
  op->erase();
  return success();
}

Value BoxLowering::booleanOf(Location loc, Value number) {
  return LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::ne, number, constant(loc, 0));
}

/// The number of `torch.uint8` among the element types.
constexpr int64_t unsignedByte = 8;

/// Element types have the number of their place here.
static int64_t elementCode(Type type) {
  if (auto complex = dyn_cast<ComplexType>(type))
    return complex.getElementType().isF32() ? 10 : 11;
  if (type.isBF16())
    return 3;
  if (isa<FloatType>(type))
    return type.isF32() ? 0 : type.isF64() ? 1 : 2;
  switch (type.getIntOrFloatBitWidth()) {
  case 1:
    return 9;
  case 8:
    return 4;
  case 16:
    return 5;
  case 32:
    return 6;
  default:
    return 7;
  }
}

LogicalResult BoxLowering::lowerPack(Operation *op) {
  auto pack = llvm::cast<rt::BoxPackOp>(op);
  Location loc = op->getLoc();
  auto type = llvm::cast<MemRefType>(pack.getTensor().getType());
  MemRefDescriptor descriptor(cast(loc, typeConverter().convertType(type), pack.getTensor()));
  Value data = descriptor.alignedPtr(builder, loc);
  Value offset = descriptor.offset(builder, loc);
  Type element = typeConverter().convertType(type.getElementType());
  // A bool takes a byte.
  if (type.getElementType().isInteger(1))
    element = builder.getI8Type();
  data = LLVM::GEPOp::create(builder, loc, pointer, element, data, ArrayRef<LLVM::GEPArg>{offset});
  Value sizes = stackSlot(loc, i64, std::max<int64_t>(type.getRank(), 1), op);
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    store(loc, descriptor.size(builder, loc, dim), sizes, 8 * dim);
  return replaceBy(
      op,
      call(op, "tl_box_pack", pointer,
           {data,
            constant(loc, pack.getIsUnsigned() ? unsignedByte : elementCode(type.getElementType())),
            constant(loc, elementBytes(type)), constant(loc, type.getRank()), sizes},
           true));
}

LogicalResult BoxLowering::lowerUnpack(Operation *op) {
  auto unpack = llvm::cast<rt::BoxUnpackOp>(op);
  Location loc = op->getLoc();
  auto type = llvm::cast<MemRefType>(unpack.getResult().getType());
  Value box = pointerTo(loc, unpack.getBox());
  Value expected = stackSlot(loc, i64, std::max<int64_t>(type.getRank(), 1), op);
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    store(loc, constant(loc, type.isDynamicDim(dim) ? -1 : type.getDimSize(dim)), expected,
          8 * dim);
  Value data = call(op, "tl_box_data", pointer,
                    {box, constant(loc, elementCode(type.getElementType())),
                     constant(loc, type.getRank()), expected,
                     message(op, "a tensor of a container whose structure is known only at run "
                                 "time has another element type, rank or size than the program "
                                 "was compiled for, which is not supported")},
                    true);
  SmallVector<Value> sizes;
  if (type.getNumDynamicDims()) {
    Value all = call(op, "tl_box_sizes", pointer, {box}, false);
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      if (type.isDynamicDim(dim))
        sizes.push_back(load(loc, i64, all, 8 * dim));
  }
  return replaceBy(op, makeMemRef(loc, type, data, sizes));
}

LogicalResult BoxLowering::lowerTogether(Operation *op) {
  auto together = llvm::cast<rt::BoxTogetherOp>(op);
  Location loc = op->getLoc();
  auto tensor = dyn_cast<RankedTensorType>(together.getItem());
  Type element = tensor ? tensor.getElementType() : together.getItem();
  int64_t rank = tensor ? tensor.getRank() : 0;
  int64_t along = together.getAlong().value_or(-1);
  StringRef text = along < 0 ? "stack expects each tensor to be equal size"
                             : "Sizes of tensors must match except in the dimension of cat";
  return replaceBy(op,
                   call(op, "tl_box_together", pointer,
                        {pointerTo(loc, together.getList()), constant(loc, elementCode(element)),
                         constant(loc, elementBytes(MemRefType::get({}, element))),
                         constant(loc, rank), constant(loc, along), message(op, text)},
                        true));
}

LogicalResult BoxLowering::lowerGet(Operation *op) {
  auto get = llvm::cast<rt::BoxGetOp>(op);
  Location loc = op->getLoc();
  Value box = pointerTo(loc, get.getContainer());
  Type type = get.getResult().getType();
  if (itemKind(type) == TL_ITEM_BOX)
    return replaceBy(op, call(op, "tl_box_item", pointer, {box, get.getPosition()}, true));
  Value bits = call(op, "tl_box_get", i64, {box, get.getPosition()}, false);
  if (type.isF64())
    bits = LLVM::BitcastOp::create(builder, loc, type, bits);
  else if (type.isInteger(1))
    bits = booleanOf(loc, bits);
  return replaceBy(op, bits);
}

LogicalResult BoxLowering::lowerKeep(Operation *op) {
  auto keep = llvm::cast<rt::BoxKeepOp>(op);
  Location loc = op->getLoc();
  int64_t count = keep.getKept().size();
  Value kept = stackSlot(loc, pointer, std::max<int64_t>(count, 1), op);
  for (auto [index, box] : llvm::enumerate(keep.getKept()))
    store(loc, pointerTo(loc, box), kept, 8 * index);
  call(op, "tl_box_keep", {}, {keep.getMark(), constant(loc, count), kept}, true);
  return replaceBy(op, {});
}

/// The pieces of a text, each with a 0 behind it, the items between them, and their number.
SmallVector<Value> BoxLowering::textWithItems(Operation *op, ArrayAttr pieces, ValueRange values) {
  Location loc = op->getLoc();
  std::string text;
  for (auto piece : pieces.getAsRange<StringAttr>())
    text += (piece.getValue() + StringRef("\0", 1)).str();
  text.pop_back(); // that of the whole text
  Value items = stackSlot(loc, i64, std::max<int64_t>(2 * values.size(), 1), op);
  for (auto [index, value] : llvm::enumerate(values))
    for (auto [half, bits] : llvm::enumerate(item(loc, value)))
      store(loc, bits, items, 16 * index + 8 * half);
  return {textAddress(loc, text), items, constant(loc, values.size())};
}

LogicalResult BoxLowering::lowerBox(Operation *op) {
  Location loc = op->getLoc();
  auto box = [&](Value value) { return pointerTo(loc, value); };
  auto create = [&](StringRef name, ArrayRef<Value> operands) {
    return replaceBy(op, call(op, name, pointer, operands, true));
  };
  auto change = [&](StringRef name, ArrayRef<Value> operands) {
    call(op, name, {}, operands, true);
    return replaceBy(op, {});
  };
  auto number = [&](StringRef name, ArrayRef<Value> operands, bool needsFrame) {
    Value result = call(op, name, i64, operands, needsFrame);
    return replaceBy(op, op->getResult(0).getType().isInteger(1) ? booleanOf(loc, result) : result);
  };
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](rt::BoxCreateOp it) {
        return create("tl_box_create", {constant(loc, it.getKind())});
      })
      .Case(
          [&](rt::BoxNoneOp) { return replaceBy(op, LLVM::ZeroOp::create(builder, loc, pointer)); })
      .Case([&](rt::BoxNumberOp it) { return create("tl_box_number", item(loc, it.getValue())); })
      .Case([&](rt::BoxTextOp it) {
        return create("tl_box_text",
                      {textAddress(loc, it.getText()), constant(loc, it.getText().size())});
      })
      .Case([&](rt::BoxFormatOp it) {
        return create("tl_box_format", textWithItems(op, it.getPieces(), it.getValues()));
      })
      .Case([&](rt::BoxPrintOp it) {
        return change("tl_box_print", textWithItems(op, it.getPieces(), it.getValues()));
      })
      .Case([&](rt::BoxPackOp) { return lowerPack(op); })
      .Case([&](rt::BoxUnpackOp) { return lowerUnpack(op); })
      .Case([&](rt::BoxTogetherOp) { return lowerTogether(op); })
      .Case([&](rt::BoxGetOp) { return lowerGet(op); })
      .Case([&](rt::BoxKeepOp) { return lowerKeep(op); })
      .Case([&](rt::BoxAppendOp it) {
        auto what = item(loc, it.getItem());
        return change("tl_box_put", {box(it.getContainer()), constant(loc, -1), what[0], what[1]});
      })
      .Case([&](rt::BoxSetOp it) {
        auto what = item(loc, it.getItem());
        return change("tl_box_put", {box(it.getContainer()), it.getPosition(), what[0], what[1]});
      })
      .Case([&](rt::BoxInsertOp it) {
        auto key = item(loc, it.getKey()), what = item(loc, it.getItem());
        return change("tl_box_set", {box(it.getContainer()), key[0], key[1], what[0], what[1]});
      })
      .Case([&](rt::BoxPresentOp it) {
        return number("tl_box_present", {box(it.getContainer()), it.getPosition()}, false);
      })
      .Case(
          [&](rt::BoxSizeOp it) { return number("tl_box_size", {box(it.getContainer())}, false); })
      .Case([&](rt::BoxEqualOp it) {
        return number("tl_box_equal", {box(it.getLhs()), box(it.getRhs())}, false);
      })
      .Case([&](rt::BoxSliceOp it) {
        return create("tl_box_slice",
                      {box(it.getContainer()), it.getStart(), it.getCount(), it.getStep()});
      })
      .Case([&](rt::BoxSpliceOp it) {
        return change("tl_box_splice", {box(it.getContainer()), it.getPosition(), it.getRemoved(),
                                        box(it.getItems())});
      })
      .Case([&](rt::BoxFindOp it) {
        auto what = item(loc, it.getItem());
        return number("tl_box_find", {box(it.getContainer()), what[0], what[1], it.getFrom()},
                      true);
      })
      .Case([&](rt::BoxRowsOp it) {
        int64_t kind = it.getNumber() ? itemKind(*it.getNumber()) : int64_t(TL_ITEM_BOX);
        return create("tl_box_rows", {box(it.getTensor()), constant(loc, kind)});
      })
      .Case([&](rt::BoxPairsOp it) { return create("tl_box_pairs", {box(it.getDict())}); })
      .Case([&](rt::BoxUpdateOp it) {
        return change("tl_box_update", {box(it.getDict()), box(it.getOther())});
      })
      .Case([&](rt::BoxRepeatOp it) {
        return create("tl_box_repeat", {box(it.getList()), it.getCount()});
      })
      .Case([&](rt::BoxConcatOp it) {
        return create("tl_box_concat", {box(it.getLhs()), box(it.getRhs())});
      })
      .Case([&](rt::BoxCompareOp it) {
        return number("tl_box_compare", {box(it.getLhs()), box(it.getRhs())}, false);
      })
      .Case([&](rt::BoxAddressOp it) {
        return replaceBy(op, LLVM::PtrToIntOp::create(builder, loc, i64, box(it.getBox())));
      })
      .Case([&](rt::BoxMarkOp) { return number("tl_box_mark", {}, true); })
      .Default([](Operation *other) { return other->emitError("cannot lower to LLVM"); });
}
