"""Fourier transforms of lengths that are known at the call only, even, odd and prime, and short-time transforms of
any number of samples, as LibTorch computes them; and what LibTorch raises.

RUN: %python %s %build %t.cpu cpu
RUN: %python %s %build %t.emulated emulated
"""
import pathlib
import sys

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "Inputs"))
from sources import check_source, of_single_precision  # noqa: E402

torch.manual_seed(7)

SOURCE = """
def transforms(self, x):
    return (torch.fft.fft(x), torch.fft.ifft(x), torch.fft.fft(x, dim=0, norm="ortho"), torch.fft.fft(x, 5),
            torch.fft.ifft(x, 12, 0, "forward"))
def of_real(self, x):
    return (torch.fft.rfft(x), torch.fft.ihfft(x), torch.fft.rfft(x, dim=0), torch.fft.rfft(x, 9, norm="forward"),
            torch.fft.fft(x), torch.fft.ifft(x, norm="ortho"), torch.fft.ihfft(x, 4, 0, "ortho"))
def to_real(self, x, n: int):
    return (torch.fft.irfft(x, n), torch.fft.hfft(x, n), torch.fft.irfft(x, 7, 0, "ortho"), torch.fft.hfft(x, 6, norm="forward"),
            torch.fft.irfft(x, 8))
def known(self, x):
    return torch.fft.fft(x), torch.fft.ifft(x), torch.fft.rfft(x.real), torch.fft.irfft(x), torch.fft.irfft(x, 2 * x.size(-1) - 1), torch.fft.hfft(x)
def many(self, x, y):
    return (torch.fft.fft2(x), torch.fft.ifftn(x), torch.fft.fftn(x, [4, -1], [0, 2], "ortho"), torch.fft.rfft2(y),
            torch.fft.rfftn(y, norm="ortho"), torch.fft.irfftn(x, [3, 6]), torch.fft.hfft2(x, [3, 4]), torch.fft.ihfftn(y, dim=[2, 1]),
            torch.fft.irfft2(torch.fft.rfft2(y), [y.size(1), y.size(2)]))
def integers(self, x):
    return torch.fft.fft(x), torch.fft.rfft(x), torch.fft.irfft(x, 6)
def back(self, x):
    return torch.fft.irfft(torch.fft.rfft(x), x.size(-1)) - x
def frequencies(self, n: int):
    return torch.fft.fftfreq(n), torch.fft.rfftfreq(n, 0.5), torch.fft.fftshift(torch.fft.fftfreq(n, 2.0))
def windows(self, n: int):
    return (torch.hann_window(n), torch.hann_window(n, False), torch.hamming_window(n), torch.hamming_window(n, False),
            torch.hamming_window(n, True, 0.5), torch.hamming_window(n, False, 0.5, 0.4), torch.bartlett_window(n),
            torch.bartlett_window(n, False), torch.blackman_window(n), torch.blackman_window(n, False, dtype=torch.float64))
def spectrogram(self, x):
    w = torch.hann_window(16)
    return (torch.stft(x, 16, 4, window=w, return_complex=True), torch.stft(x, 9, center=False, return_complex=True),
            torch.stft(x, 16, 5, 12, w[:12], pad_mode="constant", normalized=True, onesided=False, return_complex=True),
            torch.stft(x, 15, 4, 11, return_complex=True).abs().pow(2))
def as_real(self, x):
    return torch.view_as_real(torch.stft(x, 8, 2, window=torch.hann_window(8), return_complex=True))
def there_and_back(self, x):
    w = torch.hann_window(16)
    s = torch.stft(x, 16, 4, window=w, return_complex=True)
    f = torch.stft(x, 10, 3, 7, onesided=False, normalized=True, return_complex=True)
    return (torch.istft(s, 16, 4, window=w, length=x.size(-1)), torch.istft(s, 16, 4, window=w),
            torch.istft(f, 10, 3, 7, onesided=False, normalized=True), torch.istft(s, 16, 4, window=w, length=7),
            torch.istft(s, 16, 4, window=w + 0.1, length=500))
def uncovered(self, x):
    return torch.istft(x, 8, 4, window=torch.zeros(8))
"""

C64, C128 = "complex64", "complex128"
SIGNATURES = [f"{name}(?x?x{type})" for name in ("transforms", "integers") for type in (C64, C128) if name == "transforms"]
SIGNATURES += ["transforms(3x40xcomplex64)", "of_real(?x?xf32)", "of_real(4x6xf64)", "of_real(9x31xf32)", "to_real(?x?xcomplex64, int)",
               "to_real(3x5xcomplex128, int)", "many(?x?x?xcomplex64, ?x?x?xf32)", "many(2x3x5xcomplex128, 2x4x6xf64)", "integers(?xi64)",
               "back(?x?xf32)", "back(?x?xf64)", "frequencies(int)", "windows(int)", "spectrogram(?xf32)", "spectrogram(?x?xf32)", "spectrogram(2x100xf32)",
               "as_real(?xf32)", "there_and_back(?x?xf32)", "there_and_back(50xf32)", "uncovered(5x?xcomplex64)"]
SIGNATURES += [f"known({n}xcomplex64)" for n in (2, 16, 37)] + ["known(9x60xcomplex128)"]


def main():
    randn, single, double = torch.randn, torch.complex64, torch.complex128
    calls = []
    for rows, columns in [(1, 1), (2, 8), (3, 7), (9, 30), (17, 22), (1, 64), (5, 121)]:
        for type in (single, double):
            calls.append(("transforms", [randn(rows, columns, dtype=type)]))
        calls.append(("of_real", [randn(rows, columns)]))
        calls.append(("to_real", [randn(rows, columns, dtype=single), 2 * columns - 1]))
        calls.append(("back", [randn(rows, columns)]))
        calls.append(("back", [randn(rows, columns, dtype=torch.float64)]))
    calls += [(name, [x]) for name, x in [("transforms", randn(3, 40, dtype=single)), ("of_real", randn(4, 6, dtype=torch.float64)),
                                          ("of_real", randn(9, 31))]]
    calls += [("known", [randn(n, dtype=single)]) for n in (2, 16, 37, 16)]
    calls += [
        ("known", [randn(9, 60, dtype=double)]),
        ("to_real", [randn(3, 5, dtype=double), 8]), ("to_real", [randn(3, 5, dtype=single), 1]),
        ("to_real", [randn(3, 5, dtype=single), 0], "Invalid number of data points"),
        ("many", [randn(2, 3, 5, dtype=single), randn(2, 4, 7)]), ("many", [randn(1, 1, 2, dtype=single), randn(3, 2, 1)]),
        ("many", [randn(2, 3, 5, dtype=double), randn(2, 4, 6, dtype=torch.float64)]),
        ("integers", [torch.arange(7)]), ("frequencies", [7]), ("frequencies", [8]), ("frequencies", [1]),
        ("windows", [1]), ("windows", [2]), ("windows", [9]), ("windows", [16]), ("windows", [0]),
        ("spectrogram", [randn(100)]), ("spectrogram", [randn(33)]), ("spectrogram", [randn(3, 57)]), ("spectrogram", [randn(2, 100)]),
        ("spectrogram", [randn(5)], "Padding size"), ("as_real", [randn(40)]), ("as_real", [randn(41)]),
        ("there_and_back", [randn(2, 64)]), ("there_and_back", [randn(1, 101)]), ("there_and_back", [randn(50)]),
        ("uncovered", [randn(5, 4, dtype=single)], "window overlap add min")]
    emulated = sys.argv[3] == "emulated"
    check_source(SOURCE, *(of_single_precision(SIGNATURES, calls) if emulated else (SIGNATURES, calls)))


if __name__ == "__main__":
    main()
