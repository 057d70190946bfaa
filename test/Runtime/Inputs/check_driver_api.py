"""Writes a C program that compiles where the declarations in a header agree with CUDA's cuda.h: the
values of enumerators, the names in the library that cuda.h's macros stand for, and the arguments.

usage: check_driver_api.py HEADER ENUMERATORS FUNCTIONS (how many there are at least)"""
import re
import sys

text = open(sys.argv[1]).read()
# Taken in their first version, the only one of CUDA 11's drivers: cuda.h names a later one, whose
# structure has more at its end.
FIRST = {"cuGraphAddKernelNode": ("CUDA_KERNEL_NODE_PARAMS", [
    "func", "gridDimX", "gridDimY", "gridDimZ", "blockDimX", "blockDimY", "blockDimZ",
    "sharedMemBytes", "kernelParams", "extra"])}
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
    if name not in FIRST:
        print(f'_Static_assert(__builtin_strcmp(TEXT({plain}), "{name}") == 0, "{name}");')
        continue
    structure, fields = FIRST[name]
    declaration = re.search(rf"(typedef struct {structure} {{.*?}}) {structure};", text, re.S).group(1)
    print(f"{declaration.replace(structure, 'ours')} ours;")
    for field in fields:
        print(f'_Static_assert(__builtin_offsetof(ours, {field}) == '
              f'__builtin_offsetof({structure}_v1, {field}), "{field}");')
    print(f'_Static_assert(sizeof(ours) == sizeof({structure}_v1), "{structure}");')
assert checked >= int(sys.argv[2]) and len(functions) >= int(sys.argv[3]), (checked, len(functions))
