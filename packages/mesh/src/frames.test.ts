import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Channel, memoryChannels } from './channel.ts'
import { FrameReader, sendFrame } from './frames.ts'

const never = new AbortController().signal

/** A channel whose incoming bytes come in the given pieces. */
function incoming(...pieces: readonly Uint8Array[]): Channel {
  return {
    peer: 'p',
    incoming: (async function* () {
      yield* pieces
    })(),
    send: async () => undefined,
    end: async () => undefined,
    abort: () => undefined,
  }
}

/** The bytes that frames make on the wire. */
async function wire(frames: readonly Uint8Array[]): Promise<Uint8Array> {
  const sent: Uint8Array[] = []
  const channel = { ...incoming(), send: async (bytes: Uint8Array) => void sent.push(bytes) }
  for (const frame of frames) await sendFrame(channel, frame)
  return Buffer.concat(sent)
}

function cut(bytes: Uint8Array, at: readonly number[]): Uint8Array[] {
  const points = [0, ...at.map((n) => n % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length]
  return points.slice(1).map((end, i) => bytes.subarray(points[i], end))
}

describe('frames', () => {
  test('what is sent is read, however the network cuts it, and the raw rest follows', async () => {
    const frames = fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(frames, fc.uint8Array(), fc.array(fc.nat(), { maxLength: 10 }), async (sent, rest, at) => {
        const bytes = Buffer.concat([await wire(sent), rest])
        const reader = new FrameReader(incoming(...cut(bytes, at)))
        for (const frame of sent) expect(Buffer.compare(await reader.expect(400), frame)).toBe(0)
        const pieces: Uint8Array[] = []
        for await (const piece of reader.rest()) pieces.push(piece)
        expect(Buffer.compare(Buffer.concat(pieces), rest)).toBe(0)
      }),
    )
  })

  test('an end on a frame boundary is an end; inside a frame or a length it is an error', async () => {
    const bytes = await wire([new Uint8Array(200)])
    expect(await new FrameReader(incoming()).next(10)).toBeUndefined()
    await expect(new FrameReader(incoming()).expect(10)).rejects.toMatchObject({ code: 'STREAM_CLOSED' })
    for (const length of [1, 2, 100, 201]) {
      await expect(new FrameReader(incoming(bytes.subarray(0, length))).next(1_000)).rejects.toMatchObject({ code: 'STREAM_CLOSED' })
    }
  })

  test('a length above the limit is refused before a byte of the frame is read', async () => {
    const reader = new FrameReader(incoming(new Uint8Array([0x80, 0x80, 0x80, 0x80, 0x08])))
    await expect(reader.next(4_194_304)).rejects.toMatchObject({ code: 'FRAME_TOO_LARGE', data: { bytes: 2 ** 31, limit: 4_194_304 } })
    await expect(new FrameReader(incoming(new Uint8Array([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]))).next(9)).rejects.toMatchObject({
      code: 'FRAME_INVALID',
    })
  })

  test('any bytes at all give frames or a coded error', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), async (bytes) => {
        const reader = new FrameReader(incoming(bytes))
        try {
          while ((await reader.next(32)) !== undefined);
        } catch (error) {
          expect(error).toMatchObject({ name: 'MeshError' })
        }
      }),
    )
  })
})

describe('a channel in memory', () => {
  test('holds its writer when the reader stops, and lets it go on', async () => {
    const [left, right] = memoryChannels('left', 'right', never)
    let sent = 0
    const writing = (async () => {
      for (; sent < 40; sent++) await left.send(new Uint8Array(100_000))
      await left.end()
    })()
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(sent).toBeLessThan(12)
    let got = 0
    for await (const piece of right.incoming) got += piece.length
    await writing
    expect(got).toBe(4_000_000)
  })

  test('a silent side is STALLED, an aborted one STREAM_CLOSED', async () => {
    const [left] = memoryChannels('left', 'right', never, 20)
    await expect(left.incoming.next()).rejects.toMatchObject({ code: 'STALLED' })
    const [one, two] = memoryChannels('left', 'right', never)
    one.abort(new Error('gone'))
    await expect(two.incoming.next()).rejects.toMatchObject({ code: 'STREAM_CLOSED' })
    await expect(two.send(new Uint8Array(1))).rejects.toMatchObject({ code: 'STREAM_CLOSED' })
  })
})
