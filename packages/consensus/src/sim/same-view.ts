import { keptEpochs } from '../epochs.ts'
import type { EpochTally, MeshState } from '../state.ts'

/** Maps and sets of a state that decisions rest on, and whose members are shared objects. */
const COLLECTIONS = [
  'roster',
  'heads',
  'ready',
  'refused',
  'claims',
  'counted',
  'refusedClaims',
  'seals',
  'proofs',
  'equivocations',
  'ops',
  'receipts',
  'votes',
  'verdicts',
  'goodEpochs',
  'conflicts',
  'beats',
  'seen',
  'repairing',
] as const

/** Equal where two views may be the same; cheap. */
export function viewKey(state: MeshState): string {
  return `${state.epoch} ${state.consensus} ${COLLECTIONS.map((field) => state[field].size).join(' ')}`
}

/**
 * Would two states decide alike from now on? They hold the same items and derived the same from them. Left out is what is for display or private: who was
 * first to cover a chunk, closed epochs whose claims are forgotten, whose turn a re-ask is, what the node itself audited.
 */
export function isSameView(a: MeshState, b: MeshState): boolean {
  if (a === b) return true
  if (a.epoch !== b.epoch || a.consensus !== b.consensus) return false
  return COLLECTIONS.every((field) => isSameCollection(a[field], b[field])) && isSameAdmission(a, b) && isSameWork(a, b)
}

function isSameAdmission(a: MeshState, b: MeshState): boolean {
  return a.admitted === b.admitted || (a.admitted !== undefined && b.admitted !== undefined && isSameCollection(a.admitted, b.admitted))
}

/** Tallies, reveals and results of the epochs whose claims are kept. */
function isSameWork(a: MeshState, b: MeshState): boolean {
  const { progress } = a
  if (progress.epoch !== b.progress.epoch || progress.covered !== b.progress.covered) return false
  if (progress.at !== b.progress.at || progress.hasStalled !== b.progress.hasStalled) return false
  const epochs = keptEpochs(a)
  if (a.reveals.size !== b.reveals.size || a.refetch.at !== b.refetch.at || a.refetch.after !== b.refetch.after) return false
  for (const [epoch, nonces] of a.reveals) {
    const others = b.reveals.get(epoch)
    if (others === undefined || !isSameCollection(nonces, others)) return false
  }
  return epochs.every((epoch) => {
    const [mine, others] = [a, b].map((state) => state.closed.find((closed) => closed.epoch === epoch))
    return mine?.xor === others?.xor && mine?.how === others?.how && isSameTally(a.tallies.get(epoch), b.tallies.get(epoch))
  })
}

function isSameTally(a: EpochTally | undefined, b: EpochTally | undefined): boolean {
  if (a === b) return true
  if (a === undefined || b === undefined || a.xor !== b.xor || a.covered.length !== b.covered.length) return false
  return a.covered.every(({ start, count }, i) => start === b.covered[i]!.start && count === b.covered[i]!.count)
}

function isSameCollection(a: ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>, b: ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>): boolean {
  if (a === b) return true
  if (a.size !== b.size) return false
  for (const entry of a.entries()) {
    const [key, value] = entry
    if (b instanceof Map ? b.get(key) !== value : !b.has(value)) return false
  }
  return true
}
