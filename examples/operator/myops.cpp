// A library of operators: an ordinary one, one that writes its argument, one with several results.
#include <torch/library.h>

static at::Tensor soft_clip(const at::Tensor &x, double limit) {
  TORCH_CHECK(limit > 0, "soft_clip: the limit must be positive, but is ", limit);
  return x.div(x.abs().div(limit).add(1));
}
static at::Tensor &halve_(at::Tensor &x) { return x.mul_(0.5); }
static std::tuple<at::Tensor, int64_t> above(const at::Tensor &x, double limit) {
  at::Tensor found = x.masked_select(x.gt(limit));
  return {found, found.numel()};
}

TORCH_LIBRARY(myops, m) {
  m.def("soft_clip(Tensor x, float limit) -> Tensor", soft_clip);
  m.def("halve_(Tensor(a!) x) -> Tensor(a!)", halve_);
  m.def("above(Tensor x, float limit) -> (Tensor, int)", above);
}
