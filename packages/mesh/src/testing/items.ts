import { createHash } from 'node:crypto'
import type { BlockId } from '@sgsd/consensus'
import type { MeshHandlers } from '../port.ts'

/** A stand-in for a daemon behind a mesh: a grow-only set of byte strings as items, blocks by id, and a record of the gossip. */
export class Holder implements MeshHandlers {
  readonly items = new Map<string, Uint8Array>()
  readonly blocks = new Map<string, Uint8Array>()
  readonly gossip: { topic: string; text: string; from: string }[] = []
  /** Verdict on the next gossip and items. */
  verdict: 'accept' | 'ignore' | 'reject' = 'accept'
  /** Bytes per piece of a served block. */
  pieceBytes = 64 * 1024

  add(...texts: readonly string[]): this {
    for (const text of texts) this.items.set(digestOf(Buffer.from(text)), new Uint8Array(Buffer.from(text)))
    return this
  }

  addBlock(bytes: Uint8Array): BlockId {
    const id = digestOf(bytes) as BlockId
    this.blocks.set(id, bytes)
    return id
  }

  texts(): string[] {
    return [...this.items.values()].map((bytes) => Buffer.from(bytes).toString()).toSorted()
  }

  onGossip: MeshHandlers['onGossip'] = (topic, bytes, from) => {
    this.gossip.push({ topic, text: Buffer.from(bytes).toString(), from })
    return this.verdict === 'accept' ? { type: 'accept', value: undefined } : { type: this.verdict, reason: 'told so' }
  }

  genesis(): Uint8Array {
    return GENESIS
  }

  syncDigest(): Uint8Array {
    const hash = createHash('sha256')
    for (const id of [...this.items.keys()].toSorted()) hash.update(id)
    return new Uint8Array(hash.digest())
  }

  inventory(): readonly Uint8Array[] {
    return [...this.items.keys()].map((id) => new Uint8Array(Buffer.from(id, 'hex')))
  }

  itemsMissingFrom(theirs: ReadonlySet<string>): readonly Uint8Array[] {
    return [...this.items].flatMap(([id, bytes]) => (theirs.has(id) ? [] : [bytes]))
  }

  onItems: MeshHandlers['onItems'] = (envelopes) => {
    if (this.verdict === 'reject') return { type: 'reject', reason: 'told so' }
    for (const bytes of envelopes) this.items.set(digestOf(bytes), bytes)
    return { type: 'accept', value: undefined }
  }

  onProbe: NonNullable<MeshHandlers['onProbe']> = async (probe, from) => {
    if (probe.length === 0) throw new Error('nothing was asked')
    return Buffer.concat([probe, Buffer.from(from)])
  }

  async readBlock(id: BlockId, offset: number): ReturnType<MeshHandlers['readBlock']> {
    const bytes = this.blocks.get(id)
    return bytes === undefined ? undefined : { size: bytes.length, body: piecesOf(bytes.subarray(offset), this.pieceBytes) }
  }
}

export const GENESIS: Uint8Array = new Uint8Array([1, 2, 3, 4, 5])

export function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Bytes that no two seeds share and no compressor likes. */
export function noise(bytes: number, seed = 1): Uint8Array {
  const words = new Uint32Array(Math.ceil(bytes / 4))
  let x = seed >>> 0
  for (let i = 0; i < words.length; i++) {
    x = (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0
    words[i] = x
  }
  return new Uint8Array(words.buffer, 0, bytes)
}

/** Polls until `check` holds. @throws after `withinMs` */
export async function until(check: () => boolean, withinMs = 10_000): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!check()) {
    if (performance.now() > deadline) throw new Error(`not so within ${withinMs} ms: ${check.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

async function* piecesOf(bytes: Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}
