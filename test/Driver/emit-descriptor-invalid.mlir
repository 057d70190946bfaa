// RUN: tl-opt %s --tl-emit-descriptor -split-input-file -verify-diagnostics

// expected-error@+1 {{the module has no compiled method (a function with 'tl.method')}}
module {}

// -----

// expected-error@+1 {{expected the attributes 'tl.arguments' and 'tl.result' beside 'tl.method'}}
llvm.func @f(%frame: !llvm.ptr) attributes {tl.method = "forward"} { llvm.return }

// -----

// expected-error@+1 {{expected {list = [...]}, {list_of = [...]}, {tuple = [...]} or {dict = [...]}, but got}}
llvm.func @f(%frame: !llvm.ptr)
    attributes {tl.method = "forward", tl.arguments = [{name = "x", type = {set = []}}],
                tl.result = #tl.none} { llvm.return }

// -----

// expected-error@+1 {{expected the type of a tensor or number in {list_of = [#tl.none]}}}
llvm.func @f(%frame: !llvm.ptr)
    attributes {tl.method = "forward", tl.arguments = [], tl.result = {list_of = [#tl.none]}} { llvm.return }

// -----

// expected-error@+1 {{tensors of 'ui32' cannot cross the interface}}
llvm.func @f(%frame: !llvm.ptr)
    attributes {tl.method = "forward", tl.arguments = [{name = "x", type = tensor<3xui32>}],
                tl.result = #tl.none} { llvm.return }

// -----

// expected-error@+1 {{operand 1 of 1 argument leaves is neither an argument nor state}}
llvm.func @f(%frame: !llvm.ptr)
    attributes {tl.method = "forward", tl.arguments = [{name = "n", type = i64}],
                tl.result = #tl.none, tl.operands = [{type = i64}, {type = i64}],
                tl.results = []} { llvm.return }

// -----

// expected-error@+1 {{uses the state 'hidden', which no tl.state declares}}
llvm.func @f(%frame: !llvm.ptr)
    attributes {tl.method = "forward", tl.arguments = [], tl.result = #tl.none,
                tl.operands = [{type = i64, tl.state = "hidden"}], tl.results = []} { llvm.return }

// -----

// expected-error@+1 {{expected an LLVM function that takes the frame}}
func.func @f(%n: i64) -> i64
    attributes {tl.method = "forward", tl.arguments = [{name = "n", type = i64}], tl.result = i64} {
  return %n : i64
}

// -----

// expected-error@+1 {{'llvm.func' op is for devices, but the module has no kernels (@tl_gpu_code)}}
llvm.func @f(%frame: !llvm.ptr)
    attributes {tl.method = "forward", tl.device, tl.arguments = [], tl.result = #tl.none,
                tl.operands = [], tl.results = []} { llvm.return }

// -----

llvm.func @f(%frame: !llvm.ptr)
    attributes {tl.method = "forward", tl.arguments = [], tl.result = #tl.none,
                tl.operands = [], tl.results = []} { llvm.return }
// expected-error@+1 {{differs from the same method for the other target, forward() -> none}}
llvm.func @f_device(%frame: !llvm.ptr)
    attributes {tl.method = "forward", tl.device, tl.arguments = [], tl.result = i64,
                tl.operands = [], tl.results = [{}]} { llvm.return }
