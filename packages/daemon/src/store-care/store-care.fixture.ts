import { createHash } from 'node:crypto'
import type { BlockId, LayerId, MeshState, PeerName, Signed } from '@sgsd/consensus'
import type { BlockStore } from '@sgsd/store'
import { encodeLineage, encodeManifest } from '@sgsd/wire'

export const SELF = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5' as PeerName
export const OTHER = '12D3KooWJWoaqZhDaoEFshF7Rh1bpY9ohihFhzcW6d69Lr2NASuq' as PeerName

export interface MadeLayer {
  readonly layer: LayerId
  readonly author: PeerName
  readonly seq: bigint
  /** Of rows, in the order of the radicals; then state, lineage. */
  readonly rows: readonly BlockId[]
  readonly state: BlockId
  readonly lineage: BlockId
}

/** Incompressible bytes, the same for the same name. */
export function bytesNamed(name: string, length = 200): Uint8Array {
  const pieces: Buffer[] = []
  for (let at = 0; at < length; at += 32) pieces.push(createHash('sha256').update(`${name} ${at}`).digest())
  return new Uint8Array(Buffer.concat(pieces).subarray(0, length))
}

/** Puts a layer whose rows of radical n are what `rows[n]` names; equal names are equal blocks. */
export async function makeLayer(
  blocks: Pick<BlockStore, 'put' | 'putMany'>,
  { author = SELF, seq = 1n, parents = [], rows }: { author?: PeerName; seq?: bigint; parents?: readonly LayerId[]; rows: readonly string[] },
): Promise<MadeLayer> {
  const lines = encodeLineage([{ text: `${author} ${seq}`, segment: '00'.repeat(32), first: 0, from: 0, to: 1 + Number(seq) }])
  const [state, lineage, ...ids] = (await blocks.putMany([bytesNamed(`state ${author} ${seq}`), lines, ...rows.map((name) => bytesNamed(name))])) as [
    BlockId,
    BlockId,
    ...BlockId[],
  ]
  const manifest = encodeManifest({
    version: 1,
    mesh: '11'.repeat(32) as MeshState['meshId'],
    kernel: '22'.repeat(32),
    parents,
    author,
    seq,
    epoch: 0n,
    params: { profile: 'stable', rule: 'evidence', eta: 0, decay: 0 },
    lineage,
    scores: { lines: seq, mean: 0.5 },
    state,
    blocks: ids.map((block, i) => ({ radical: i + 1, rows: 1, nnz: 1, block })),
  })
  return { layer: await blocks.put(manifest), author, seq, rows: ids, state, lineage }
}

/** A member's announcement of a layer, unsigned: roots do not look at signatures. */
export function headOf({ layer, author, seq, rows }: MadeLayer): Signed<'head'> {
  const value = { author, seq, layer, radicals: rows.map((_, i) => i + 1) }
  return { kind: 'head', value, id: layer as string as Signed<'head'>['id'], bytes: new Uint8Array() }
}

/** A chain of layers, oldest first; every layer changes the rows of radical 1 only. */
export async function makeChain(blocks: BlockStore, length: number, author: PeerName = SELF): Promise<readonly MadeLayer[]> {
  const chain: MadeLayer[] = []
  for (let n = 1; n <= length; n++) {
    const parent = chain.at(-1)
    const rows = [`${author} ${n}`, `${author} same`, 'of all']
    chain.push(await makeLayer(blocks, { author, seq: BigInt(n), parents: parent === undefined ? [] : [parent.layer], rows }))
  }
  return chain
}

type Named = Pick<MeshState, 'self' | 'heads' | 'ready' | 'claims'>

/** What a node knows of whose heads. @param coming - heads whose layers are not here whole yet */
export function namedBy(ready: readonly MadeLayer[], coming: readonly MadeLayer[] = []): Named {
  const entries = (layers: readonly MadeLayer[]): [PeerName, Signed<'head'>][] => layers.map((made) => [made.author, headOf(made)])
  return { self: SELF, ready: new Map(entries(ready)), heads: new Map([...entries(ready), ...entries(coming)]), claims: new Map() }
}
