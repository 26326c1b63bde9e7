"""turbo32 and spi64 as one writes them with numpy. Usage: colour-numpy.py BLOCK KERNEL COUNT; prints G colours per second of processor time, and the XOR."""
import sys
import time

import numpy as np

block, kernel, count = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
kind = np.uint32 if kernel == 'turbo32' else np.uint64
a, b, c = (15, 13, 16) if kernel == 'turbo32' else (30, 27, 31)
golden, m1, m2 = (kind(x & int(np.iinfo(kind).max)) for x in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
began = time.process_time()
xor = kind(0)
for start in range(0, count, block):
    z = np.arange(start, min(start + block, count), dtype=kind) * golden
    z += kind((7202985 + int(golden)) & int(np.iinfo(kind).max))
    z ^= z >> kind(a)
    z *= m1
    z ^= z >> kind(b)
    z *= m2
    z ^= z >> kind(c)
    xor ^= np.bitwise_xor.reduce(z)
seconds = time.process_time() - began
print(f'{count / seconds / 1e9:.6f} {int(xor):016x}')
