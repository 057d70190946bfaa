"""Writes a C program that compiles where the declarations in a header agree with CUDA's cuda.h: the
values of enumerators, the names in the library that cuda.h's macros stand for, and the arguments.

usage: check_driver_api.py HEADER ENUMERATORS FUNCTIONS (how many there are at least)"""
import re
import sys

text = open(sys.argv[1]).read()
print('#include <cuda.h>\n#define TEXT_(x) #x\n#define TEXT(x) TEXT_(x)')
checked = 0
for name, value in re.findall(r"\b(CU\w+) = (\d+)[,; }]", text):
    print(f'_Static_assert({name} == {value}, "{name}");')
    checked += 1
functions = re.findall(r"X\((cu\w+), ([^)]*)\)", text.replace("\\\n", " "))
for name, arguments in functions:
    plain = re.sub(r"_v\d$", "", name)
    zeros = "" if arguments.strip() == "void" else ", ".join(
        f"({argument.strip()})0" for argument in arguments.split(","))
    print(f'_Static_assert(sizeof({name}({zeros})), "{name}");')
    print(f'_Static_assert(__builtin_strcmp(TEXT({plain}), "{name}") == 0, "{name}");')
assert checked >= int(sys.argv[2]) and len(functions) >= int(sys.argv[3]), (checked, len(functions))
