"""Runs the PTX of compiled libraries, many threads at a time in numpy, behind a stand-in for libcuda.

It shares nothing with the emulator: that one runs the LLVM IR from which the PTX is made.
"""
