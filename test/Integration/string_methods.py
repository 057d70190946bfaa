"""Methods of strings that are known at compile time, each of many strings, as LibTorch has them.

RUN: %python %s %build %t.cpu
"""
import pathlib
import sys

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "Inputs"))
from compare import compile_library, torchlite  # noqa: E402
from sources import check, define  # noqa: E402

TEXTS = ["", "a", "abc", "Hello World", "  x y  ", "a,b,,c", "aaa", "A1b2", "one\ntwo\n", "ABC", "123", "tab\tx", "__name__",
         "fooBar baz", "a-b-a", "\n", " ", "aXbXc", "Title Case", "-5"]
PARTS = ["a", "b", ",", "aa", "x", " ", "abc", "Hello"]
PLAIN = {"List[str]": ["capitalize()", "title()", "swapcase()", "lower()", "upper()", "strip()", "lstrip()", "rstrip()",
                       "zfill(5)", "center(7)", "center(8, '*')", "ljust(6)", "rjust(6, '.')", "expandtabs(4)"],
         "List[bool]": ["isalnum()", "isalpha()", "isdecimal()", "isdigit()", "islower()", "isnumeric()", "isprintable()",
                        "isspace()", "istitle()", "isupper()"],
         "List[List[str]]": ["split()", "splitlines()"]}
WITH = {"List[int]": ["find", "rfind", "count"], "List[bool]": ["startswith", "endswith"],
        "List[str]": ["strip", "lstrip", "rstrip"], "List[List[str]]": ["split", "rsplit"],
        "List[Tuple[str, str, str]]": ["partition", "rpartition"]}


def method(number, kind, elements):
    return f"def m{number}(self) -> {kind}:\n    return [{', '.join(elements)}]"


def sources():
    lists = [(kind, [f"{t!r}.{call}" for t in TEXTS]) for kind, calls in PLAIN.items() for call in calls]
    lists += [(kind, [f"{t!r}.{name}({part!r})" for t in TEXTS for part in PARTS]) for kind, names in WITH.items()
              for name in names]
    lists += [("List[List[str]]", [f"{t!r}.{name}({part!r}, {most})" for t in TEXTS for part in PARTS[:3] for most in (0, 1, 2)])
              for name in ("split", "rsplit")]
    lists += [("List[str]", [f"{t!r}.replace({part!r}, {new!r}{most})" for t in TEXTS for part in PARTS for new in ("", "zz")])
              for most in ("", ", 1", ", 0")]
    lists += [("List[str]", [f"{t!r}[{bounds}]" for t in TEXTS for bounds in ("1:", ":2", "-2:", "1:9:2", ":", "3:1", "-9:-1")])]
    lists += [("List[List[str]]", [f"list({t!r})" for t in TEXTS]), ("List[int]", [f"ord({t!r})" for t in TEXTS if len(t) == 1])]
    lists += [("List[str]", [f"{name}({i})" for i in (0, 1, 10, 255, -10, 1 << 62)]) for name in ("hex", "oct", "bin")]
    lists += [("List[str]", [f"chr({i})" for i in (65, 126, 10)]), ("List[int]", ["'abc'.index('c')", "'abca'.rindex('a')"]),
              ("List[int]", ["'abc'.index('x')"]), ("List[int]", ["ord('ab')"])]
    return [method(number, kind, elements) for number, (kind, elements) in enumerate(lists)]


def main(build, folder):
    folder.mkdir(parents=True, exist_ok=True)
    names = define("\n".join(sources()), folder / "strings.pt")
    compile_library(build, folder / "strings.pt", folder / "strings.so", [f"{name}()" for name in names])
    reference = torch.jit.load(str(folder / "strings.pt"))
    instance = torchlite.Model(str(folder / "strings.so")).instance()
    failed = sum(check(instance, reference, name, []) for name in names)
    print(f"{len(names)} methods, {failed} disagree")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])))
