import { once } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import * as zlib from 'node:zlib'

import { MAX_BLOCK_BYTES } from '@sgsd/wire'
import { beforeAll, describe, expect, test, vi } from 'vitest'

import { openMemoryStore } from './memory-store.ts'
import { sample, sha256 } from './testing/sample.ts'
import { pack, unpack } from './zstd.ts'

/** Bytes that decoders under watch have given out. */
let decoded = 0
vi.mock('node:zlib', async (original) => {
  const real = await original<typeof zlib>()
  return {
    ...real,
    createZstdDecompress: (options: zlib.ZstdOptions) => {
      const stream = real.createZstdDecompress(options)
      const push = stream.push.bind(stream)
      stream.push = (piece: Uint8Array | null) => {
        decoded += piece?.length ?? 0
        return push(piece)
      }
      return stream
    },
  }
})

test('the frame states its size, and comes back', async () => {
  for (const length of [0, 1, 255, 256, 65_791, 65_792, 3_000_000]) {
    const bytes = sample(1, length)
    const packed = await pack(bytes)
    const result = await unpack(packed)
    expect(result.type === 'ok' && sha256(result.bytes)).toBe(sha256(bytes))
    expect(decoded).toBe(0)
  }
})

test('the largest block passes, with a window that fits; one byte more does not', { timeout: 60_000 }, async () => {
  const bytes = new Uint8Array(MAX_BLOCK_BYTES + 1)
  for (let at = 0; at < bytes.length; at += 1_009) bytes[at] = at
  const whole = await unpack(await pack(bytes.subarray(0, MAX_BLOCK_BYTES)))
  expect(whole.type === 'ok' && whole.bytes.length).toBe(MAX_BLOCK_BYTES)
  expect(await unpack(await pack(bytes))).toEqual({ type: 'too-large' })
})

test('frames of other encoders: unknown size, several frames', async () => {
  const bytes = sample(2, 300_000)
  const streamed = await compressStream([bytes])
  const whole = await unpack(streamed)
  expect(whole.type === 'ok' && sha256(whole.bytes)).toBe(sha256(bytes))
  const half = bytes.subarray(0, 150_000)
  const two = await unpack(Buffer.concat([await compressStream([half]), await pack(bytes.subarray(150_000))]))
  expect(two.type === 'ok' && sha256(two.bytes)).toBe(sha256(bytes))
})

test('a window above 8 MiB is refused, whether the size is stated or not', async () => {
  const bytes = new Uint8Array(2 ** 24)
  for (const [log, type] of [
    [23, 'ok'],
    [24, 'corrupt'],
    [27, 'corrupt'],
  ] as const) {
    const params = { [zlib.constants.ZSTD_c_windowLog]: log }
    expect((await unpack(zlib.zstdCompressSync(bytes, { params }))).type).toBe(type)
    expect((await unpack(await compressStream([bytes, bytes], undefined, params))).type).toBe(type)
  }
})

test('truncated at every length, and with bytes flipped, it is refused or unchanged, and nothing throws', async () => {
  const bytes = sample(4, 700)
  const packed = await pack(bytes)
  for (let length = 0; length < packed.length; length++) expect((await unpack(packed.slice(0, length))).type).toBe('corrupt')
  for (let at = 0; at < packed.length; at++) {
    const flipped = packed.slice()
    flipped[at]! ^= 0xff
    const result = await unpack(flipped)
    // Any other bytes fail the hash later; what matters here is the bound.
    if (result.type === 'ok') expect(result.bytes.length).toBeLessThanOrEqual(70_000)
  }
})

describe('bombs', { timeout: 60_000 }, () => {
  /** 4 GiB of zeros, with and without the size in the header: about 131 KB each. */
  let silent: Uint8Array
  let honest: Uint8Array
  const FULL_BYTES = 2 ** 32

  beforeAll(async () => {
    const zeros = Array.from({ length: 256 }, () => ZEROS)
    silent = await compressStream(zeros)
    honest = await compressStream(zeros, FULL_BYTES)
    expect(Math.max(silent.length, honest.length)).toBeLessThan(140_000)
  }, 60_000)

  test('one that hides its size stops at the cap and one piece', async () => {
    decoded = 0
    expect(await grown(() => unpack(silent))).toEqual({ type: 'too-large' })
    expect(decoded).toBeGreaterThan(MAX_BLOCK_BYTES)
    expect(decoded).toBeLessThanOrEqual(MAX_BLOCK_BYTES + 2 ** 16)
  })

  test('one that states its size is refused unread', async () => {
    decoded = 0
    expect(await grown(() => unpack(honest))).toEqual({ type: 'too-large' })
    expect(decoded).toBe(0)
  })

  test('one that lies about its size stops there', async () => {
    const lying = honest.slice()
    // The header: magic 4, descriptor 1, window 1, then the size as u64.
    const header = new DataView(lying.buffer, lying.byteOffset)
    expect(header.getBigUint64(6, true)).toBe(BigInt(FULL_BYTES))
    header.setBigUint64(6, 1_000_000n, true)
    expect(await grown(() => unpack(lying))).toMatchObject({ type: 'corrupt' })
    // Just below the cap: the buffer is promised, not filled.
    header.setBigUint64(6, BigInt(MAX_BLOCK_BYTES), true)
    expect((await unpack(lying)).type).toBe('corrupt')
  })

  test('a sink refuses it by its code and keeps nothing', async () => {
    await using store = await openMemoryStore()
    const id = sha256(ZEROS)
    const sink = await store.blocks.receive(id)
    await sink.write(silent)
    await expect(grown(() => sink.finish())).rejects.toMatchObject({ code: 'BLOCK_TOO_LARGE', data: { id, limitBytes: MAX_BLOCK_BYTES } })
    expect((await store.blocks.receive(id)).have).toBe(0)
  })
})

const ZEROS = new Uint8Array(2 ** 24)

/** Runs it and fails if the process grew by more than 64 MB meanwhile. */
async function grown<T>(work: () => Promise<T>): Promise<T> {
  const before = process.memoryUsage.rss()
  let peak = before
  let running = true
  const watch = (async (): Promise<void> => {
    while (running) {
      peak = Math.max(peak, process.memoryUsage.rss())
      await nextTurn()
    }
  })()
  try {
    return await work()
  } finally {
    running = false
    await watch
    expect(peak - before).toBeLessThan(64e6)
  }
}

async function compressStream(pieces: readonly Uint8Array[], size?: number, params = {}): Promise<Uint8Array> {
  const stream = zlib.createZstdCompress({ ...(size === undefined ? {} : { pledgedSrcSize: size }), params })
  const packed: Uint8Array[] = []
  stream.on('data', (piece: Uint8Array) => packed.push(piece))
  const ended = once(stream, 'end')
  for (const piece of pieces) if (!stream.write(piece)) await once(stream, 'drain')
  stream.end()
  await ended
  return new Uint8Array(Buffer.concat(packed))
}
