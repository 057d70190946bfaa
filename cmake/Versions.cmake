# The versions that TorchLite is built and tested with. LLVM's C++ interface changes with every
# major release, so the major version is binding.
set(TORCHLITE_LLVM_MAJOR 22)
set(TORCHLITE_LLVM_VERSION 22.1)
set(TORCHLITE_LIBTORCH_VERSION 2.13.0)
