# Compiler flags that hold for every target; ccache and lld where they are present.

find_program(TORCHLITE_CCACHE ccache)
if(TORCHLITE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # pch_defines and time_macros let ccache serve files that use a precompiled header.
  set(_ccache ${CMAKE_COMMAND} -E env CCACHE_PCH_EXTSUM=1
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      ${TORCHLITE_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${_ccache})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${_ccache})
endif()

find_program(TORCHLITE_LLD NAMES ld.lld-${TORCHLITE_LLVM_MAJOR} ld.lld)
if(TORCHLITE_LLD)
  add_link_options(-fuse-ld=lld)
endif()

# LLVM is built without RTTI and exceptions; LibTorch needs both. Only the importer turns them on.
set(TORCHLITE_LLVM_CXX_FLAGS -fno-rtti -fno-exceptions)
# Its classes have to be those that libMLIR was compiled with.
if(NOT LLVM_ENABLE_ASSERTIONS)
  list(APPEND TORCHLITE_LLVM_CXX_FLAGS "SHELL:-include ${PROJECT_SOURCE_DIR}/cmake/LLVMStatistic.h")
endif()
add_compile_options(-Wall -Wextra -Wno-unused-parameter)
add_compile_options("$<$<COMPILE_LANG_AND_ID:CXX,Clang>:SHELL:-Xclang -fno-pch-timestamp>")
if(TORCHLITE_SANITIZERS)
  add_compile_options(-fsanitize=${TORCHLITE_SANITIZERS} -fno-omit-frame-pointer -g1)
  add_link_options(-fsanitize=${TORCHLITE_SANITIZERS})
endif()
