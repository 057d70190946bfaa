# Configuration of TorchLite's lit tests. Run with: lit build/<preset>/test
import os

import lit.formats

config.name = "TorchLite"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test", ".py"]
config.excludes = ["lit.cfg.py", "Inputs", "CMakeLists.txt", "lit.site.cfg.py"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.torchlite_build, "test")

config.environment["PATH"] = os.pathsep.join(
    [os.path.join(config.torchlite_build, "bin"), config.llvm_tools_dir, os.environ["PATH"]])
config.environment["FILECHECK_OPTS"] = "-enable-var-scope --dump-input-filter=error"
config.environment["LC_ALL"] = "C.UTF-8"
for name in ("HOME", "TMPDIR", "CCACHE_DIR"):
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

if config.has_importer:
    config.available_features.add("importer")
