import type { HistoryCompute } from '@sgsd/compute'
import { type BlockId, consensusId, type ConsensusId, type FoldId, type LayerId, type PeerName, type Signed } from '@sgsd/consensus'
import { isStoreError, type BlockStore } from '@sgsd/store'
import type { Core } from '../core.ts'
import { DaemonError } from '../daemon-error.ts'
import type { ConsensusHead, ConsensusRecord } from './consensus-log.ts'
import type { Check, LayerVerifyDocument } from './documents.ts'
import { blocksOf, type LayerShelf } from './layer-shelf.ts'

/** The id that a record must have: of its fold and its heads. */
export function recordId(foldId: FoldId, heads: readonly ConsensusHead[]): ConsensusId {
  const signed = heads.map(({ author, seq, layer }) => ({ value: { author, seq, layer } }) as Signed<'head'>)
  return consensusId(foldId, signed, new Map(heads.map(({ author, weight }) => [author, weight])))
}

export interface RefoldParts {
  readonly core: Core
  readonly shelf: LayerShelf
  readonly compute: Pick<HistoryCompute, 'fold'>
  readonly fetch: (id: BlockId, prefer: PeerName) => Promise<Uint8Array>
}

export interface Refolded {
  readonly id: string
  readonly digest: string
  readonly rows: number
  readonly nnz: number
  readonly fetched: number
  readonly foldMs: number
}

/**
 * Folds a consensus of the past again from its heads. Blocks that are not here are fetched from peers.
 * @throws DaemonError LAYER_UNKNOWN | LAYER_INCOMPLETE naming what nobody has
 */
export async function* refold({ core, shelf, compute, fetch }: RefoldParts, { heads }: ConsensusRecord): AsyncGenerator<number, Refolded> {
  let fetched = 0
  const members = []
  for (const [done, { author, seq, layer, weight }] of heads.entries()) {
    yield done
    const content = await shelf.content(layer, async (id) => {
      const bytes = await fetch(id, author)
      fetched += 1
      return bytes
    })
    members.push({ peer: author, seq, weight, content })
  }
  yield heads.length
  const { digest, rows, nnz, ms } = await compute.fold(members)
  return { id: recordId(core.state.genesis.foldId, heads), digest, rows, nnz, fetched, foldMs: ms }
}

/** Reads every block of a layer and checks it against its hash, its form and the lattice. */
export async function verifyLayer(
  { shelf, compute }: { readonly shelf: LayerShelf; readonly compute: Pick<HistoryCompute, 'check'> },
  blocks: Pick<BlockStore, 'get'>,
  layer: LayerId,
): Promise<LayerVerifyDocument> {
  const manifest = await shelf.require(layer)
  const ids = blocksOf(layer, manifest)
  const damaged: string[] = []
  const missing: string[] = []
  for (const id of ids) {
    try {
      if ((await blocks.get(id)) === undefined) missing.push(id)
    } catch (error) {
      if (!isStoreError(error, 'BLOCK_CORRUPT')) throw error
      damaged.push(id)
    }
  }
  const named = (list: readonly string[]): string =>
    list
      .slice(0, 4)
      .map((id) => `${id.slice(0, 12)}…`)
      .join(', ') + (list.length > 4 ? ' …' : '')
  const whole = damaged.length === 0 && missing.length === 0
  const checks: Check[] = [
    damaged.length > 0
      ? { name: 'hashes', state: 'failed', why: `${damaged.length} of ${ids.length} blocks were damaged and are set aside: ${named(damaged)}` }
      : missing.length > 0
        ? { name: 'hashes', state: 'unknown', why: `${missing.length} of ${ids.length} blocks are not here: ${named(missing)}` }
        : { name: 'hashes', state: 'ok', why: `${ids.length} blocks have the SHA-256 that names them` },
    whole ? await content(compute, shelf, layer) : { name: 'content', state: 'unknown', why: 'not all of it is here' },
    await lineage(shelf, layer),
    await parents(shelf, layer),
  ]
  return { schema: 'sgsd.layer-verify/1', layer, ok: checks.every(({ state }) => state === 'ok'), blocks: ids.length, checks }
}

async function content(compute: Pick<HistoryCompute, 'check'>, shelf: LayerShelf, layer: LayerId): Promise<Check> {
  const manifest = await shelf.require(layer)
  const refusal = await compute.check(await shelf.content(layer))
  if (refusal !== undefined) return { name: 'content', state: 'failed', why: refusal }
  const rows = manifest.blocks.reduce((sum, block) => sum + block.rows, 0)
  return { name: 'content', state: 'ok', why: `${rows} rows of ${manifest.blocks.length} radicals fit the lattice, and so does the state` }
}

async function lineage(shelf: LayerShelf, layer: LayerId): Promise<Check> {
  const spans = await shelf.lineage(await shelf.require(layer))
  if (spans === undefined) return { name: 'lineage', state: 'unknown', why: 'its block is not here, or is no lineage' }
  const lines = spans.reduce((sum, { from, to }) => sum + to - from, 0)
  return { name: 'lineage', state: 'ok', why: `${lines} lines of ${new Set(spans.map(({ text }) => text)).size} texts since its parents` }
}

async function parents(shelf: LayerShelf, layer: LayerId): Promise<Check> {
  const manifest = await shelf.require(layer)
  const known = await Promise.all(manifest.parents.map((parent) => shelf.manifest(parent)))
  const wrong = known.find((parent) => parent !== undefined && parent.kernel !== manifest.kernel)
  if (wrong !== undefined) return { name: 'parents', state: 'failed', why: 'a parent stands on another hanzi table' }
  const later = known.find((parent) => parent !== undefined && parent.author === manifest.author && parent.seq >= manifest.seq)
  if (later !== undefined) return { name: 'parents', state: 'failed', why: `a parent of the same author has sequence number ${later.seq}` }
  const unknown = known.filter((parent) => parent === undefined).length
  const why = manifest.parents.length === 0 ? 'it has none' : unknown === 0 ? `${known.length} known` : `${unknown} of ${known.length} not known here`
  return { name: 'parents', state: 'ok', why }
}

/** The record that a person names: a beginning of its id, `#12` or an epoch; the newest without a name. */
export function chooseRecord(
  log: {
    find(prefix: string): readonly number[]
    ofEpoch(epoch: bigint): number | undefined
    record(n: number): ConsensusRecord | undefined
    newest: ConsensusRecord | undefined
  },
  id: string | undefined,
  at: string | undefined,
): ConsensusRecord {
  const hint = 'sgsd consensus log'
  const found = id === undefined ? (at === undefined ? log.newest : atRecord(log, at)) : byId(log, id)
  if (found !== undefined) return found
  if (id === undefined && at === undefined) throw new DaemonError('CONSENSUS_UNKNOWN', 'this node has folded nothing yet', 'sgsd farm <file>')
  throw new DaemonError('CONSENSUS_UNKNOWN', `no consensus ${id ?? at} is recorded on this node`, hint)
}

function atRecord(log: Parameters<typeof chooseRecord>[0], at: string): ConsensusRecord | undefined {
  const epoch = /^epoch:(\d{1,19})$/.exec(at)
  if (epoch === null) return log.record(Number(at))
  const n = log.ofEpoch(BigInt(epoch[1]!))
  return n === undefined ? undefined : log.record(n)
}

function byId(log: Parameters<typeof chooseRecord>[0], prefix: string): ConsensusRecord | undefined {
  const numbers = log.find(prefix)
  const ids = new Set(numbers.map((n) => log.record(n)!.id))
  if (ids.size > 1) {
    const named = [...ids].slice(0, 4).map((id) => `${id.slice(0, 16)}…`)
    throw new DaemonError('CONSENSUS_AMBIGUOUS', `${ids.size} consensuses begin with ${prefix}: ${named.join(', ')}`, 'give more digits')
  }
  return numbers[0] === undefined ? undefined : log.record(numbers[0])
}
