import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { DenseTensor, TensorFile } from './tensor-file.ts'
import { byName, mutated, tensorFile } from './tensors.fixture.ts'
import { encodeTorch, parseTorch } from './torch-file.ts'
import { readZip, writeZip } from './zip.ts'

/** Written by `torch.save` of PyTorch 1.13.1; docs/interop.md has the program. */
const GOLDEN = new Uint8Array(readFileSync(new URL('../fixtures/torch-1.13.pt', import.meta.url)))

function parsed(bytes: Uint8Array): TensorFile {
  const verdict = parseTorch(bytes)
  if (verdict.type !== 'accept') throw new Error(verdict.reason)
  return verdict.value
}

const floats = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer)
const longs = (...values: bigint[]): Uint8Array => new Uint8Array(BigInt64Array.from(values).buffer)
const dense = (dtype: 'f32' | 'i64', shape: number[], bytes: Uint8Array): DenseTensor => ({ layout: 'dense', dtype, shape, bytes })

describe('a .pt file', () => {
  test('of PyTorch’s own is read', () => {
    const { tensors, meta } = parsed(GOLDEN)
    const indices = dense('i64', [2, 3], longs(0n, 0n, 2n, 1n, 3n, 0n))
    expect(Object.fromEntries(tensors)).toEqual({
      Wτ: { layout: 'coo', shape: [4, 4], indices, values: dense('f32', [3], floats(0.5, 0.25, 1)) },
      N: { layout: 'coo', shape: [4, 4], indices, values: dense('i64', [3], longs(256n, 64n, 4294967295n)) },
      s: dense('f32', [4], floats(0, 0.25, 0.5, 1)),
      rows: dense('i64', [2], longs(0n, 2n)),
      empty: dense('f32', [0, 3], new Uint8Array(0)),
    })
    expect(Object.fromEntries(meta)).toEqual({ who: 'torch 1.13.1', seq: '7', ok: 'true', big: '1099511627776', neg: '-5' })
  })

  test('comes back to the bit, and equal files have equal bytes', () => {
    fc.assert(
      fc.property(tensorFile, (file) => {
        const bytes = encodeTorch(file)
        expect(byName(parsed(bytes))).toEqual(byName(file))
        expect(encodeTorch(parsed(bytes))).toEqual(bytes)
      }),
    )
  })

  test('holds its tensors at multiples of 64 bytes', () => {
    fc.assert(
      fc.property(tensorFile, (file) => {
        const bytes = encodeTorch(file)
        const archive = readZip(bytes)
        for (const content of archive.type === 'accept' ? archive.value.values() : [bytes.subarray(1)]) expect(content.byteOffset % 64).toBe(0)
      }),
    )
  })

  test('with anything changed is read or refused, and never throws', () => {
    const files = fc.constantFrom(GOLDEN, encodeTorch(parsed(GOLDEN))).chain(mutated)
    fc.assert(
      fc.property(files, (bytes) => {
        expect(['accept', 'reject']).toContain(parseTorch(bytes).type)
      }),
      { numRuns: 2_000 },
    )
  })

  test('whose pickle was changed behind a right CRC is read or refused, and holds nothing from outside of the file', () => {
    const archive = readZip(GOLDEN)
    const entries = archive.type === 'accept' ? [...archive.value].map(([name, bytes]) => ({ name, bytes })) : []
    const pickle = entries.find(({ name }) => name.endsWith('data.pkl'))!.bytes
    fc.assert(
      fc.property(mutated(pickle), (changed) => {
        const file = writeZip(entries.map((entry) => (entry.bytes === pickle ? { ...entry, bytes: changed } : entry)))
        const verdict = parseTorch(file)
        if (verdict.type !== 'accept') return
        for (const tensor of verdict.value.tensors.values()) {
          for (const part of tensor.layout === 'dense' ? [tensor] : [tensor.indices, tensor.values]) expect(part.bytes.buffer).toBe(file.buffer)
        }
      }),
      { numRuns: 3_000 },
    )
  })

  test('of another byte order, without a pickle or with two is refused', () => {
    const archive = readZip(GOLDEN)
    const entries = archive.type === 'accept' ? [...archive.value].map(([name, bytes]) => ({ name, bytes })) : []
    const root = entries[0]!.name.replace('data.pkl', '')
    const big = { name: `${root}byteorder`, bytes: Buffer.from('big') }
    expect(parseTorch(writeZip([...entries, big]))).toMatchObject({ reason: 'an archive of another byte order' })
    expect(parseTorch(writeZip(entries.slice(1))).type).toBe('reject')
    expect(parseTorch(writeZip([...entries, { name: 'x/data.pkl', bytes: entries[0]!.bytes }])).type).toBe('reject')
  })
})

const PYTHON = '/usr/bin/python3'
const hasTorch = spawnSync(PYTHON, ['-c', 'import torch'], { timeout: 60_000 }).status === 0

/** Loads both ways, compares, checks that nothing needs coalescing, saves again. */
const PROGRAM = `
import sys, torch
safe = torch.load(sys.argv[1], weights_only=True)
free = torch.load(sys.argv[1], weights_only=False)
assert set(safe) == set(free) and safe['meta'] == free['meta']
for name, t in safe.items():
    if name == 'meta': continue
    other = free[name]
    if t.is_sparse:
        assert torch.equal(t._indices(), t.coalesce().indices()), name
        assert t.shape == other.shape and torch.equal(t._values(), other._values()), name
    else:
        assert torch.equal(t, other), name
N = safe['N']
print(N.dtype, N.to_dense()[2, 0].item(), safe['W\\u03c4'].to_dense().sum().item(), safe['s'].tolist(), safe['meta']['mean'])
torch.save({k: (v.coalesce() if k != 'meta' and v.is_sparse else v) for k, v in safe.items()}, sys.argv[2])
`

describe.runIf(hasTorch)(hasTorch ? 'PyTorch' : 'NOT RUN: loading in PyTorch needs Debian’s python3-torch', () => {
  test('loads our file with and without weights_only, and what it saves is read back alike', { timeout: 120_000 }, () => {
    const dir = mkdtempSync(join(tmpdir(), 'sgsd-torch-'))
    try {
      const { tensors } = parsed(GOLDEN)
      const file = { tensors, meta: new Map([['mean', '0.125']]) }
      writeFileSync(join(dir, 'ours.pt'), encodeTorch(file))
      const ran = spawnSync(PYTHON, ['-c', PROGRAM, join(dir, 'ours.pt'), join(dir, 'theirs.pt')], { encoding: 'utf8', timeout: 100_000 })
      expect(ran.stderr).toBe('')
      expect(ran.stdout.trim()).toBe('torch.int64 4294967295 1.75 [0.0, 0.25, 0.5, 1.0] 0.125')
      expect(byName(parsed(new Uint8Array(readFileSync(join(dir, 'theirs.pt')))))).toEqual(byName(file))
    } finally {
      rmSync(dir, { recursive: true })
    }
  })
})
