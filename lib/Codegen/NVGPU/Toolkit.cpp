//===- Toolkit.cpp - Where the CUDA Toolkit is ----------------------------===//
#include "TorchLite/Codegen/NVGPU/Toolkit.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/Signals.h"

namespace torchlite::nvgpu {
using namespace mlir;
using llvm::VersionTuple;

static constexpr unsigned timeLimit = 600; // seconds

using Scope = Architecture::Scope;

/// The first version of PTX that has the architecture, but no less than what kernels need: 6.5 has
/// the matrix instructions of Turing, 7.4 the asynchronous copies of Ampere with their cache hints.
static const Architecture architectures[] = {
    {"sm_70", 70, Scope::Newer, 65, VersionTuple(10, 2), VersionTuple(13)},
    {"sm_75", 75, Scope::Newer, 65, VersionTuple(10, 2), {}},
    {"sm_80", 80, Scope::Newer, 74, VersionTuple(11, 4), {}},
    {"sm_86", 86, Scope::Newer, 74, VersionTuple(11, 4), {}},
    {"sm_87", 87, Scope::Newer, 74, VersionTuple(11, 4), {}},
    {"sm_88", 88, Scope::Newer, 90, VersionTuple(13, 0), {}},
    {"sm_89", 89, Scope::Newer, 78, VersionTuple(11, 8), {}},
    {"sm_90", 90, Scope::Newer, 78, VersionTuple(11, 8), {}},
    {"sm_90a", 90, Scope::Exact, 80, VersionTuple(12, 0), {}},
    {"sm_100", 100, Scope::Newer, 86, VersionTuple(12, 8), {}},
    {"sm_100a", 100, Scope::Exact, 86, VersionTuple(12, 8), {}},
    {"sm_100f", 100, Scope::Family, 88, VersionTuple(12, 9), {}},
    {"sm_103", 103, Scope::Newer, 88, VersionTuple(12, 9), {}},
    {"sm_103a", 103, Scope::Exact, 88, VersionTuple(12, 9), {}},
    {"sm_103f", 103, Scope::Family, 88, VersionTuple(12, 9), {}},
    {"sm_110", 110, Scope::Newer, 90, VersionTuple(13, 0), {}},
    {"sm_110a", 110, Scope::Exact, 90, VersionTuple(13, 0), {}},
    {"sm_110f", 110, Scope::Family, 90, VersionTuple(13, 0), {}},
    {"sm_120", 120, Scope::Newer, 87, VersionTuple(12, 8), {}},
    {"sm_120a", 120, Scope::Exact, 87, VersionTuple(12, 8), {}},
    {"sm_120f", 120, Scope::Family, 88, VersionTuple(12, 9), {}},
    {"sm_121", 121, Scope::Newer, 88, VersionTuple(12, 9), {}},
    {"sm_121a", 121, Scope::Exact, 88, VersionTuple(12, 9), {}},
    {"sm_121f", 121, Scope::Family, 88, VersionTuple(12, 9), {}},
};

FailureOr<const Architecture *> lookupArchitecture(StringRef name, Location loc) {
  for (const Architecture &architecture : architectures)
    if (architecture.name == name)
      return &architecture;
  InFlightDiagnostic error = emitError(loc, "unknown GPU architecture '") << name << "': expected ";
  llvm::interleave(
      architectures, [&](const Architecture &known) { error << known.name; },
      [&] { error << ", "; });
  return error;
}

LogicalResult Toolkit::supports(const Architecture &architecture, Location loc) const {
  if (ptxas.empty())
    return emitError(loc, "ptxas is not found: ") << toolkitHint;
  if (version < architecture.from)
    return emitError(loc) << architecture.name << " needs ptxas " << architecture.from.getAsString()
                          << " or newer, but " << ptxas << " is " << version.getAsString() << ": "
                          << toolkitHint;
  if (!architecture.to.empty() && version >= architecture.to)
    return emitError(loc) << architecture.name << " needs ptxas older than "
                          << architecture.to.getAsString() << ", but " << ptxas << " is "
                          << version.getAsString() << ": name an older CUDA Toolkit with "
                          << "--cuda-path or TORCHLITE_CUDA_PATH";
  return success();
}

ProgramResult runProgram(StringRef path, ArrayRef<StringRef> arguments) {
  ProgramResult result{-1, "", ""};
  SmallString<128> output;
  if (std::error_code error = llvm::sys::fs::createTemporaryFile("torchlite", "txt", output)) {
    result.error = "cannot make a temporary file: " + error.message();
    return result;
  }
  llvm::sys::RemoveFileOnSignal(output);
  llvm::scope_exit remove([&] {
    llvm::sys::fs::remove(output);
    llvm::sys::DontRemoveFileOnSignal(output);
  });
  SmallVector<StringRef> argv = {path};
  llvm::append_range(argv, arguments);
  std::optional<StringRef> redirects[] = {StringRef(""), output.str(), output.str()};
  result.status = llvm::sys::ExecuteAndWait(path, argv, std::nullopt, redirects, timeLimit,
                                            /*MemoryLimit=*/0, &result.error);
  if (auto buffer = llvm::MemoryBuffer::getFile(output))
    result.output = (*buffer)->getBuffer().str();
  return result;
}

namespace {

/// Fills in the parts of a toolkit, folder by folder, first come first served.
class Finder {
public:
  explicit Finder(Toolkit &toolkit) : toolkit(toolkit) {}

  bool isComplete() const { return !toolkit.ptxas.empty() && !toolkit.libdevice.empty(); }
  /// A folder as the installers lay it out. Python packages have the same folders.
  void lookIn(StringRef root);
  void lookInVariable(StringRef name);
  /// The Python packages of an environment: `nvidia/cu13`, before CUDA 13 `nvidia/cuda_nvcc`.
  void lookInPython(StringRef prefix);

private:
  Toolkit &toolkit;
};

std::string join(StringRef root, StringRef rest) {
  SmallString<128> path(root);
  llvm::sys::path::append(path, rest);
  return path.str().str();
}

void Finder::lookIn(StringRef root) {
  std::string ptxas = join(root, "bin/ptxas");
  if (toolkit.ptxas.empty() && llvm::sys::fs::can_execute(ptxas))
    toolkit.ptxas = ptxas;
  std::string libdevice = join(root, "nvvm/libdevice/libdevice.10.bc");
  if (toolkit.libdevice.empty() && llvm::sys::fs::exists(libdevice))
    toolkit.libdevice = libdevice;
}

void Finder::lookInVariable(StringRef name) {
  if (std::optional<std::string> value = llvm::sys::Process::GetEnv(name); value && !value->empty())
    lookIn(*value);
}

/// The entries of a folder whose names start with `prefix`, the last by name first.
SmallVector<std::string> listFolder(StringRef folder, StringRef prefix) {
  SmallVector<std::string> entries;
  std::error_code error;
  for (llvm::sys::fs::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error))
    if (llvm::sys::path::filename(it->path()).starts_with(prefix))
      entries.push_back(it->path());
  llvm::sort(entries, std::greater<>());
  return entries;
}

void Finder::lookInPython(StringRef prefix) {
  for (const std::string &python : listFolder(join(prefix, "lib"), "python3"))
    for (const std::string &package : listFolder(join(python, "site-packages/nvidia"), "cu"))
      lookIn(package);
}

/// "... release 13.0, V13.0.88"
FailureOr<VersionTuple> askVersion(StringRef ptxas, Location loc) {
  ProgramResult result = runProgram(ptxas, {"--version"});
  VersionTuple version;
  StringRef number = StringRef(result.output).split("release ").second.split(',').first;
  if (result.status != 0 || version.tryParse(number)) {
    InFlightDiagnostic error = emitError(loc, "'")
                               << ptxas << " --version' does not tell a version";
    if (!result.error.empty())
      error << ": " << result.error;
    return error;
  }
  return version;
}

} // namespace

FailureOr<Toolkit> findToolkit(StringRef cudaPath, Location loc) {
  Toolkit toolkit;
  Finder finder(toolkit);
  std::string named = cudaPath.str();
  if (named.empty())
    named = llvm::sys::Process::GetEnv("TORCHLITE_CUDA_PATH").value_or("");
  if (!named.empty()) {
    finder.lookIn(named);
    finder.lookInPython(named);
    if (toolkit.ptxas.empty() && toolkit.libdevice.empty())
      return emitError(loc, "no CUDA Toolkit in '")
             << named << "': expected bin/ptxas or nvvm/libdevice/libdevice.10.bc, or a Python "
             << "environment with the package nvidia-cuda-nvcc";
  } else {
    for (StringRef variable : {"CUDA_HOME", "CUDA_PATH"})
      finder.lookInVariable(variable);
    if (llvm::ErrorOr<std::string> found = llvm::sys::findProgramByName("ptxas")) {
      SmallString<128> real;
      if (!llvm::sys::fs::real_path(*found, real))
        finder.lookIn(llvm::sys::path::parent_path(llvm::sys::path::parent_path(real)));
      // Where it does not lie in a folder `bin`.
      if (toolkit.ptxas.empty())
        toolkit.ptxas = *found;
    }
    for (StringRef folder : {"/usr/local/cuda", "/usr/lib/cuda"}) // NVIDIA's installer, Debian's
      finder.lookIn(folder);
    if (!finder.isComplete())
      if (auto environment = llvm::sys::Process::GetEnv("VIRTUAL_ENV"))
        finder.lookInPython(*environment);
    // Not its real path: a virtual environment's python3 is a link to the system's.
    if (!finder.isComplete())
      if (llvm::ErrorOr<std::string> python = llvm::sys::findProgramByName("python3"))
        finder.lookInPython(
            llvm::sys::path::parent_path(llvm::sys::path::parent_path(StringRef(*python))));
#ifdef TORCHLITE_PYTHON_PREFIX
    if (!finder.isComplete())
      finder.lookInPython(TORCHLITE_PYTHON_PREFIX);
#endif
  }
  if (!toolkit.ptxas.empty()) {
    FailureOr<VersionTuple> version = askVersion(toolkit.ptxas, loc);
    if (failed(version))
      return failure();
    toolkit.version = *version;
  }
  return toolkit;
}

} // namespace torchlite::nvgpu
