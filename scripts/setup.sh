#!/usr/bin/env bash
# Installs what a build needs and is missing: Debian packages, and in a virtual environment LibTorch
# and, where there is no CUDA Toolkit, the assembler and libdevice for GPUs. Idempotent; says what it is about to install. Sourced by the other scripts.
#
#   TORCHLITE_VENV   the virtual environment (default: .venv in the project)
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=${TORCHLITE_VENV:-$root/.venv}

llvm=22
packages=(libmlir-$llvm-dev mlir-$llvm-tools llvm-$llvm-dev llvm-$llvm-tools clang-$llvm clang-format-$llvm
          lld-$llvm libclang-rt-$llvm-dev zlib1g-dev ccache cmake ninja-build python3 python3-venv)
python_packages=(numpy==2.4.6 expecttest==0.3.0)
torch_version=2.13.0
# ptxas is in the first, libdevice in the second; neither needs the packages that they ask for.
cuda_packages=(nvidia-cuda-nvcc==13.0.88 nvidia-nvvm==13.0.88)
# A generator of graphs for test/Fuzz/graphs.py, with those it imports of the packages that it asks for.
nnsmith_packages=(nnsmith==0.1.0 z3-solver==4.15.4.0 omegaconf==2.4.0 pyyaml==6.0.4 multipledispatch==1.0.0)

say() { printf '[setup] %s\n' "$*"; }

install_debian_packages() {
  local missing=() p
  for p in "${packages[@]}"; do
    dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
  done
  [ ${#missing[@]} -eq 0 ] && return
  say "installing Debian packages: ${missing[*]}"
  local sudo=""
  [ "$(id -u)" -eq 0 ] || sudo=sudo
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}"
}

install_python_packages() {
  if [ ! -x "$venv/bin/python3" ]; then
    say "making a virtual environment in $venv"
    python3 -m venv "$venv"
  fi
  # torch comes first and alone, so that no other package chooses its version.
  if ! "$venv/bin/python3" -c "import torch,sys; sys.exit(torch.__version__.split('+')[0] != '$torch_version')" 2>/dev/null; then
    say "installing torch==$torch_version into $venv"
    "$venv/bin/python3" -m pip install -q "torch==$torch_version"
  fi
  local p missing=()
  for p in "${python_packages[@]}"; do
    "$venv/bin/python3" -c "import importlib.metadata as m,sys; sys.exit(m.version('${p%%==*}') != '${p##*==}')" 2>/dev/null || missing+=("$p")
  done
  [ ${#missing[@]} -eq 0 ] && return
  say "installing ${missing[*]} into $venv"
  "$venv/bin/python3" -m pip install -q "${missing[@]}"
}

# Whether a CUDA Toolkit is where the compiler looks for it (lib/Codegen/NVGPU/Toolkit.cpp).
has_cuda_toolkit() {
  local dir
  for dir in "${TORCHLITE_CUDA_PATH:-}" "${CUDA_HOME:-}" "${CUDA_PATH:-}" /usr/local/cuda /usr/lib/cuda; do
    [ -x "$dir/bin/ptxas" ] && [ -f "$dir/nvvm/libdevice/libdevice.10.bc" ] && return 0
  done
  return 1
}

# Installs those of the packages that are missing, alone, so that torch and numpy stay what they are. Others
# of the project work without them.
install_optional_packages() {
  local without=$1 p missing=()
  shift
  for p in "$@"; do
    "$venv/bin/python3" -c "import importlib.metadata as m,sys; sys.exit(m.version('${p%%==*}') != '${p##*==}')" 2>/dev/null || missing+=("$p")
  done
  [ ${#missing[@]} -eq 0 ] && return
  say "installing ${missing[*]} into $venv"
  "$venv/bin/python3" -m pip install -q --no-deps "${missing[@]}" || say "$without"
}

install_debian_packages
install_python_packages
has_cuda_toolkit ||
  install_optional_packages "no compiler for GPUs: neither a CUDA Toolkit nor these packages" "${cuda_packages[@]}"
install_optional_packages "no graphs of NNSmith in the tests" "${nnsmith_packages[@]}"
