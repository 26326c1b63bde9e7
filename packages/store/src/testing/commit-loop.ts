import { writeSync } from 'node:fs'

import type { ItemId } from '@sgsd/consensus'

import { lockDataDir } from '../data-dir-lock.ts'
import { openStore } from '../open-store.ts'
import { sample, sha256 } from './sample.ts'
import { pack } from '../zstd.ts'

/** A line for everything that the store acknowledged. */
export type Acknowledgement = `block ${string}` | `item ${string} ${string}`

// Commits for ever, one thing after the other, until somebody kills the process.
const [dir, seed] = [process.argv[2]!, Number(process.argv[3])]
await lockDataDir(dir)
const store = await openStore(dir)
for (let n = 0; ; n++) {
  const bytes = sample(seed * 1_000_003 + n, 50 + ((seed * 7_919 + n * 104_729) % 300_000))
  const id = sha256(bytes)
  if (n % 3 === 2) {
    const sink = await store.blocks.receive(id)
    const packed = await pack(bytes)
    for (let at = sink.have; at < packed.length; at += 40_000) await sink.write(packed.subarray(at, at + 40_000))
    await sink.finish()
  } else {
    await store.blocks.put(bytes)
  }
  acknowledge(`block ${id}`)
  store.items.batch(() => {
    store.items.put({ kind: 'claim', key: `${seed}/${n}`, id: id as string as ItemId, bytes: bytes.subarray(0, 50) })
    store.items.setValue('last', Buffer.from(id))
  })
  acknowledge(`item ${seed}/${n} ${id}`)
}

/** Synchronous: what was acknowledged has left the process before it can die. */
function acknowledge(line: Acknowledgement): void {
  writeSync(1, `${line}\n`)
}
