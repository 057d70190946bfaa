//===- Identities.cpp - Which storage is which at run time ----------------===//
//
// Where a loop passes tensors from name to name, which of two names are one tensor depends on the
// number of trips. If one of them is written, the program itself has to tell: every storage then
// has an identity, an i64 beside its value. It is the number of its cell, a constant, or, where a
// loop's body makes the storage, this number with the number of the trip (`State::epoch`, which
// grows with every trip of every loop). Joins merge identities as they merge values. A write to a
// storage is, for each other one that may be the same place and is still used,
//
//   %same = arith.cmpi eq, %identity, %other_identity
//   %other_new = tl.if %same -> tensor<...> { tl.yield %new } else { tl.yield %other_old }
//
//===----------------------------------------------------------------------===//
#include "Join.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

/// How many bits of an identity are the cell's number; the others count trips.
static constexpr unsigned numberBits = 24;

Value Walker::newIdentity(CellId id) {
  if (!tracksIdentities || !state.epoch)
    return {};
  Location loc = current ? locOf(current) : function.getLoc();
  Value trips =
      arith::ShLIOp::create(b, loc, state.epoch, constant(b.getI64IntegerAttr(numberBits)));
  return arith::OrIOp::create(b, loc, trips, constant(b.getI64IntegerAttr(id)));
}

Value Walker::identityOf(CellId id) {
  const Cell &c = cell(id);
  if (c.identity || !c.places.empty())
    return c.identity;
  return constant(b.getI64IntegerAttr(id));
}

bool Walker::canIdentify(CellId id, ArrayRef<CellId> partners) {
  if (nextCell >> numberBits)
    return false;
  return llvm::all_of(llvm::concat<const CellId>(partners, ArrayRef(id)), [&](CellId either) {
    const Cell &c = cell(either);
    return c.kind == Cell::Kind::Storage && !c.isConstant && !c.isPart &&
           (!tracksIdentities || identityOf(either));
  });
}

/// Whether tensors of two types may be one at run time.
static bool mayBeOne(RankedTensorType a, RankedTensorType b) {
  return a.getElementType() == b.getElementType() && succeeded(verifyCompatibleShape(a, b));
}

void Walker::writePartner(CellId id, CellId partner, Value value) {
  Value old = storageValue(partner);
  if (!mayBeOne(cast<RankedTensorType>(old.getType()), cast<RankedTensorType>(value.getType())))
    return;
  Location loc = locOf(current);
  Value same =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, identityOf(id), identityOf(partner));
  auto either = IfOp::create(b, loc, old.getType(), same);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(&either.getThenRegion().emplaceBlock());
  YieldOp::create(b, loc, converted(value, old.getType()));
  b.setInsertionPointToEnd(&either.getElseRegion().emplaceBlock());
  YieldOp::create(b, loc, old);
  setStorage(partner, either.getResult(0));
  if (lastDecision)
    writes[partner].push_back({lastDecision, {}});
}

std::optional<Value> Join::joinIdentities(const TensorRef *x, const TensorRef *y) {
  if (!w.tracksIdentities)
    return Value();
  auto identity = [&](State &side, const TensorRef *ref) {
    return ref ? inState(side, [&] { return w.identityOf(ref->storage); }) : Value();
  };
  Value a = identity(left, x), b = identity(right, y);
  if ((x && !a) || (y && !b))
    return Value();
  return merge(a, b);
}

/// Whether a name stands for less than a storage, or for what may be a copy.
bool Join::isPart(State &side, const TensorRef *ref) const {
  if (!ref)
    return false;
  CellRef cell = side.heap.lookup(ref->storage);
  return (ref->chain && !ref->chain->empty()) || (cell && cell->isPart);
}

bool Join::takeInIdentity(Cell &cell, const TensorRef &own, const TensorRef &other) {
  if (cell.isPart)
    return true;
  cell.isPart = isPart(right, &other);
  std::optional<Value> identity = cell.isPart ? Value() : joinIdentities(&own, &other);
  if (!identity)
    return false;
  if (cell.isPart)
    noteChange();
  cell.identity = *identity;
  return true;
}
