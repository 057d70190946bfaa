//===- RunTimeLists.cpp - Lists whose length is not known -----------------===//
#include "RunTimeLists.h"
#include "Boxes.h"
#include "Pieces.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

bool specialize::isRunTimeList(const Walker &walker, const SpecValue &value) {
  return value.is(ValueKind::List) && walker.cell(value.getCell()).count;
}

/// The least capacity of a buffer.
static constexpr int64_t minCapacity = 8;

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

Value RunTimeList::row(const SpecValue &element) {
  Value value = element.isTensor()   ? ctx.tensorValue(element)
                : element.isNumber() ? ctx.fromScalar(ctx.scalarValue(element))
                                     : Value();
  return value ? ctx.unsqueeze(value, 0) : Value();
}

/// The element that stands for all takes another one in; false, after a failure, if their forms
/// differ.
bool RunTimeList::admit(const SpecValue &element) {
  if (admits(element))
    return true;
  suggestBox(w, id);
  return false;
}

bool RunTimeList::admits(const SpecValue &element) {
  if (!element.isTensor() && !element.isNumber())
    return (void)ctx.fail("a list whose length is known only at run time cannot hold " +
                          element.kindName()),
           false;
  Cell &cell = w.change(id);
  if (cell.elements.empty()) {
    if (!element.isTensor()) {
      cell.elements.push_back(element.is(ValueKind::Int)     ? ctx.makeInt(int64_t(0))
                              : element.is(ValueKind::Float) ? ctx.makeFloat(0)
                                                             : ctx.makeBool(false));
      return true;
    }
    TensorRef ref = element.getTensor();
    cell.elements.push_back(
        SpecValue::tensor({*cell.elementStorage, nullptr, ref.type, ref.contiguous, ref.given}));
  }
  SpecValue &any = cell.elements.front();
  if (any.kind() != element.kind())
    return (void)ctx.fail("a list whose length is known only at run time holds " + any.kindName() +
                          " and " + element.kindName()),
           false;
  if (!element.isTensor())
    return true;
  TensorRef all = any.getTensor();
  const TensorRef &one = element.getTensor();
  if (all.type.getRank() != one.type.getRank() ||
      all.type.getElementType() != one.type.getElementType())
    return (void)ctx.fail("a list whose length is known only at run time holds tensors of "
                          "different ranks or element types"),
           false;
  if (all.contiguous != one.contiguous || one.strides)
    all.contiguous = Known::Maybe;
  all.given |= one.given;
  any = SpecValue::tensor(all);
  w.state.heap.addPlaces(*cell.elementStorage, w.state.heap.places(one.storage));
  return true;
}

/// Whether a row has the sizes of the buffer's; `unless`: a condition under which it need not.
bool RunTimeList::requireSizes(Value row, Value unless) {
  Value equal;
  for (int64_t dim : llvm::seq<int64_t>(1, cast<RankedTensorType>(row.getType()).getRank())) {
    OpFoldResult have = ctx.size(buffer(), dim), want = ctx.size(row, dim);
    if (ctx.equal(have, want) == Known::Yes)
      continue;
    Value same = compare(arith::CmpIPredicate::eq, ctx.intValue(have), ctx.intValue(want));
    equal = equal ? arith::AndIOp::create(b, loc, equal, same).getResult() : same;
  }
  if (!equal)
    return true;
  if (unless)
    equal = arith::OrIOp::create(b, loc, equal, unless);
  ctx.check(equal, "the tensors of a list whose length is known only at run time have different "
                   "sizes, which is not supported");
  return !ctx.failed();
}

/// The type of buffers for a row: sizes that the buffer's type has, too, are static.
static RankedTensorType bufferType(RankedTensorType row, RankedTensorType buffer) {
  SmallVector<int64_t> shape(row.getShape());
  shape.front() = ShapedType::kDynamic;
  for (size_t dim = 1; buffer && dim < shape.size(); ++dim)
    if (buffer.getDimSize(dim) != shape[dim])
      shape[dim] = ShapedType::kDynamic;
  return RankedTensorType::get(shape, row.getElementType());
}

/// A buffer for rows as this one.
Value RunTimeList::created(Value row, OpFoldResult capacity) {
  SmallVector<OpFoldResult> sizes = ctx.sizes(row);
  sizes.front() = capacity;
  auto rowType = cast<RankedTensorType>(row.getType());
  Value rows = tensor::EmptyOp::create(b, loc, sizes, rowType.getElementType());
  return w.converted(rows, bufferType(rowType, {}));
}

/// A buffer in which there is a place for one row more: twice as long if it is full, or of the
/// row's sizes if it had none.
Value RunTimeList::grown(Value row) {
  auto rowType = cast<RankedTensorType>(row.getType());
  if (!buffer())
    return created(row, minCapacity);
  Value old = buffer();
  RankedTensorType type = bufferType(rowType, cast<RankedTensorType>(old.getType()));
  Value grows = compare(arith::CmpIPredicate::sge, count(), ctx.intValue(ctx.size(old, 0)));
  for (int64_t dim : llvm::seq<int64_t>(1, type.getRank())) {
    OpFoldResult have = ctx.size(old, dim), want = ctx.size(row, dim);
    if (ctx.equal(have, want) == Known::Yes)
      continue;
    Value differs = compare(arith::CmpIPredicate::ne, ctx.intValue(have), ctx.intValue(want));
    grows = arith::OrIOp::create(b, loc, grows, differs);
  }
  auto either = IfOp::create(b, loc, TypeRange(type), grows);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(&either.getThenRegion().emplaceBlock());
    Value doubled = arith::MulIOp::create(b, loc, count(), integer(2));
    Value capacity = arith::MaxSIOp::create(b, loc, doubled, integer(minCapacity));
    Value longer = created(row, ctx.indexValue(OpFoldResult(capacity)));
    SmallVector<OpFoldResult> kept = ctx.sizes(old), offsets(kept.size(), b.getIndexAttr(0)),
                              steps(kept.size(), b.getIndexAttr(1));
    kept.front() = ctx.indexValue(OpFoldResult(count()));
    Value rows = tensor::ExtractSliceOp::create(b, loc, old, offsets, kept, steps);
    longer = tensor::InsertSliceOp::create(b, loc, rows, longer, offsets, kept, steps);
    YieldOp::create(b, loc, w.converted(longer, type));
    b.setInsertionPointToEnd(&either.getElseRegion().emplaceBlock());
    YieldOp::create(b, loc, w.converted(old, type));
  }
  return either.getResult(0);
}

Value RunTimeList::write(Value buffer, Value position, Value row) {
  SmallVector<OpFoldResult> sizes = ctx.sizes(row), offsets(sizes.size(), b.getIndexAttr(0)),
                            steps(sizes.size(), b.getIndexAttr(1));
  offsets.front() = ctx.indexValue(OpFoldResult(position));
  return tensor::InsertSliceOp::create(b, loc, row, buffer, offsets, sizes, steps);
}

bool RunTimeList::take(ArrayRef<SpecValue> known) {
  for (auto [at, element] : llvm::enumerate(known)) {
    if (!admit(element))
      return false;
    Value one = row(element);
    if (!one || (buffer() && !requireSizes(one)))
      return false;
    Value rows =
        buffer() ? buffer() : created(one, std::max<int64_t>(minCapacity, 2 * known.size()));
    rows = write(rows, integer(at), one);
    w.change(id).value = rows;
  }
  setCount(integer(known.size()));
  return true;
}

bool RunTimeList::append(const SpecValue &element) {
  if (!admit(element))
    return false;
  Value one = row(element);
  if (!one || (buffer() && !requireSizes(one, /*unless=*/isEmptyNow())))
    return false;
  Value rows = write(grown(one), count(), one);
  Value more = arith::AddIOp::create(b, loc, count(), integer(1));
  Cell &cell = w.change(id);
  cell.value = rows;
  cell.count = more;
  return true;
}

/// Rows behind rows, of equal sizes unless there are none on one side.
Value RunTimeList::joined(Value rows, Value more, Value noRows, Value noMore) {
  RankedTensorType type =
      bufferType(cast<RankedTensorType>(more.getType()), cast<RankedTensorType>(rows.getType()));
  auto either = [&](Value condition, function_ref<Value()> onThen, function_ref<Value()> onElse) {
    auto op = IfOp::create(b, loc, TypeRange(type), condition);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(&op.getThenRegion().emplaceBlock());
    YieldOp::create(b, loc, w.converted(onThen(), type));
    b.setInsertionPointToEnd(&op.getElseRegion().emplaceBlock());
    YieldOp::create(b, loc, w.converted(onElse(), type));
    return op.getResult(0);
  };
  return either(
      noRows, [&] { return more; },
      [&] {
        return either(
            noMore, [&] { return rows; },
            [&]() -> Value {
              Value both[] = {w.converted(rows, type), w.converted(more, type)};
              return ConcatOp::create(b, loc, both, 0);
            });
      });
}

bool RunTimeList::appendAll(const RunTimeList &other) {
  if (other.isEmpty())
    return true;
  // The other one may be this one, which changes.
  Value more = other.together(), added = other.count();
  const SpecValue element = other.anyElement();
  if (!admit(element))
    return false;
  if (buffer()) {
    // A list without elements does not know their sizes.
    Value isEmpty = isEmptyNow(), isNothing = other.isEmptyNow();
    if (!requireSizes(more, arith::OrIOp::create(b, loc, isEmpty, isNothing)))
      return false;
    more = joined(together(), more, isEmpty, isNothing);
  }
  Value sum = arith::AddIOp::create(b, loc, count(), added);
  setBuffer(more);
  setCount(sum);
  return true;
}

void RunTimeList::move(Value first, Value to, Value end) {
  Value size = arith::SubIOp::create(b, loc, end, first);
  Value moved = ctx.slice(buffer(), 0, ctx.indexValue(OpFoldResult(first)),
                          ctx.indexValue(OpFoldResult(size)));
  setBuffer(write(buffer(), to, moved));
}

bool RunTimeList::set(Value position, const SpecValue &element) {
  if (!admit(element))
    return false;
  Value one = row(element);
  if (!one || !requireSizes(one))
    return false;
  Value rows = write(buffer(), position, one);
  w.change(id).value = rows;
  return true;
}

Value RunTimeList::position(unsigned operand) {
  Value at = ctx.scalar(operand);
  return ctx.failed() ? Value() : wrappedPosition(ctx, at, count());
}

std::optional<SpecValue> RunTimeList::get(Value position) {
  if (!anyElement().isTensor()) {
    Value at = ctx.indexValue(OpFoldResult(position));
    Value one = tensor::ExtractOp::create(b, loc, buffer(), at);
    return SpecValue::scalar(one);
  }
  Value one = ctx.slice(buffer(), 0, ctx.indexValue(OpFoldResult(position)), ctx.fold(1));
  SmallVector<OpFoldResult> sizes = ctx.sizes(one);
  sizes.erase(sizes.begin());
  const TensorRef any = anyElement().getTensor();
  SpecValue element = w.newTensor(ctx.reshape(one, sizes), any.contiguous, any.given);
  // The same object as the list's element.
  w.noteMaybeCopy(element.getTensor().storage, any.storage);
  return element;
}

Value RunTimeList::together() const {
  return ctx.slice(buffer(), 0, ctx.fold(0), ctx.indexValue(OpFoldResult(count())));
}

SpecValue RunTimeList::part(OpFoldResult offset, OpFoldResult size) {
  Cell cell = w.cell(id);
  cell.places.clear();
  if (cell.value)
    cell.value = ctx.slice(cell.value, 0, offset, size);
  cell.count = ctx.intValue(size);
  return SpecValue::cell(ValueKind::List, w.allocate(std::move(cell)));
}

//===----------------------------------------------------------------------===//
// From lists of known length
//===----------------------------------------------------------------------===//

/// The storage of the element that stands for all of a list's.
static CellId newElementStorage(Walker &w) {
  Cell any;
  any.kind = Cell::Kind::Storage;
  any.isPart = true;
  any.places = {w.nextCell};
  CellId storage = w.allocate(std::move(any));
  w.joinedAt.insert({storage, {nullptr, w.current ? w.locOf(w.current) : w.function.getLoc()}});
  return storage;
}

bool specialize::makeRunTimeList(Walker &w, CellId id) {
  std::vector<SpecValue> elements = w.cell(id).elements;
  if (w.cell(id).box)
    return false;
  for (const SpecValue &element : elements)
    if ((!element.isTensor() && !element.isNumber()) || element.kind() != elements.front().kind() ||
        (element.isTensor() && bufferType(element.getTensor().type, {}) !=
                                   bufferType(elements.front().getTensor().type, {}))) {
      suggestBox(w, id);
      return false;
    }
  CellId storage = newElementStorage(w);
  Location loc = w.current ? w.locOf(w.current) : w.function.getLoc();
  Cell &list = w.change(id);
  list.elements.clear();
  list.elementStorage = storage;
  list.count = w.constant(w.b.getI64IntegerAttr(0));
  RuleContext ctx(w, w.b, loc, "append.t", {}, {});
  RunTimeList made(ctx, id);
  return made.take(elements);
}

std::optional<SpecValue> specialize::runTimeCopy(Walker &w, const SpecValue &list) {
  Cell cell = w.cell(list.getCell());
  cell.places.clear();
  CellId copy = w.allocate(std::move(cell));
  if (!makeRunTimeList(w, copy))
    return std::nullopt;
  return SpecValue::cell(ValueKind::List, copy);
}

std::optional<SpecValue> specialize::elementAt(RuleContext &ctx, const SpecValue &list,
                                               unsigned index) {
  Walker &w = ctx.getWalker();
  if (w.cell(list.getCell()).elements.empty())
    return std::nullopt;
  std::optional<SpecValue> copy = runTimeCopy(w, list);
  if (!copy)
    return std::nullopt;
  RunTimeList made(ctx, copy->getCell());
  Value at = made.position(index);
  return at ? made.get(at) : std::nullopt;
}

SpecValue specialize::runTimeListOf(Walker &w, Value all, Attribute element, Type elementType) {
  // Not by newList, which may make a box.
  Cell made;
  made.kind = Cell::Kind::List;
  made.type = elementType;
  SpecValue list = SpecValue::cell(ValueKind::List, w.allocate(std::move(made)));
  CellId storage = newElementStorage(w);
  Type type = cast<TypeAttr>(element).getValue();
  MLIRContext *context = w.b.getContext();
  SpecValue any =
      type.isF64()         ? SpecValue::floating(context, 0)
      : type.isInteger(64) ? SpecValue::integer(context, 0)
      : type.isInteger(1)
          ? SpecValue::boolean(context, false)
          : SpecValue::tensor({storage, nullptr, cast<RankedTensorType>(type), Known::Yes,
                               /*given=*/false});
  Cell &cell = w.change(list.getCell());
  cell.elements = {any};
  cell.elementStorage = storage;
  cell.value = all;
  cell.count =
      arith::IndexCastOp::create(w.b, w.function.getLoc(), w.b.getI64Type(), w.dimOf(all, 0));
  return list;
}

Attribute specialize::describeRunTimeList(Walker &w, const SpecValue &value,
                                          const std::string &path,
                                          SmallVectorImpl<std::pair<std::string, Value>> &leaves) {
  RuleContext ctx(w, w.b, w.function.getLoc(), "return", {}, {});
  RunTimeList list(ctx, value.getCell());
  auto wrap = [&](StringRef name, ArrayRef<Attribute> elements) -> Attribute {
    return w.b.getDictionaryAttr(w.b.getNamedAttr(name, w.b.getArrayAttr(elements)));
  };
  if (list.isEmpty())
    return wrap("list", {});
  // As it came in: the same value.
  Value all = list.buffer();
  auto count = list.count().getDefiningOp<arith::IndexCastOp>();
  if (!isa<BlockArgument>(all) || !count || count.getIn() != w.dimOf(all, 0))
    all = list.together();
  leaves.push_back({path, all});
  auto type = cast<RankedTensorType>(all.getType());
  Type element = type.getElementType();
  if (list.anyElement().isTensor())
    element = RankedTensorType::get(type.getShape().drop_front(), element);
  return wrap("list_of", TypeAttr::get(element));
}

FailureOr<SmallVector<SpecValue>>
specialize::unpackRunTimeList(RuleContext &ctx, const SpecValue &value, int64_t count) {
  RunTimeList list(ctx, value.getCell());
  Walker &w = ctx.getWalker();
  Value wanted = w.constant(ctx.b.getI64IntegerAttr(count));
  Value fits =
      arith::CmpIOp::create(ctx.b, ctx.loc, arith::CmpIPredicate::eq, list.count(), wanted);
  std::string message = ("Expected " + Twine(count) + " elements in a list but found {}").str();
  if (list.isEmpty() && count)
    return ctx.raise(message, list.count());
  ctx.check(fits, message, list.count());
  SmallVector<SpecValue> elements;
  for (int64_t i = 0; i < count && !ctx.failed(); ++i)
    if (std::optional<SpecValue> element = list.get(w.constant(ctx.b.getI64IntegerAttr(i))))
      elements.push_back(*element);
  if (ctx.failed())
    return failure();
  return elements;
}
