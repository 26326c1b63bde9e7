import type { Figure } from '../published.ts'
import { epochZeroOf, selfOf, type Snapshot } from './snapshot.ts'
import type { Condition } from './verdict.ts'

/** What `sgsd demo --json` prints; later fields are only added. */
export interface DemoDocument {
  readonly schema: 'sgsd.demo/1'
  readonly ok: boolean
  /** All nodes hold the same consensus id and the same epoch XOR. */
  readonly agree: boolean
  readonly nodes: readonly {
    readonly name: string
    readonly peerId: string
    /** Chunks of epoch 0. */
    readonly range: { readonly start: number; readonly count: number }
    readonly radicals: readonly number[]
    readonly layers: number
    readonly consensusId: string
    readonly digest: string
    readonly epochXor: string
    readonly rssBytes: number
    readonly loopDelayP99Ms: number
  }[]
  readonly epoch: { readonly number: string; readonly colours: string; readonly localXor: string }
  readonly published: { readonly turbo32: string; readonly triadic: string; readonly triadicCanonical: string }
  readonly recovery: { readonly node: string; readonly killedAtCoverage: number | null; readonly backAfterMs: number | null }
  readonly conditions: readonly Condition[]
  readonly durationMs: number
}

export function demoDocument(snapshot: Snapshot, conditions: readonly Condition[]): DemoDocument {
  const { nodes, local, published, victim } = snapshot
  const holds = (name: Condition['name']): boolean => conditions.some((condition) => condition.name === name && condition.ok)
  return {
    schema: 'sgsd.demo/1',
    ok: conditions.every(({ ok }) => ok),
    agree: holds('consensus') && holds('epoch'),
    nodes: nodes.map(({ name, status, range }) => ({
      name,
      peerId: status?.node.peerId ?? '',
      range: { start: range?.start ?? 0, count: range?.count ?? 0 },
      radicals: selfOf(status)?.radicals ?? [],
      layers: status?.lattice.layers ?? 0,
      consensusId: status?.consensus.id ?? '',
      digest: status?.consensus.digest ?? '',
      epochXor: epochZeroOf(status)?.xor ?? '',
      rssBytes: status?.node.rssBytes ?? 0,
      loopDelayP99Ms: status?.node.loopDelayP99Ms ?? 0,
    })),
    epoch: { number: '0x0000000000000000', colours: `0x${snapshot.epochColours.toString(16).padStart(16, '0')}`, localXor: local.xor ?? '' },
    published: {
      turbo32: got(published, 'turbo32'),
      triadic: got(published, 'triadic-published'),
      triadicCanonical: got(published, 'triadic-canonical'),
    },
    recovery: { node: victim.name, killedAtCoverage: victim.killedAt ?? null, backAfterMs: victim.backAfterMs ?? null },
    conditions,
    durationMs: Math.round(snapshot.elapsedMs),
  }
}

function got(figures: readonly Figure[], name: Figure['name']): string {
  return figures.find((figure) => figure.name === name)?.got ?? ''
}
