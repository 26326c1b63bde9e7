/** A process that commits layers to a store, one after another, and lets go of old ones, until somebody kills it or `layers` are made. */
import { createHash } from 'node:crypto'
import { writeSync } from 'node:fs'
import type { BlockId, ItemId } from '../packages/consensus/src/ids.ts'
import { lockDataDir } from '../packages/store/src/data-dir-lock.ts'
import { openStore } from '../packages/store/src/open-store.ts'
import { StoreError } from '../packages/store/src/store-error.ts'

/** Layers that stay; older ones are deleted as soon as they are not needed. */
const KEPT = 3
/** Row blocks of a layer; one changes with each layer, the second with every fourth, and so on. */
const ROWS = 4

const [dir, layers] = [process.argv[2]!, Number(process.argv[3])]
try {
  await commitAll()
} catch (error) {
  if (!(error instanceof StoreError)) throw error
  writeSync(2, `refused ${error.code}\n`)
  process.exit(1)
}

async function commitAll(): Promise<void> {
  await lockDataDir(dir)
  await using store = await openStore(dir)
  const heads: (readonly BlockId[])[] = []
  let seq = Number([...store.items.items()].at(-1)?.key ?? 0)
  for (let made = 0; made < layers; made++) {
    seq += 1
    const content = await store.blocks.putMany(Array.from({ length: ROWS }, (_, n) => bytesOf(`${n} ${Math.floor(seq / 4 ** n)}`)))
    const manifest = await store.blocks.put(Buffer.from(JSON.stringify({ seq, content })))
    const old = keyOf(seq - KEPT)
    store.items.batch(() => {
      store.items.put({ kind: 'head', key: keyOf(seq), id: manifest as string as ItemId, bytes: new Uint8Array(80) })
      for (const item of store.items.items()) if (item.key <= old) store.items.delete(item.kind, item.key, item.id)
    })
    // Synchronous: what was acknowledged has left the process before it can die.
    writeSync(1, `${seq}\n`)
    heads.push([manifest, ...content])
    const live = new Set(heads.slice(-KEPT).flat())
    if (made >= KEPT) await store.blocks.sweep((id) => live.has(id), { writtenBefore: Infinity, unusedSince: Infinity })
  }
}

function keyOf(seq: number): string {
  return String(Math.max(0, seq)).padStart(9, '0')
}

/** 1 to 40 kB that do not compress, the same for the same name. */
function bytesOf(name: string): Uint8Array {
  const seed = createHash('sha256').update(name).digest()
  const pieces: Buffer[] = []
  for (let n = 0; n < 32 + 5 * seed[0]!; n++) pieces.push(createHash('sha256').update(seed).update(String(n)).digest())
  return Buffer.concat(pieces)
}
