//===- Values.cpp - What command lines and .npy files say of values -------===//
//
// A target for libFuzzer. The first byte says what the others are: `v` a value of tl-run
// (`--input`), `c` a call (`--call`), `d` a device, `n` a .npy file, `t` a type (`--input-type`),
// `s` a signature.
//
//===----------------------------------------------------------------------===//
#include "Run.h"
#include "TorchLite/Dialect/TorchLite/IR/TorchLiteDialect.h"
#include "TorchLite/Dialect/TorchLite/Transforms/Signature.h"
#include "mlir/IR/MLIRContext.h"

#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <memory>
#include <sys/mman.h>
#include <unistd.h>

using namespace torchlite;

static std::unique_ptr<mlir::MLIRContext> context;

/// A context never forgets an attribute, so it is not kept for ever.
static void refreshContext() {
  static unsigned uses = 0;
  if (uses++ % 20000 == 0) {
    context = std::make_unique<mlir::MLIRContext>(mlir::MLIRContext::Threading::DISABLED);
    context->loadDialect<tl::TorchLiteDialect>();
  }
}

/// What is said of a type has to be said again.
static void checkType(mlir::FailureOr<mlir::Attribute> type) {
  if (failed(type))
    return;
  std::string error;
  mlir::FailureOr<mlir::Attribute> again =
      tl::parseSignatureType(context.get(), tl::printStructure(*type), error);
  if (failed(again))
    abort();
}

static void readFile(tl_store *store, const std::string &content) {
  int descriptor = memfd_create("input", 0);
  if (write(descriptor, content.data(), content.size()) == ssize_t(content.size())) {
    std::string path = "/proc/self/fd/" + std::to_string(descriptor);
    tl_error error;
    for (int32_t dtype : {-1, int32_t(TL_BF16), int32_t(TL_F32)})
      if (DLTensor *tensor = tl_npy_read(store, path.c_str(), dtype, &error)) {
        tl_value value = tl_tensor(tensor);
        tl_print_value(&value);
      }
  }
  close(descriptor);
}

static void run(char kind, const std::string &text, tl_store *store) {
  tl_value value = tl_none(), *arguments;
  const char *method;
  size_t count;
  int32_t device, number;
  tl_error problem;
  std::string error;
  switch (kind) {
  case 'v':
    if (tl_parse_value(store, text.c_str(), &value, &problem))
      tl_print_value(&value);
    return;
  case 'c':
    if (tl_parse_call(store, text.c_str(), &method, &arguments, &count, &problem))
      for (size_t i = 0; i < count; ++i)
        tl_print_value(&arguments[i]);
    return;
  case 'd':
    tl_parse_device(text.c_str(), &device, &number, &problem);
    return;
  case 'n':
    return readFile(store, text);
  case 't':
    return checkType(tl::parseSignatureType(context.get(), text, error));
  case 's':
    if (auto signature = tl::parseSignature(context.get(), text, error); succeeded(signature))
      for (mlir::Attribute argument : signature->arguments)
        checkType(argument);
    return;
  default:
    return;
  }
}

extern "C" int LLVMFuzzerInitialize(int *, char ***) {
  // What is printed is nothing to look at; reports go to standard error.
  return freopen("/dev/null", "w", stdout) ? 0 : 1;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string input(reinterpret_cast<const char *>(data), size);
  // No file of this machine is an input.
  if (input.empty() || (input[0] != 'n' && input.find('@') != std::string::npos))
    return 0;
  refreshContext();
  tl_store store = {};
  run(input[0], input.substr(1), &store);
  tl_store_free(&store);
  return 0;
}
