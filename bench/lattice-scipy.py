"""The stable step with scipy.sparse, all in binary32. Usage: lattice-scipy.py FILE, a file as lattice-step.c takes it.

Each line of the input is a number of steps to do from rest; answers with milliseconds of processor time per step and the sum of the last state.
"""
import sys
import time

import numpy as np
from scipy.sparse import csr_matrix

with open(sys.argv[1], 'rb') as file:
    def take(kind, count):
        return np.frombuffer(file.read(np.dtype(kind).itemsize * count), kind)

    rows, *edges, _ = (int(each) for each in take(np.uint32, 4))
    keep = np.float32(take(np.float64, 1)[0])
    scales = [take(np.float64, rows).astype(np.float32) for _ in range(2)]
    bias = take(np.float64, rows).astype(np.float32)
    # the scales go into the weights, which spares scipy two multiplications a row
    matrices = []
    for scale, count in zip(scales, edges):
        ptr, cols, vals = take(np.uint32, rows + 1).astype(np.int32), take(np.uint32, count).astype(np.int32), take(np.float32, count)
        matrices.append(csr_matrix((vals * np.repeat(scale, np.diff(ptr)), cols, ptr), shape=(rows, rows)))
tau, rho = matrices

for line in sys.stdin:
    steps = int(line)
    state = np.zeros(rows, np.float32)
    began = time.process_time()
    for _ in range(steps):
        state = np.clip(keep * state + tau @ state - rho @ state + bias, np.float32(0), np.float32(1))
    print(1e3 * (time.process_time() - began) / steps, state.sum(dtype=np.float64), flush=True)
