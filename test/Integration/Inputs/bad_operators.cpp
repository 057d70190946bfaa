// Operators that do what their schemas, or a run with other sizes, do not tell.
#include <torch/library.h>

static at::Tensor writes(const at::Tensor &x) {
  at::Tensor same = x;
  return same.add_(1).clone();
}
static at::Tensor fickle(const at::Tensor &x) { return x.size(0) > 5 ? x.sum() : x.clone(); }
static at::Tensor late(const at::Tensor &x) { return x.size(0) > 100 ? x.sum() : x.clone(); }
static at::Tensor itself(const at::Tensor &x) { return x.size(0) > 100 ? x : x.clone(); }
static std::string text(const at::Tensor &x) { return "text"; }

TORCH_LIBRARY(bad, m) {
  m.def("writes", writes);
  m.def("fickle", fickle);
  m.def("late", late);
  m.def("itself", itself);
  m.def("text", text);
}
