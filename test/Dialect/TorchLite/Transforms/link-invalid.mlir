// RUN: tl-opt %s --split-input-file --verify-diagnostics --tl-link

// expected-error@+1 {{expected the module attribute 'tl.root' to name a tl.object}}
module {}

// -----

module attributes {tl.root = @root} {
tl.class @C { tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
func.func @C.forward(%self: !tl.object<@C>) -> !tl.none {
  // expected-error@+1 {{expected a definition of @missing}}
  %r = tl.call @missing() : () -> !tl.none
  return %r : !tl.none
}
}
