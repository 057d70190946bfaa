# RUN: %python %s
"""mma.sync of every shape and type, and ldmatrix, against the layouts of fragments in the PTX ISA
(sections "Matrix Fragments for mma.m16n8k*" and "ldmatrix")."""
import os
import struct
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "Inputs"))
import emulate  # noqa: E402

random = np.random.default_rng(0)


def bits16(x, dtype):
    """One element as the integer of its 16 bits."""
    if dtype == "bf16":
        return struct.unpack("<I", struct.pack("<f", x))[0] >> 16
    return struct.unpack("<H", struct.pack("<e", x))[0]


def bits32(x):
    return struct.unpack("<I", struct.pack("<f", x))[0]


def signed(bits):
    return bits - (1 << 32) if bits >> 31 else bits


def pack(elements, dtype):
    """A register: elements from the lowest bits on."""
    if dtype in ("f16", "bf16"):
        return signed(sum(bits16(x, dtype) << 16 * i for i, x in enumerate(elements)))
    if dtype in ("s8", "u8"):
        return signed(sum((int(x) & 255) << 8 * i for i, x in enumerate(elements)))
    return signed(bits32(elements[0]) if dtype in ("f32", "tf32") else int(elements[0]) & 0xFFFFFFFF)


def fragments_a(a, dtype, k):
    """The registers of A of every lane: a list of 32 lists."""
    lanes = []
    for lane in range(32):
        group, thread = lane // 4, lane % 4
        registers = []
        if dtype in ("f16", "bf16"):
            for column in range(0, k, 8):
                for row in (group, group + 8):
                    registers.append([a[row, column + 2 * thread + i] for i in range(2)])
        elif dtype == "tf32":
            for column in range(0, k, 4):
                for row in (group, group + 8):
                    registers.append([a[row, column + thread]])
        else:
            for column in range(0, k, 16):
                for row in (group, group + 8):
                    registers.append([a[row, column + 4 * thread + i] for i in range(4)])
        lanes.append([pack(r, dtype) for r in registers])
    return lanes


def fragments_b(b, dtype, k):
    lanes = []
    for lane in range(32):
        group, thread = lane // 4, lane % 4
        step, count = {"f16": (8, 2), "bf16": (8, 2), "tf32": (4, 1)}.get(dtype, (16, 4))
        lanes.append([pack([b[row + count * thread + i, group] for i in range(count)], dtype)
                      for row in range(0, k, step)])
    return lanes


def fragments_c(c, dtype):
    lanes = []
    for lane in range(32):
        group, thread = lane // 4, lane % 4
        rows = [[c[row, 2 * thread], c[row, 2 * thread + 1]] for row in (group, group + 8)]
        if dtype == "f16":
            lanes.append([pack(row, "f16") for row in rows])
        else:
            lanes.append([pack([x], dtype) for row in rows for x in row])
    return lanes


def matrix_d(registers, dtype):
    """From the registers of every lane to the 16x8 matrix."""
    d = np.zeros((16, 8))
    for lane in range(32):
        group, thread = lane // 4, lane % 4
        mine = [int(x) & 0xFFFFFFFF for x in registers[lane]]
        if dtype == "f16":
            values = [struct.unpack("<e", struct.pack("<H", x >> s & 0xFFFF))[0]
                      for x in mine for s in (0, 16)]
        elif dtype == "f32":
            values = [struct.unpack("<f", struct.pack("<I", x))[0] for x in mine]
        else:
            values = [signed(x) for x in mine]
        for i, value in enumerate(values):
            d[group + 8 * (i // 2), 2 * thread + i % 2] = value
    return d


def mma_module(name, counts, types, result_type):
    """A kernel: each lane loads its registers, multiplies, and stores its registers."""
    operands = [t for t, n in zip(types, counts) for _ in range(n)]
    body = []
    for i, t in enumerate(operands):
        body.append(f"  %p{i} = getelementptr i32, ptr %mine, i32 {i}")
        body.append(f"  %v{i} = load {t}, ptr %p{i}")
    arguments = ", ".join(f"{t} %v{i}" for i, t in enumerate(operands))
    results = counts[2]
    struct_type = "{" + ", ".join([result_type] * results) + "}"
    stores = []
    for i in range(results):
        stores.append(f"  %r{i} = extractvalue {struct_type} %d, {i}")
        stores.append(f"  %q{i} = getelementptr i32, ptr %out, i32 {i}")
        stores.append(f"  store {result_type} %r{i}, ptr %q{i}")
    newline = "\n"
    return f"""{emulate.HEADER}
declare i32 @llvm.nvvm.read.ptx.sreg.laneid()
declare {struct_type} @llvm.nvvm.{name}({", ".join(operands)})
define ptx_kernel void @kernel(ptr %in, ptr %result) {{
  %lane = call i32 @llvm.nvvm.read.ptx.sreg.laneid()
  %mine = getelementptr [{len(operands)} x i32], ptr %in, i32 %lane
  %out = getelementptr [{results} x i32], ptr %result, i32 %lane
{newline.join(body)}
  %d = call {struct_type} @llvm.nvvm.{name}({arguments})
{newline.join(stores)}
  ret void
}}
"""


def check_mma(name, k, a_type, b_type, c_type, register_types):
    if a_type in ("s8", "u8"):
        bounds = {"s8": (-128, 128), "u8": (0, 256)}
        a = random.integers(*bounds[a_type], (16, k)).astype(float)
        b = random.integers(*bounds[b_type], (k, 8)).astype(float)
        c = random.integers(-1000, 1000, (16, 8)).astype(float)
    else:
        # Multiples of 1/16: products and sums are exact in f32, and in f16 where they end there.
        a = random.integers(-16, 17, (16, k)) / 16
        b = random.integers(-16, 17, (k, 8)) / 16
        c = random.integers(-16, 17, (16, 8)) / 16
    expected = a @ b + c
    if a_type == "tf32":
        # The low 13 bits of the operands do not count.
        a = np.array([struct.unpack("<f", struct.pack("<I", bits32(x) | 0x1FFF))[0]
                      for x in a.flat]).reshape(a.shape)
    if c_type == "f16":
        expected = expected.astype(np.float16).astype(float)
    lanes = [x + y + z for x, y, z in zip(fragments_a(a, a_type, k), fragments_b(b, b_type, k),
                                          fragments_c(c, c_type))]
    counts = [len(f(m, t, k)[0]) for f, m, t in
              ((fragments_a, a, a_type), (fragments_b, b, b_type))]
    counts.append(2 if c_type == "f16" else 4)
    module = mma_module(name, counts, register_types, register_types[2])
    flat = [x for lane in lanes for x in lane]
    output = emulate.run(module, "kernel", emulate.buffer("i32", flat), f"i32[{32 * counts[2]}]=0")
    registers = np.array(output[1]).reshape(32, counts[2])
    assert np.array_equal(matrix_d(registers, c_type), expected), name


half, integer, real = "<2 x half>", "i32", "float"
for k in (8, 16):
    check_mma(f"mma.m16n8k{k}.row.col.f32.f32", k, "f16", "f16", "f32", (half, half, real))
    check_mma(f"mma.m16n8k{k}.row.col.f16.f16", k, "f16", "f16", "f16", (half, half, half))
    check_mma(f"mma.m16n8k{k}.row.col.bf16", k, "bf16", "bf16", "f32", (integer, integer, real))
for k in (4, 8):
    check_mma(f"mma.m16n8k{k}.row.col.tf32", k, "tf32", "tf32", "f32", (integer, integer, real))
for k in (16, 32):
    for a_type, b_type in (("s8", "s8"), ("u8", "u8"), ("s8", "u8"), ("u8", "s8")):
        suffix = a_type if a_type == b_type else f"{a_type}.{b_type}"
        check_mma(f"mma.m16n8k{k}.row.col.{suffix}", k, a_type, b_type, "s32",
                  (integer, integer, integer))


def check_ldmatrix(count, transposed):
    """Four matrices of 8x8 elements of 16 bits, whose numbers are their places."""
    name = f"ldmatrix.sync.aligned.m8n8.x{count}{'.trans' if transposed else ''}.b16"
    result = "i32" if count == 1 else "{" + ", ".join(["i32"] * count) + "}"
    newline = "\n"
    stores = newline.join(
        (f"  %r{i} = " + (f"extractvalue {result} %d, {i}" if count > 1 else "add i32 %d, 0"))
        + f"\n  %q{i} = getelementptr i32, ptr %out, i32 {i}\n  store i32 %r{i}, ptr %q{i}"
        for i in range(count))
    module = f"""{emulate.HEADER}
@shared = external addrspace(3) global [0 x i8], align 16
declare i32 @llvm.nvvm.read.ptx.sreg.laneid()
declare void @llvm.nvvm.bar.warp.sync(i32)
declare {result} @llvm.nvvm.{name}.p3(ptr addrspace(3))
define ptx_kernel void @kernel(ptr %in, ptr %result) {{
  %lane = call i32 @llvm.nvvm.read.ptx.sreg.laneid()
  %from = getelementptr [4 x i32], ptr %in, i32 %lane
  %to = getelementptr [4 x i32], ptr addrspace(3) @shared, i32 %lane
  %row = load <4 x i32>, ptr %from, align 16
  store <4 x i32> %row, ptr addrspace(3) %to, align 16
  call void @llvm.nvvm.bar.warp.sync(i32 -1)
  %d = call {result} @llvm.nvvm.{name}.p3(ptr addrspace(3) %to)
  %out = getelementptr [{count} x i32], ptr %result, i32 %lane
{stores}
  ret void
}}
"""
    matrices = np.arange(256).reshape(4, 8, 8)
    words = [int(low) | int(high) << 16 for low, high in matrices.reshape(128, 2)]
    output = emulate.run(module, "kernel", emulate.buffer("i32", words), f"i32[{32 * count}]=0",
                         shared=512)
    registers = np.array(output[1], dtype=np.int64).reshape(32, count)
    for lane in range(32):
        for m in range(count):
            matrix = matrices[m].T if transposed else matrices[m]
            pair = matrix[lane // 4, lane % 4 * 2:lane % 4 * 2 + 2]
            assert registers[lane, m] == pair[0] | pair[1] << 16, (name, lane, m)


for count in (1, 2, 4):
    for transposed in (False, True):
        check_ldmatrix(count, transposed)
