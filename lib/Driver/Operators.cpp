//===- Operators.cpp - Operators that LibTorch computes -------------------===//
#include "TorchLite/Driver/Operators.h"

#include "TorchLite/Dialect/TorchLite/IR/OperatorOps.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"

namespace torchlite::driver {
using namespace mlir;
namespace cl = llvm::cl;

OperatorCommandLine::OperatorCommandLine(cl::OptionCategory &category)
    : fallback("fallback", cl::cat(category), cl::value_desc("name"), cl::init("none"),
               cl::desc("What computes operators that are not compiled: none (default), which\n"
                        "refuses them, or libtorch, which the model then needs where it runs")),
      fallbackLibrary("fallback-library", cl::cat(category), cl::value_desc("file"),
                      cl::desc("Where the model finds libTorchLiteFallback.so (default: beside\n"
                               "itself; TORCHLITE_FALLBACK in the environment comes first)")),
      libraries("load-library", cl::cat(category), cl::value_desc("file"),
                cl::desc("A library that defines operators (TORCH_LIBRARY); may be repeated")) {}

LogicalResult OperatorCommandLine::load(MLIRContext *context,
                                        const OperatorSupport &support) const {
  for (const std::string &library : libraries) {
    if (!support.load)
      return emitError(UnknownLoc::get(context),
                       "--load-library: this tool was built without LibTorch");
    if (llvm::Error error = support.load(library))
      return emitError(UnknownLoc::get(context), "--load-library: ")
             << llvm::toString(std::move(error));
  }
  return success();
}

LogicalResult OperatorCommandLine::apply(MLIRContext *context, const OperatorSupport &support,
                                         CompileOptions &options) const {
  Location loc = UnknownLoc::get(context);
  if (fallback != "none" && fallback != "libtorch")
    return emitError(loc, "--fallback=") << fallback << ": unknown; expected none or libtorch";
  if (fallback == "none") {
    if (fallbackLibrary.getNumOccurrences())
      return emitError(loc, "--fallback-library is about operators that LibTorch computes; give "
                            "--fallback=libtorch too");
    return success();
  }
  if (!support.oracle)
    return emitError(loc, "--fallback=libtorch: this tool was built without LibTorch");
  options.oracle = support.oracle;
  // The model may run in another folder than this one.
  auto add = [&](StringRef path) {
    SmallString<128> absolute(path);
    if (!path.empty())
      llvm::sys::fs::make_absolute(absolute);
    options.operatorLibraries.push_back(absolute.str().str());
  };
  add(fallbackLibrary);
  for (const std::string &library : libraries)
    add(library);
  return success();
}

StringRef OperatorCommandLine::givenOption() const {
  if (fallback.getNumOccurrences())
    return fallback.ArgStr;
  return fallbackLibrary.getNumOccurrences() ? fallbackLibrary.ArgStr : StringRef();
}

/// The innermost file and line, or nothing.
static std::string placeOf(Location loc) {
  auto file = loc->findInstanceOf<FileLineColLoc>();
  if (!file)
    return "";
  return (llvm::sys::path::filename(file.getFilename().getValue()) + ":" + Twine(file.getLine()))
      .str();
}

void reportCalls(ModuleOp module) {
  auto counts = module->getAttrOfType<DenseI64ArrayAttr>("tl.operator_counts");
  module->removeAttr("tl.operator_counts");
  if (!counts || counts.size() != 2)
    return;
  llvm::MapVector<StringRef, SmallVector<std::string>> places;
  module.walk([&](tl::CallOperatorOp op) {
    SmallVector<std::string> &of = places[op.getName()];
    if (std::string place = placeOf(op.getLoc()); !llvm::is_contained(of, place))
      of.push_back(place);
  });
  InFlightDiagnostic remark = emitRemark(module.getLoc());
  remark << counts[0] << " of " << counts[1] << " operators ("
         << llvm::formatv("{0:F1}", 100.0 * counts[0] / std::max<int64_t>(counts[1], 1)).str()
         << " %) are called through LibTorch";
  for (auto &[name, of] : places)
    remark.attachNote() << name << " (" << llvm::join(of, ", ") << ")";
}

LogicalResult refuseCallsOnDevice(ModuleOp module) {
  bool found = false;
  module.walk([&](tl::CallOperatorOp op) {
    op.emitError("'") << op.getName()
                      << "' would be called through LibTorch, which code for GPUs does not do; "
                         "compile with --target=cpu alone";
    found = true;
  });
  return failure(found);
}

} // namespace torchlite::driver
