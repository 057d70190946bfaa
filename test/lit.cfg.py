# Configuration of TorchLite's lit tests. Run with: lit build/<preset>/test
import glob
import os
import shutil

import lit.formats

config.name = "TorchLite"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test", ".py"]
# mutate.py is a program that tests call.
config.excludes = ["lit.cfg.py", "Inputs", "CMakeLists.txt", "lit.site.cfg.py", "mutate.py"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.torchlite_build, "test")

config.environment["PATH"] = os.pathsep.join(
    [os.path.join(config.torchlite_build, "bin"), config.llvm_tools_dir, os.environ["PATH"]])
config.environment["FILECHECK_OPTS"] = "-enable-var-scope --dump-input-filter=error"
config.environment["LC_ALL"] = "C.UTF-8"
for name in ("HOME", "TMPDIR", "CCACHE_DIR", "TORCHLITE_CUDA_PATH", "CUDA_HOME", "CUDA_PATH",
             "VIRTUAL_ENV"):
    if name in os.environ:
        config.environment[name] = os.environ[name]

# Every tl-opt test also checks that its input round-trips, as text and as bytecode.
verify = os.path.join(config.torchlite_source, "test", "Inputs", "tl-opt-roundtrip.sh")
config.substitutions.append((r"\btl-opt\b", f"sh {verify} {config.torchlite_build}/bin/tl-opt"))
config.substitutions.append(("%python", config.python))
config.substitutions.append(("%cc", config.host_cc))
config.substitutions.append(("%cxx", config.host_cxx))
config.substitutions.append(("%mlir_lib", os.path.join(config.llvm_tools_dir, "..", "lib")))
config.substitutions.append(("%source", config.torchlite_source))
config.substitutions.append(("%build", config.torchlite_build))

# A compiler under sanitizers (scripts/sanitize.sh). libLLVM, libMLIR and LibTorch are not instrumented: what LLVM's
# allocators mark in one half of the program the other would not unmark, and what they never free is no leak of ours.
if config.sanitizers:
    config.environment["ASAN_OPTIONS"] = "allow_user_poisoning=0:detect_leaks=0"
    config.environment["UBSAN_OPTIONS"] = "halt_on_error=1:print_stacktrace=1"
    config.available_features.add("sanitizers")

if config.has_importer:
    config.available_features.add("importer")

# What the compiler finds of the CUDA Toolkit (lib/Codegen/NVGPU/Toolkit.cpp), with the packages of
# the Python environment that the build uses.
environment = os.path.dirname(os.path.dirname(config.python))
if glob.glob(environment + "/lib/python3*/site-packages/nnsmith"):
    config.available_features.add("nnsmith")
if os.path.exists(os.path.join(environment, "pyvenv.cfg")):
    config.environment.setdefault("VIRTUAL_ENV", environment)
def python_toolkits(folder):
    return glob.glob(folder + "/lib/python3*/site-packages/nvidia/cu*")


if os.environ.get("TORCHLITE_CUDA_PATH"):
    toolkits = [os.environ["TORCHLITE_CUDA_PATH"]]
    toolkits += python_toolkits(toolkits[0])
else:
    toolkits = [os.environ.get(name) for name in ("CUDA_HOME", "CUDA_PATH")]
    toolkits = [path for path in toolkits if path] + ["/usr/local/cuda", "/usr/lib/cuda"]
    if "VIRTUAL_ENV" in config.environment:
        toolkits += python_toolkits(config.environment["VIRTUAL_ENV"])
    if shutil.which("ptxas"):
        toolkits.append(os.path.dirname(os.path.dirname(os.path.realpath(shutil.which("ptxas")))))
for feature, path in (("ptxas", "bin/ptxas"), ("libdevice", "nvvm/libdevice/libdevice.10.bc"),
                      ("cuda-headers", "include/cuda.h")):
    found = [toolkit for toolkit in toolkits if os.path.exists(os.path.join(toolkit, path))]
    if found:
        config.available_features.add(feature)
    if found and feature == "cuda-headers":
        config.substitutions.append(("%cuda_include", os.path.join(found[0], "include")))
    if found and feature == "libdevice":
        config.substitutions.append(("%libdevice", os.path.join(found[0], path)))
