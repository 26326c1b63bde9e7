import type { PeerStatus, StatusDocument } from '@sgsd/daemon'
import type { Figure } from '../published.ts'

/** One node at one moment, as its own control API tells it. */
export interface NodeView {
  readonly name: string
  /** `back`: running again after it was killed. */
  readonly phase: 'waiting' | 'starting' | 'running' | 'killed' | 'back'
  /** Its newest answer; an old one while it does not run. */
  readonly status: StatusDocument | undefined
  /** Its NashProp range of epoch 0, as it stood when mining began. */
  readonly range: PeerStatus['range'] | undefined
}

/** The whole demo at one moment. */
export interface Snapshot {
  readonly elapsedMs: number
  readonly nodes: readonly NodeView[]
  readonly epochColours: bigint
  /** The same epoch, computed here without the mesh. */
  readonly local: { readonly share: number; readonly xor: string | undefined }
  readonly published: readonly Figure[]
  readonly victim: {
    readonly name: string
    /** Coverage at which it was killed. */
    readonly killedAt: number | undefined
    /** From SIGKILL until it answered again. */
    readonly backAfterMs: number | undefined
  }
}

/** The peer's entry of itself. */
export function selfOf(status: StatusDocument | undefined): PeerStatus | undefined {
  return status?.peers.find((peer) => peer.self)
}

/** How epoch 0 ended for a node, or undefined while it is open. */
export function epochZeroOf(status: StatusDocument | undefined): { readonly xor: string; readonly how: string } | undefined {
  return status?.colours.closed.find(({ epoch }) => BigInt(epoch) === 0n)
}

/** Coverage of epoch 0, 0 … 1. */
export function coverageOf(status: StatusDocument | undefined): number {
  if (status === undefined) return 0
  return BigInt(status.colours.epoch) > 0n ? 1 : status.colours.coverage
}

/** Every node runs and is connected to all the others. */
export function isWhole({ nodes }: Snapshot): boolean {
  return nodes.every(
    ({ phase, status }) => (phase === 'running' || phase === 'back') && status !== undefined && status.mesh.connected >= nodes.length - 1,
  )
}

/** The nodes' ranges, each as its own node sees it, are disjoint and cover the epoch: all have the same view of the mesh. */
export function rangesAgree({ nodes }: Snapshot): boolean {
  const ranges = nodes.flatMap(({ status }) => selfOf(status)?.range ?? []).filter(({ count }) => count > 0)
  ranges.sort((a, b) => a.start - b.start)
  let next = 0
  for (const { start, count } of ranges) {
    if (start !== next) return false
    next += count
  }
  return next === nodes[0]?.status?.colours.chunks
}

export function hasFarmed(status: StatusDocument | undefined): boolean {
  const farm = status?.lattice.farm
  return farm !== undefined && farm.state === 'done' && farm.total > 0 && farm.lines >= farm.total
}
