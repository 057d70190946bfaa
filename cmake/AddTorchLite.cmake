# Functions that every TorchLite library and tool is declared with.

# One precompiled header for all compiler libraries: MLIR's headers are most of the build time.
function(add_torchlite_pch)
  # Other compilers and generators spell precompiled headers in other ways; they do without.
  if(NOT TORCHLITE_ENABLE_PCH OR NOT CMAKE_CXX_COMPILER_ID STREQUAL Clang OR
     NOT CMAKE_GENERATOR STREQUAL Ninja)
    return()
  endif()
  file(WRITE ${PROJECT_BINARY_DIR}/pch.cpp "// Precompiled header carrier.\n")
  add_library(TorchLitePCH STATIC ${PROJECT_BINARY_DIR}/pch.cpp)
  target_compile_options(TorchLitePCH PRIVATE ${TORCHLITE_LLVM_CXX_FLAGS})
  target_precompile_headers(TorchLitePCH PRIVATE
    <mlir/Dialect/Affine/IR/AffineOps.h>
    <mlir/Dialect/Arith/IR/Arith.h>
    <mlir/Dialect/Func/IR/FuncOps.h>
    <mlir/Dialect/Linalg/IR/Linalg.h>
    <mlir/Dialect/SCF/IR/SCF.h>
    <mlir/Dialect/Tensor/IR/Tensor.h>
    <mlir/IR/Builders.h>
    <mlir/IR/BuiltinAttributes.h>
    <mlir/IR/BuiltinOps.h>
    <mlir/IR/DialectResourceBlobManager.h>
    <mlir/IR/OpImplementation.h>
    <mlir/IR/PatternMatch.h>
    <mlir/Pass/PassManager.h>
    <mlir/Transforms/DialectConversion.h>
    <mlir/Transforms/GreedyPatternRewriteDriver.h>)
  # ccache takes this text for the header's contents, which hold paths of the build folder.
  set(_pch CMakeFiles/TorchLitePCH.dir/cmake_pch.hxx.pch)
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/${_pch}.sum CONTENT
    "${LLVM_PACKAGE_VERSION} ${CMAKE_CXX_COMPILER_VERSION} ${CMAKE_BUILD_TYPE} ${TORCHLITE_SANITIZERS}\n")
  set(TORCHLITE_PCH ${_pch} CACHE INTERNAL "The precompiled header, from the build folder")
endfunction()

# add_torchlite_library(Name [LIBTORCH] SOURCES a.cpp ... [DEPENDS tablegen-target ...] [LINK lib ...])
# A static library of the compiler, against libMLIR and libLLVM, without RTTI and exceptions.
# LIBTORCH: it includes LibTorch's headers, so it is compiled with both.
function(add_torchlite_library name)
  cmake_parse_arguments(ARG "LIBTORCH" "" "SOURCES;DEPENDS;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  if(ARG_LIBTORCH)
    target_link_libraries(${name} PRIVATE LibTorch::LibTorch)
  else()
    _torchlite_configure(${name})
  endif()
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
  target_link_libraries(${name} PUBLIC ${ARG_LINK} MLIR LLVM)
  set_property(GLOBAL APPEND PROPERTY TORCHLITE_LIBRARIES ${name})
  install(TARGETS ${name} EXPORT TorchLiteTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
endfunction()

# add_torchlite_tool(name SOURCES a.cpp ... [LINK lib ...])
function(add_torchlite_tool name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  # No precompiled header: it is position-independent code for libraries.
  target_compile_options(${name} PRIVATE ${TORCHLITE_LLVM_CXX_FLAGS})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} MLIR LLVM)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
  install(TARGETS ${name} EXPORT TorchLiteTargets RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()

function(_torchlite_configure name)
  target_compile_options(${name} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:${TORCHLITE_LLVM_CXX_FLAGS}>)
  if(TARGET TorchLitePCH)
    # As target_precompile_headers(REUSE_FROM) does, but by relative paths: so that ccache finds
    # the same objects in every build folder and checkout.
    get_target_property(_sources ${name} SOURCES)
    set_source_files_properties(${_sources} PROPERTIES
      OBJECT_DEPENDS ${PROJECT_BINARY_DIR}/${TORCHLITE_PCH})
    target_compile_options(${name} PRIVATE
      "$<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -include-pch -Xclang ${TORCHLITE_PCH}>")
  endif()
endfunction()

# torchlite_tablegen(target Input.td generator-flag Output.inc [generator-flag Output.inc ...])
# Runs mlir-tblgen; outputs land beside the mirrored include path in the build folder.
function(torchlite_tablegen target input)
  set(LLVM_TARGET_DEFINITIONS ${input})
  set(args ${ARGN})
  while(args)
    list(POP_FRONT args output)
    set(flags "")
    while(args)
      list(GET args 0 next)
      if(NOT next MATCHES "^-")
        break()
      endif()
      list(POP_FRONT args flag)
      list(APPEND flags ${flag})
    endwhile()
    mlir_tablegen(${output} ${flags} EXTRA_INCLUDES ${PROJECT_SOURCE_DIR}/include)
  endwhile()
  add_public_tablegen_target(${target})
endfunction()
