//===- Peel.cpp - The first trip of a loop, apart -------------------------===//
//
// What a loop carries is often of one structure in front of the loop, and of another one from its
// first trip on: a name that then stands for another list or tensor, a tensor of another rank. With
// the first trip apart, both are known:
//
//   %any = arith.cmpi sgt, %trips, %0
//   tl.if %any { first trip; tl.loop of the others; what follows } else { what follows }
//
// What follows is walked once where the two arms agree, as behind every conditional.
//
//===----------------------------------------------------------------------===//
#include "Walker.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

OutcomePtr Walker::peel(const LoopEntry &loop) {
  Location loc = locOf(loop.op);
  Value runs;
  if (!loop.trip.isConstant())
    runs = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sgt, loop.trip.getScalar(),
                                 constant(b.getI64IntegerAttr(loop.first)));
  if (Value condition = loop.condition.isConstant() ? Value() : loop.condition.getScalar())
    runs = runs ? arith::AndIOp::create(b, loc, runs, condition).getResult() : condition;
  auto walkArm = [&](bool taken) {
    if (!taken)
      return makeLeaf(loop.carried);
    OutcomePtr outcome = walkTrip(loop);
    forEachLeaf(outcome, [&](OutcomePtr leaf) {
      LoopEntry rest = loop;
      goOn(rest, *leaf);
      ++rest.first;
      return walkLoop(std::move(rest));
    });
    current = loop.op;
    collapse(outcome);
    return outcome;
  };
  return runs ? walkArms(runs, walkArm) : walkArm(true);
}
