//===- Link.cpp - Objects become libraries and programs -------------------===//
#include "TorchLite/Driver/Link.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Object/ArchiveWriter.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/raw_ostream.h"
#include <unistd.h>

namespace torchlite::driver {
using namespace llvm;

static Error makeError(const Twine &message) {
  return createStringError(inconvertibleErrorCode(), message);
}

//===----------------------------------------------------------------------===//
// Output files
//===----------------------------------------------------------------------===//

/// Whether the path is something that is written to, but never replaced: a device, a pipe, a
/// socket.
static bool isDeviceOrPipe(StringRef path) {
  sys::fs::file_status status;
  return !sys::fs::status(path, status) && sys::fs::exists(status) &&
         !sys::fs::is_regular_file(status) && !sys::fs::is_directory(status);
}

Expected<OutputFile> OutputFile::create(StringRef path) {
  if (path.empty())
    return makeError("no output file is named (-o)");
  if (sys::fs::is_directory(path))
    return makeError("'" + path + "' cannot be written: it is a directory");
  SmallString<128> temporary, target(path);
  bool special = path == "-" || isDeviceOrPipe(path);
  // What a link stands for is replaced, not the link.
  if (!special && sys::fs::is_symlink_file(path) && sys::fs::real_path(path, target))
    target = path;
  std::error_code error = special
                              ? sys::fs::createTemporaryFile("torchlite-output", "tmp", temporary)
                              : sys::fs::createUniqueFile(target + ".tmp-%%%%%%", temporary);
  if (error)
    return makeError("'" + path + "' cannot be written: " + error.message());
  sys::RemoveFileOnSignal(temporary);
  return OutputFile(target.str().str(), temporary.str().str(), special);
}

/// Writes what a file holds to a device or pipe, or to standard output.
static Error copyTo(StringRef path, StringRef from) {
  auto buffer = MemoryBuffer::getFile(from, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  std::error_code error = buffer.getError();
  if (!error) {
    int descriptor = STDOUT_FILENO;
    if (path != "-")
      error = sys::fs::openFileForWrite(path, descriptor, sys::fs::CD_OpenExisting);
    if (!error) {
      raw_fd_ostream os(descriptor, /*shouldClose=*/path != "-", /*unbuffered=*/true);
      os << (*buffer)->getBuffer();
      error = os.error();
      os.clear_error();
    }
  }
  return error ? makeError("'" + path + "' cannot be written: " + error.message())
               : Error::success();
}

OutputFile::OutputFile(OutputFile &&other)
    : path(std::move(other.path)), temporary(std::move(other.temporary)), special(other.special) {
  other.temporary.clear();
}

OutputFile::~OutputFile() {
  if (temporary.empty())
    return;
  sys::fs::remove(temporary);
  sys::DontRemoveFileOnSignal(temporary);
}

Error OutputFile::keep(bool executable) {
  using namespace sys::fs;
  if (special)
    return copyTo(path, temporary);
  unsigned mask = getUmask();
  auto mode = static_cast<perms>((executable ? 0777 : 0666) & ~mask);
  std::error_code error = setPermissions(temporary, mode);
  if (!error)
    error = rename(temporary, path);
  if (error)
    return makeError("'" + path + "' cannot be written: " + error.message());
  sys::DontRemoveFileOnSignal(temporary);
  temporary.clear();
  return Error::success();
}

TemporaryFile::TemporaryFile(StringRef path) : path(path) { sys::RemoveFileOnSignal(path); }

TemporaryFile::~TemporaryFile() {
  sys::fs::remove(path);
  sys::DontRemoveFileOnSignal(path);
}

//===----------------------------------------------------------------------===//
// The runtime and the linker
//===----------------------------------------------------------------------===//

static constexpr StringLiteral runtimeArchive = "libTorchLiteRuntime.a";

Expected<std::string> findRuntime(const char *argv0, void *mainAddress) {
  SmallVector<std::string> candidates;
  if (const char *given = getenv("TORCHLITE_RUNTIME_DIR"))
    candidates.push_back(given);
  std::string tool = sys::fs::getMainExecutable(argv0, mainAddress);
  StringRef bin = sys::path::parent_path(tool);
  for (StringRef relative : {"../lib/torchlite", "../" TORCHLITE_LIBDIR "/torchlite",
                             "../lib64/torchlite", "lib/torchlite"}) {
    SmallString<128> path(bin);
    sys::path::append(path, relative);
    sys::path::remove_dots(path, /*remove_dot_dot=*/true);
    candidates.push_back(path.str().str());
  }
  for (StringRef candidate : candidates) {
    SmallString<128> archive(candidate);
    sys::path::append(archive, runtimeArchive);
    if (sys::fs::exists(archive))
      return candidate.str();
  }
  return makeError(runtimeArchive + " was not found; looked in " + join(candidates, ", ") +
                   " (TORCHLITE_RUNTIME_DIR names another folder)");
}

/// Links with one compiler; its messages become the error.
static Error runLinker(StringRef compiler, ArrayRef<std::string> arguments) {
  SmallVector<std::string> command{compiler.str()};
  // The compiler says itself where it keeps its own lld; other names are given as a path.
  bool isClang = sys::path::filename(compiler).starts_with("clang");
  for (StringRef name : {"ld.lld-" TORCHLITE_LLVM_MAJOR, "ld.lld"})
    if (ErrorOr<std::string> found = sys::findProgramByName(name); found && isClang) {
      command.push_back("--ld-path=" + *found);
      break;
    }
  command.append(arguments.begin(), arguments.end());
  SmallVector<StringRef> references(command.begin(), command.end());

  SmallString<128> log;
  if (std::error_code error = sys::fs::createTemporaryFile("torchlite-link", "txt", log))
    return makeError("cannot write a temporary file: " + error.message());
  TemporaryFile removeLog(log);
  std::string problem;
  int status = sys::ExecuteAndWait(compiler, references, std::nullopt,
                                   {StringRef(), StringRef(log), StringRef(log)},
                                   /*SecondsToWait=*/0, /*MemoryLimit=*/0, &problem);
  if (status == 0)
    return Error::success();
  auto text = MemoryBuffer::getFile(log);
  return makeError("linking with '" + compiler + "' failed" +
                   (problem.empty() ? "" : " (" + problem + ")") + ":\n" +
                   (text ? (*text)->getBuffer().trim() : StringRef()));
}

/// Links with the first C compiler. Not every one has the runtime of AddressSanitizer.
static Error link(ArrayRef<std::string> arguments, bool needsSanitizer = false) {
  SmallVector<std::string> compilers;
  for (StringRef name : {"clang-" TORCHLITE_LLVM_MAJOR, "clang", "cc", "gcc"})
    if (ErrorOr<std::string> found = sys::findProgramByName(name))
      compilers.push_back(*found);
  if (compilers.empty())
    return makeError("no C compiler was found to link with; install clang, gcc or another cc, or "
                     "make a .a or .o, which need none");
  if (!needsSanitizer)
    return runLinker(compilers.front(), arguments);
  SmallVector<std::string> all(arguments);
  all.push_back("-fsanitize=address");
  std::string reasons;
  for (StringRef compiler : compilers) {
    Error error = runLinker(compiler, all);
    if (!error)
      return error;
    reasons += "\n" + toString(std::move(error));
  }
  return makeError("no C compiler here links the runtime of AddressSanitizer; install "
                   "libclang-rt-" TORCHLITE_LLVM_MAJOR "-dev or gcc's libasan:" +
                   reasons);
}

static constexpr StringLiteral commonFlags[] = {
    "-Wl,--gc-sections", "-Wl,--as-needed", "-Wl,-z,noexecstack", "-lm", "-lpthread", "-ldl"};

/// Symbols are nothing that is needed, but for reports of what is wrong.
static void appendCommonFlags(SmallVectorImpl<std::string> &arguments, const Runtime &runtime) {
  arguments.append(std::begin(commonFlags), std::end(commonFlags));
  if (!runtime.sanitizeAddress)
    arguments.push_back("-Wl,-s");
}

Error linkSharedLibrary(StringRef object, const Runtime &runtime, StringRef name,
                        StringRef output) {
  // Only the interface is visible, so that libraries do not see each other's runtime.
  SmallString<128> exports;
  int descriptor;
  if (std::error_code error =
          sys::fs::createTemporaryFile("torchlite-exports", "txt", descriptor, exports))
    return makeError("cannot write a temporary file: " + error.message());
  TemporaryFile removeExports(exports);
  {
    raw_fd_ostream os(descriptor, /*shouldClose=*/true);
    os << "{ global: " << name << "_model; tl_call; tl_instance_*; tl_library_model; tl_method_*; "
       << "tl_model_*; tl_status_name; tl_type_format; tl_value_clear; tl_value_release; "
          "tl_tensor_order; "
       << "tl_version; local: *; };\n";
  }
  SmallVector<std::string> arguments{"-shared",
                                     "-o",
                                     output.str(),
                                     object.str(),
                                     "-Wl,--whole-archive",
                                     runtime.archive("TorchLiteRuntime"),
                                     "-Wl,--no-whole-archive"};
  for (StringRef backend : runtime.backends)
    arguments.push_back(runtime.archive(backend));
  arguments.append({"-Wl,-Bsymbolic", "-Wl,--version-script=" + exports.str().str()});
  appendCommonFlags(arguments, runtime);
  return link(arguments);
}

Error linkExecutable(StringRef object, const Runtime &runtime, StringRef output) {
  SmallVector<std::string> arguments{"-o",         output.str(),
                                     "-pie",       runtime.archive("TorchLiteMain"),
                                     object.str(), runtime.archive("TorchLiteRun")};
  // Backends use the runtime, which knows them by their address alone.
  for (StringRef backend : runtime.backends)
    arguments.push_back(runtime.archive(backend));
  arguments.push_back(runtime.archive("TorchLiteRuntime"));
  appendCommonFlags(arguments, runtime);
  return link(arguments, runtime.sanitizeAddress);
}

Error writeStaticLibrary(StringRef object, const Runtime &runtime, StringRef output) {
  std::vector<NewArchiveMember> members;
  Expected<NewArchiveMember> model = NewArchiveMember::getFile(object, /*Deterministic=*/true);
  if (!model)
    return model.takeError();
  model->MemberName = "model.o";
  members.push_back(std::move(*model));
  // Members refer to their archive's memory.
  SmallVector<std::unique_ptr<MemoryBuffer>> buffers;
  SmallVector<std::unique_ptr<object::Archive>> archives;
  SmallVector<StringRef> names{"TorchLiteRuntime"};
  names.append(runtime.backends.begin(), runtime.backends.end());
  for (StringRef name : names) {
    std::string path = runtime.archive(name);
    auto buffer = MemoryBuffer::getFile(path);
    if (!buffer)
      return makeError("'" + path + "' cannot be read: " + buffer.getError().message());
    Expected<std::unique_ptr<object::Archive>> archive =
        object::Archive::create((*buffer)->getMemBufferRef());
    if (!archive)
      return archive.takeError();
    buffers.push_back(std::move(*buffer));
    archives.push_back(std::move(*archive));
    Error error = Error::success();
    for (const object::Archive::Child &child : archives.back()->children(error)) {
      Expected<NewArchiveMember> member = NewArchiveMember::getOldMember(child, true);
      if (!member) {
        consumeError(std::move(error));
        return member.takeError();
      }
      members.push_back(std::move(*member));
    }
    if (error)
      return error;
  }
  return writeArchive(output, members, SymtabWritingMode::NormalSymtab, object::Archive::K_GNU,
                      /*Deterministic=*/true, /*Thin=*/false);
}

} // namespace torchlite::driver
