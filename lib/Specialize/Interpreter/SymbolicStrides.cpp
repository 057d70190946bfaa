//===- SymbolicStrides.cpp - Strides that depend on sizes -----------------===//
#include "SymbolicStrides.h"
#include "Strides.h"
#include "Walker.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

namespace {

/// A product of sizes: a constant times what is known only at run time.
struct Product {
  int64_t constant = 1;
  SmallVector<OpFoldResult, 4> factors;

  void multiply(OpFoldResult size) {
    if (std::optional<int64_t> known = getConstantIntValue(size))
      constant *= *known;
    else
      factors.push_back(size);
  }
  bool isConstant(int64_t value) const { return factors.empty() && constant == value; }
};

/// The sizes and strides of a tensor, and where it begins in its storage: the sum of `begins`.
struct Layout {
  SmallVector<OpFoldResult> sizes;
  SmallVector<Product> strides;
  SmallVector<Product> begins = {};
};

/// A dimension that follows another one in memory, unless its size turns out to be 1.
struct Follower {
  OpFoldResult size;
  /// Its stride times its size: the stride of the dimension before, if they lie in memory as one.
  Product reach;
};

/// Derives layouts and compares them.
class Layouts {
public:
  explicit Layouts(RuleContext &ctx) : ctx(ctx) {}

  std::optional<Layout> of(const TensorRef &tensor, bool needsBegin = false);
  Value canView(const Layout &layout, ArrayRef<OpFoldResult> viewSizes);
  Value overlapPartly(const Layout &a, const DimOrder &order, const Layout &b,
                      const DimOrder &otherOrder);

private:
  Layout dense(SmallVector<OpFoldResult> sizes, ArrayRef<int64_t> order);
  Layout contiguous(ArrayRef<OpFoldResult> sizes);
  std::optional<Layout> ofView(Layout layout, const ViewStep &step);
  std::optional<Layout> ofBroadcast(const Layout &layout, ArrayRef<OpFoldResult> sizes);
  std::optional<Layout> ofReshape(const Layout &layout, ArrayRef<OpFoldResult> sizes);
  bool isContiguous(const Layout &layout);

  /// Whether a dimension and those that follow it (the nearest one first) lie in memory as one.
  bool mustJoin(const Product &stride, ArrayRef<Follower> followers);
  Value joins(const Product &stride, ArrayRef<Follower> followers);

  bool mustEqual(const Product &a, const Product &b);
  Value equal(const Product &a, const Product &b);
  Value valueOf(const Product &product);
  Value isOne(OpFoldResult size);
  /// Whether a tensor lies in memory without gaps.
  Value isDense(const Layout &layout, const DimOrder &order);
  /// Where a tensor begins, and its number of elements behind that.
  std::pair<Value, Value> rangeOf(const Layout &layout);
  Value both(Value a, Value b) { return arith::AndIOp::create(ctx.b, ctx.loc, a, b); }
  Value compare(arith::CmpIPredicate predicate, Value a, Value b) {
    return arith::CmpIOp::create(ctx.b, ctx.loc, predicate, a, b);
  }
  Value either(Value a, Value b) { return arith::OrIOp::create(ctx.b, ctx.loc, a, b); }
  Value constant(bool value) { return ctx.constantScalar(value, ctx.b.getI1Type()); }

  RuleContext &ctx;
};

} // namespace

/// The products of sizes from each dimension on to the last one; `sizes.size() + 1` of them.
static SmallVector<Product> suffixProducts(ArrayRef<OpFoldResult> sizes) {
  SmallVector<Product> products(sizes.size() + 1);
  for (size_t i = sizes.size(); i-- > 0;) {
    products[i] = products[i + 1];
    products[i].multiply(sizes[i]);
  }
  return products;
}

Layout Layouts::dense(SmallVector<OpFoldResult> sizes, ArrayRef<int64_t> order) {
  Layout layout{std::move(sizes), SmallVector<Product>(order.size())};
  Product stride;
  for (int64_t dim : llvm::reverse(order)) {
    layout.strides[dim] = stride;
    stride.multiply(layout.sizes[dim]);
  }
  return layout;
}

Layout Layouts::contiguous(ArrayRef<OpFoldResult> sizes) {
  return dense(SmallVector<OpFoldResult>(sizes), llvm::to_vector(llvm::seq<int64_t>(sizes.size())));
}

std::optional<Layout> Layouts::of(const TensorRef &tensor, bool needsBegin) {
  Walker &w = ctx.getWalker();
  std::optional<Strides> strides = stridesOf(tensor);
  if (strides && tensor.type.hasStaticShape() && (tensor.offset || !needsBegin)) {
    Layout layout;
    for (auto [size, stride] : llvm::zip_equal(tensor.type.getShape(), *strides)) {
      layout.sizes.push_back(ctx.fold(size));
      layout.strides.push_back({stride, {}});
    }
    if (tensor.offset)
      layout.begins.push_back({*tensor.offset, {}});
    return layout;
  }
  const auto &order = w.cell(tensor.storage).order;
  if (!order)
    return std::nullopt;
  std::optional<Layout> layout = dense(ctx.sizes(w.storageValue(tensor.storage)), *order);
  if (tensor.chain)
    for (const ViewStep &step : *tensor.chain)
      if (layout)
        layout = ofView(std::move(*layout), step);
  return layout;
}

std::optional<Layout> Layouts::ofView(Layout layout, const ViewStep &step) {
  switch (step.kind) {
  case ViewStep::Kind::Same:
    return layout;
  case ViewStep::Kind::Permute:
    return Layout{applyPermutation(layout.sizes, step.permutation),
                  applyPermutation(layout.strides, step.permutation), layout.begins};
  case ViewStep::Kind::Slice:
    for (auto [stride, offset] : llvm::zip_equal(layout.strides, step.offsets)) {
      layout.begins.push_back(stride);
      layout.begins.back().multiply(offset);
    }
    for (auto [stride, by] : llvm::zip_equal(layout.strides, step.steps))
      stride.multiply(by);
    layout.sizes = step.sizes;
    return layout;
  case ViewStep::Kind::Broadcast:
    return ofBroadcast(layout, step.sizes);
  case ViewStep::Kind::Reshape: {
    std::optional<Layout> reshaped = ofReshape(layout, step.sizes);
    if (reshaped)
      reshaped->begins = layout.begins;
    return reshaped;
  }
  case ViewStep::Kind::Custom:
    return std::nullopt;
  }
  llvm_unreachable("all kinds covered");
}

/// Missing dimensions and those of size 1 are repeated; one that may be of size 1 is not followed.
std::optional<Layout> Layouts::ofBroadcast(const Layout &layout, ArrayRef<OpFoldResult> sizes) {
  if (sizes.size() < layout.sizes.size())
    return std::nullopt;
  size_t added = sizes.size() - layout.sizes.size();
  Layout result{SmallVector<OpFoldResult>(sizes), SmallVector<Product>(added, Product{0, {}})};
  for (auto [i, size] : llvm::enumerate(layout.sizes)) {
    if (ctx.equal(size, sizes[added + i]) == Known::Yes)
      result.strides.push_back(layout.strides[i]);
    else if (isConstantIntValue(size, 1))
      result.strides.push_back({0, {}});
    else
      return std::nullopt;
  }
  return result;
}

std::optional<Layout> Layouts::ofReshape(const Layout &layout, ArrayRef<OpFoldResult> sizes) {
  if (isContiguous(layout))
    return contiguous(sizes);
  // Dimensions of size 1 may come and go; others than these are not followed.
  Layout result{SmallVector<OpFoldResult>(sizes), {}};
  size_t from = 0;
  auto skipOnes = [&] {
    while (from < layout.sizes.size() && isConstantIntValue(layout.sizes[from], 1))
      ++from;
  };
  for (OpFoldResult size : sizes) {
    if (isConstantIntValue(size, 1)) {
      result.strides.push_back({});
      continue;
    }
    skipOnes();
    if (from == layout.sizes.size() || ctx.equal(layout.sizes[from], size) != Known::Yes)
      return std::nullopt;
    result.strides.push_back(layout.strides[from++]);
  }
  skipOnes();
  return from == layout.sizes.size() ? std::optional(result) : std::nullopt;
}

bool Layouts::isContiguous(const Layout &layout) {
  SmallVector<Product> products = suffixProducts(layout.sizes);
  return llvm::all_of(llvm::seq(layout.sizes.size()), [&](size_t i) {
    return isConstantIntValue(layout.sizes[i], 1) || mustEqual(layout.strides[i], products[i + 1]);
  });
}

bool Layouts::mustEqual(const Product &a, const Product &b) {
  if (a.constant != b.constant || a.factors.size() != b.factors.size())
    return false;
  SmallVector<OpFoldResult, 4> others = b.factors;
  return llvm::all_of(a.factors, [&](OpFoldResult factor) {
    auto *found =
        llvm::find_if(others, [&](auto other) { return ctx.equal(factor, other) == Known::Yes; });
    if (found == others.end())
      return false;
    others.erase(found);
    return true;
  });
}

Value Layouts::valueOf(const Product &product) {
  OpFoldResult value = ctx.fold(product.constant);
  for (OpFoldResult factor : product.factors)
    value = ctx.mul(value, factor);
  return ctx.intValue(value);
}

Value Layouts::isOne(OpFoldResult size) {
  Product product;
  product.multiply(size);
  return equal(product, {1, {}});
}

Value Layouts::equal(const Product &a, const Product &b) {
  return arith::CmpIOp::create(ctx.b, ctx.loc, arith::CmpIPredicate::eq, valueOf(a), valueOf(b));
}

/// Leaves out of a product the sizes that are taken for 1.
static Product without(Product product, ArrayRef<OpFoldResult> ones) {
  llvm::erase_if(product.factors,
                 [&](OpFoldResult factor) { return llvm::is_contained(ones, factor); });
  return product;
}

bool Layouts::mustJoin(const Product &stride, ArrayRef<Follower> followers) {
  SmallVector<OpFoldResult> ones;
  for (const Follower &follower : followers) {
    if (!mustEqual(without(stride, ones), without(follower.reach, ones)))
      return false;
    ones.push_back(follower.size);
  }
  return true;
}

Value Layouts::joins(const Product &stride, ArrayRef<Follower> followers) {
  Value joined = constant(true);
  for (const Follower &follower : llvm::reverse(followers)) {
    Value reaches = equal(stride, follower.reach);
    joined = getConstantIntValue(follower.size)
                 ? reaches
                 : arith::SelectOp::create(ctx.b, ctx.loc, isOne(follower.size), joined, reaches);
  }
  return joined;
}

/// Between two dimensions that do not lie in memory as one, a dimension of the view must begin,
/// too: as many elements of both follow. Dimensions of size 1 lie nowhere.
Value Layouts::canView(const Layout &layout, ArrayRef<OpFoldResult> viewSizes) {
  SmallVector<Product> own = suffixProducts(layout.sizes), others = suffixProducts(viewSizes);
  SmallVector<Follower> followers;
  Value all;
  for (size_t i = layout.sizes.size(); i-- > 0;) {
    OpFoldResult size = layout.sizes[i];
    const Product &stride = layout.strides[i];
    if (isConstantIntValue(size, 1))
      continue;
    bool isFine = mustJoin(stride, followers) ||
                  llvm::any_of(others, [&](auto &p) { return mustEqual(own[i + 1], p); });
    if (!isFine) {
      Value fine = joins(stride, followers);
      if (!getConstantIntValue(size))
        fine = either(fine, isOne(size));
      for (const Product &other : others)
        fine = either(fine, equal(own[i + 1], other));
      all = all ? both(all, fine) : fine;
    }
    Follower follower{size, stride};
    follower.reach.multiply(size);
    if (getConstantIntValue(size))
      followers.clear();
    followers.insert(followers.begin(), follower);
  }
  return all ? either(all, equal(own.front(), {0, {}})) : constant(true);
}

Value specialize::canViewAs(RuleContext &ctx, const TensorRef &tensor,
                            ArrayRef<OpFoldResult> viewSizes) {
  Layouts layouts(ctx);
  std::optional<Layout> layout = layouts.of(tensor);
  return layout ? layouts.canView(*layout, viewSizes) : Value();
}

//===----------------------------------------------------------------------===//
// Overlaps
//===----------------------------------------------------------------------===//

Value Layouts::isDense(const Layout &layout, const DimOrder &order) {
  Value dense = constant(true);
  Product expected;
  for (int64_t dim : llvm::reverse(order)) {
    OpFoldResult size = layout.sizes[dim];
    if (isConstantIntValue(size, 1))
      continue;
    if (!mustEqual(layout.strides[dim], expected)) {
      Value fits = equal(layout.strides[dim], expected);
      dense = both(dense, getConstantIntValue(size) ? fits : either(fits, isOne(size)));
    }
    expected.multiply(size);
  }
  return dense;
}

std::pair<Value, Value> Layouts::rangeOf(const Layout &layout) {
  Value begin = valueOf({0, {}});
  for (const Product &part : layout.begins)
    if (!part.isConstant(0))
      begin = arith::AddIOp::create(ctx.b, ctx.loc, begin, valueOf(part));
  return {begin, valueOf(suffixProducts(layout.sizes).front())};
}

Value Layouts::overlapPartly(const Layout &a, const DimOrder &order, const Layout &b,
                             const DimOrder &otherOrder) {
  using Predicate = arith::CmpIPredicate;
  auto [begin, count] = rangeOf(a);
  auto [otherBegin, otherCount] = rangeOf(b);
  Value zero = valueOf({0, {}});
  Value bothDense = both(isDense(a, order), isDense(b, otherOrder));
  Value nonempty =
      both(compare(Predicate::ne, count, zero), compare(Predicate::ne, otherCount, zero));
  // One range is the same tensor, or the same elements in another order.
  Value sameRange =
      both(compare(Predicate::eq, begin, otherBegin), compare(Predicate::eq, count, otherCount));
  Value differs = constant(a.strides.size() != b.strides.size());
  if (a.strides.size() == b.strides.size())
    for (auto [x, y] : llvm::zip_equal(a.strides, b.strides))
      if (!mustEqual(x, y))
        differs = either(differs, compare(Predicate::ne, valueOf(x), valueOf(y)));
  Value end = arith::AddIOp::create(ctx.b, ctx.loc, begin, count);
  Value otherEnd = arith::AddIOp::create(ctx.b, ctx.loc, otherBegin, otherCount);
  Value touches =
      both(compare(Predicate::slt, begin, otherEnd), compare(Predicate::slt, otherBegin, end));
  Value partly = arith::SelectOp::create(ctx.b, ctx.loc, sameRange, differs, touches);
  return both(both(nonempty, bothDense), partly);
}

Value specialize::overlapPartly(RuleContext &ctx, const TensorRef &a, const TensorRef &b) {
  if (a.storage != b.storage || a.chain == b.chain)
    return {};
  std::optional<DimOrder> order = orderOf(ctx, a), otherOrder = orderOf(ctx, b);
  if (!order || !otherOrder)
    return {};
  Layouts layouts(ctx);
  std::optional<Layout> layout = layouts.of(a, /*needsBegin=*/true),
                        other = layouts.of(b, /*needsBegin=*/true);
  if (!layout || !other)
    return {};
  return layouts.overlapPartly(*layout, *order, *other, *otherOrder);
}

//===----------------------------------------------------------------------===//
// The order of dimensions
//===----------------------------------------------------------------------===//

/// The positions of the dimensions that are not known to be of size 1.
static SmallVector<int64_t> withoutOnes(ArrayRef<OpFoldResult> sizes) {
  return llvm::filter_to_vector(llvm::seq<int64_t>(sizes.size()),
                                [&](int64_t i) { return !isConstantIntValue(sizes[i], 1); });
}

/// The order behind a reshape that only adds and removes dimensions of size 1.
static std::optional<DimOrder> orderOfReshape(RuleContext &ctx, ArrayRef<int64_t> order,
                                              ArrayRef<OpFoldResult> from,
                                              ArrayRef<OpFoldResult> to) {
  SmallVector<int64_t> before = withoutOnes(from), after = withoutOnes(to);
  if (before.size() != after.size())
    return std::nullopt;
  for (auto [x, y] : llvm::zip_equal(before, after))
    if (ctx.equal(from[x], to[y]) != Known::Yes)
      return std::nullopt;
  DimOrder result;
  for (auto [i, size] : llvm::enumerate(to))
    if (isConstantIntValue(size, 1))
      result.push_back(i); // where these lie makes no difference
  for (int64_t dim : order)
    if (auto *found = llvm::find(before, dim); found != before.end())
      result.push_back(after[found - before.begin()]);
  return result;
}

static DimOrder orderOfPermute(ArrayRef<int64_t> order, ArrayRef<int64_t> permutation) {
  return llvm::map_to_vector<4>(order, [&](int64_t dim) {
    return int64_t(llvm::find(permutation, dim) - permutation.begin());
  });
}

std::optional<DimOrder> specialize::orderOf(RuleContext &ctx, const TensorRef &tensor) {
  Walker &w = ctx.getWalker();
  std::optional<DimOrder> order = w.cell(tensor.storage).order;
  if (!order || !tensor.chain)
    return order;
  SmallVector<OpFoldResult> sizes = ctx.sizes(w.storageValue(tensor.storage));
  bool isContiguous = llvm::is_sorted(*order);
  for (const ViewStep &step : *tensor.chain) {
    switch (step.kind) {
    case ViewStep::Kind::Same:
      continue;
    case ViewStep::Kind::Permute:
      order = orderOfPermute(*order, step.permutation);
      sizes = applyPermutation(sizes, step.permutation);
      isContiguous = false;
      continue;
    case ViewStep::Kind::Slice: // of two dimensions the one farther apart stays so
      isContiguous = false;
      break;
    case ViewStep::Kind::Reshape:
      if (isContiguous)
        order = llvm::to_vector<4>(llvm::seq<int64_t>(step.sizes.size()));
      else
        order = orderOfReshape(ctx, *order, sizes, step.sizes);
      break;
    case ViewStep::Kind::Broadcast:
    case ViewStep::Kind::Custom:
      return std::nullopt;
    }
    if (!order)
      return std::nullopt;
    sizes = step.sizes;
  }
  return order;
}
