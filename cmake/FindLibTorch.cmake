# Finds LibTorch in the PyPI wheel `torch` of a Python environment (or where LIBTORCH_ROOT says).
# Links torch_cpu and c10 only, so that a CUDA build of the wheel serves as well.
#
#   TORCHLITE_PYTHON   the Python whose site-packages hold the wheel (default: .venv, then python3)
#   LibTorch::LibTorch the imported target

if(NOT TORCHLITE_PYTHON)
  set(_venv ${PROJECT_SOURCE_DIR}/.venv)
  if(DEFINED ENV{TORCHLITE_VENV})
    set(_venv $ENV{TORCHLITE_VENV})
  endif()
  find_program(TORCHLITE_PYTHON NAMES python3 PATHS ${_venv}/bin NO_DEFAULT_PATH)
  find_program(TORCHLITE_PYTHON NAMES python3)
endif()
if(NOT LIBTORCH_ROOT)
  execute_process(
    COMMAND ${TORCHLITE_PYTHON} -c
      "import importlib.util as u; print(u.find_spec('torch').submodule_search_locations[0])"
    OUTPUT_VARIABLE LIBTORCH_ROOT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
if(EXISTS "${LIBTORCH_ROOT}/version.py")
  file(STRINGS "${LIBTORCH_ROOT}/version.py" _line REGEX "^__version__ = ")
  string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+" LibTorch_VERSION "${_line}")
endif()
find_library(LIBTORCH_CPU torch_cpu PATHS ${LIBTORCH_ROOT}/lib NO_DEFAULT_PATH)
find_library(LIBTORCH_C10 c10 PATHS ${LIBTORCH_ROOT}/lib NO_DEFAULT_PATH)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch REQUIRED_VARS LIBTORCH_ROOT LIBTORCH_CPU LIBTORCH_C10
                                  VERSION_VAR LibTorch_VERSION)
if(LibTorch_FOUND AND NOT TARGET LibTorch::LibTorch)
  add_library(LibTorch::LibTorch INTERFACE IMPORTED)
  target_include_directories(LibTorch::LibTorch SYSTEM INTERFACE
    ${LIBTORCH_ROOT}/include ${LIBTORCH_ROOT}/include/torch/csrc/api/include)
  target_link_libraries(LibTorch::LibTorch INTERFACE ${LIBTORCH_CPU} ${LIBTORCH_C10})
  target_link_options(LibTorch::LibTorch INTERFACE -Wl,-rpath,${LIBTORCH_ROOT}/lib)
endif()
