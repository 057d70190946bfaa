# Runs tl-opt as asked, with MLIR's own verification that the output IR round-trips as text and as
# bytecode (--verify-roundtrip). Tests of diagnostics and of splitting keep their plain form: IR that
# does not verify cannot round-trip.
tool=$1
shift
case " $* " in
*" --verify-diagnostics "* | *" -verify-diagnostics "* | *" --help "* | *" --version "* | *" --emit-bytecode "*)
  exec "$tool" "$@" ;;
esac
exec "$tool" --verify-roundtrip "$@"
