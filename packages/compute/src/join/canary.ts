import { joinOn } from './join-run.ts'
import type { JoinKernel } from './kernel.ts'
import type { IdSets, PairGate } from './port.ts'
import { loadReferenceKernel } from './reference-kernel.ts'

const ROWS = 400

/** Gates with few and with many pairs, with and without more of them than are kept. */
const GATES: readonly PairGate[] = [
  { tau: 0.35, rho: 0.5, top: 3 },
  { tau: 0.35, rho: 0.5, top: ROWS },
  { tau: 0.2, rho: 2, top: 10 },
  { tau: 1, rho: 0, top: 2 },
]

/** Sets of 0 to 19 ids, frequent and rare ones, among them equal sets and parts of each other: more than three blocks of the widest search. */
const SETS: IdSets = canarySets()

/** Where a kernel differs from the reference, in words; undefined when it gives the same. */
export function canaryFault(kernel: JoinKernel): string | undefined {
  const reference = loadReferenceKernel()
  for (const gate of GATES) {
    const [known, found] = [joinOn(reference, SETS, gate), joinOn(kernel, SETS, gate)]
    const same = (['ptr', 'cols', 'shared'] as const).every((part) => Buffer.compare(bytesOf(known[part]), bytesOf(found[part])) === 0)
    if (!same) return `τ ≥ ${gate.tau}, ρ ≤ ${gate.rho}, top ${gate.top}: ${found.cols.length} pairs, not the known ${known.cols.length}, or others`
  }
  return undefined
}

function bytesOf({ buffer, byteOffset, byteLength }: Uint32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

function canarySets(): IdSets {
  const ptr = new Uint32Array(ROWS + 1)
  const ids: number[] = []
  let state = 7_202_985
  for (let row = 0; row < ROWS; row++) {
    const size = row % 20
    // every fourth set begins as the one before did
    const kept = row % 4 === 0 || row === 0 ? 0 : Math.min(size, ptr[row]! - ptr[row - 1]!)
    for (let k = 0; k < size; k++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      const spread = 2 ** (1 + (state >>> 29))
      ids.push(k < kept ? ids[ptr[row - 1]! + k]! : (state >>> 8) % spread)
    }
    ptr[row + 1] = ids.length
  }
  return { ptr, ids: Uint32Array.from(ids) }
}
