import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import { CHUNK_COLOURS, mix } from '@sgsd/color'
import { draftClaim } from './claims.ts'
import { rosterHash } from './digests.ts'
import type { Genesis } from './genesis.ts'
import type { BlockId, ItemId, LayerId, MeshId, Millis, PeerName } from './ids.ts'
import type { Beat, ChunkRun, Claim, Item, MemberRecord, RosterOp, Seal, SignedItem, SignedRival } from './items.ts'
import { claimRoot } from './merkle.ts'
import type { Effect, Input, MeshState, Signed } from './state.ts'
import { initialState, step } from './step.ts'
import { commitTo, nonceOf } from './trust/beacon.ts'
import { draftProof } from './trust/proof.ts'
import { xorOf } from './claims.ts'

export const MESH_ID = 'ab'.repeat(32) as MeshId

export const at = (ms: number): Millis => ms as Millis

export const peer = (name: string): PeerName => name as PeerName

export const digestOf = (text: string): string => bytesToHex(sha256(utf8ToBytes(text)))

/** A mesh whose epochs have `chunks` chunks. */
export function genesisOf(chunks: number): Genesis {
  return {
    version: 1,
    name: 'test',
    colourSeed: 1n,
    colourKernel: 'spi64',
    epochColours: BigInt(chunks) * BigInt(CHUNK_COLOURS),
    latticeKernel: 'cd'.repeat(32),
    foldId: 'mean/1',
    admission: 'open',
    nonce: '00'.repeat(16),
  }
}

export function stateOf(chunks = 16, self = 'self'): MeshState {
  return initialState(genesisOf(chunks), MESH_ID, peer(self))
}

/** As if signed: the id is a hash of the content, as it is on the wire. */
export function signed<K extends Item['kind']>(item: Extract<Item, { kind: K }>): Signed<K> {
  const text = JSON.stringify(item, (key, value: unknown) => (typeof value === 'bigint' ? `${value}n` : key === 'bytes' ? undefined : value))
  return { ...item, id: digestOf(text) as ItemId, bytes: utf8ToBytes(text) } as unknown as Signed<K>
}

export function record(author: string, changes: Partial<MemberRecord> = {}): Signed<'record'> {
  return signed<'record'>({
    kind: 'record',
    value: {
      author: peer(author),
      seq: 1n,
      software: '0.1.0',
      hostName: 'host',
      cores: 2,
      memoryBytes: 1n << 33n,
      colourRate: 1_000n,
      rowRate: 1_000n,
      colourEngine: 'wasm',
      providers: ['wasm'],
      addrs: [],
      joinedEpoch: 0n,
      left: false,
      ...changes,
    },
  })
}

export function head(author: string, seq: bigint, layer = `${author}-${seq}`): Signed<'head'> {
  return signed<'head'>({ kind: 'head', value: { author: peer(author), seq, layer: digestOf(layer) as LayerId, radicals: [1] } })
}

export function seal(author: string, epoch: bigint, xor: bigint, changes: Partial<Seal> = {}): Signed<'seal'> {
  const secret = utf8ToBytes(author)
  const nonce = nonceOf(MESH_ID, epoch, secret)
  const commit = commitTo(nonceOf(MESH_ID, epoch + 1n, secret))
  return signed<'seal'>({ kind: 'seal', value: { author: peer(author), epoch, revision: 0, xor, nonce, commit, ...changes } })
}

/** Stands for the colours: a fixed value for every chunk of every epoch. */
export function valuesOf(epoch: bigint, { start, count }: ChunkRun): BigUint64Array {
  return BigUint64Array.from({ length: count }, (_, i) => mix(epoch * 1_000_003n + BigInt(start + i)))
}

/** An honest claim over a run. */
export function claim(author: string, epoch: bigint, index: number, run: ChunkRun): Signed<'claim'> {
  const values = valuesOf(epoch, run)
  const value = {
    author: peer(author),
    epoch,
    index,
    rosterHash: rosterHash({ roster: new Map() }),
    run,
    xor: xorOf(values),
    leaves: digestOf(`${epoch}/${run.start}/${run.count}`) as BlockId,
  }
  return signed<'claim'>({ kind: 'claim', value: { ...value, root: claimRoot({ meshId: MESH_ID, ...value }, values) } })
}

/** A claim whose value of one chunk is wrong by a bit, with the leaves that it commits to. */
export function forgedClaim(
  author: string,
  epoch: bigint,
  index: number,
  run: ChunkRun,
  chunk: number = run.start,
): { readonly item: Signed<'claim'>; readonly values: BigUint64Array } {
  const values = valuesOf(epoch, run)
  values.set([valueAt(values, chunk - run.start) ^ (1n << 40n)], chunk - run.start)
  const { value } = claim(author, epoch, index, run)
  const changed = { ...value, xor: xorOf(values), leaves: digestOf(`forged ${author} ${epoch} ${run.start} ${chunk}`) as BlockId }
  return { item: signed<'claim'>({ kind: 'claim', value: { ...changed, root: claimRoot({ meshId: MESH_ID, ...changed }, values) } }), values }
}

/** An accusation of one chunk of a claim. @param values - the claim's leaves */
export function proof(accuser: string, accused: Signed<'claim'>, values: BigUint64Array, chunk: number = accused.value.run.start): Signed<'proof'> {
  return signed<'proof'>({ kind: 'proof', value: draftProof({ self: peer(accuser), meshId: MESH_ID }, accused, chunk, values) })
}

/** Two conflicting items, as somebody saw them. */
export function equivocation(author: string, ...rivals: readonly [SignedRival, SignedRival]): Signed<'equivocation'> {
  const [first, second] = rivals.toSorted((a, b) => (a.id < b.id ? -1 : 1)) as [SignedRival, SignedRival]
  return signed<'equivocation'>({ kind: 'equivocation', value: { author: peer(author), first, second } })
}

export function op(author: string, subject: string, action: RosterOp['action'], changes: Partial<RosterOp> = {}): Signed<'op'> {
  const value = { author: peer(author), subject: peer(subject), seq: 0n, action, epoch: 0n, headSeq: 0n, recordSeq: 0n, reason: '', ...changes }
  return signed<'op'>({ kind: 'op', value })
}

export function receipt(author: string, of: Signed<'head'>, score: number, epoch = 0n): Signed<'receipt'> {
  const { author: subject, layer } = of.value
  return signed<'receipt'>({ kind: 'receipt', value: { author: peer(author), subject, layer, score, items: 100, epoch } })
}

/** What recomputing a proof's chunk gives. */
export function checked(item: Signed<'proof'>): Input {
  const { claim, chunk } = item.value
  return { type: 'proof-checked', proof: item, computed: valueAt(valuesOf(claim.value.epoch, { start: chunk, count: 1 }), 0) }
}

/** The claim that this node itself would make. */
export function ownClaim(state: MeshState, run: ChunkRun): Signed<'claim'> {
  const value: Claim = draftClaim(state, run, valuesOf(state.epoch, run), digestOf('leaves') as BlockId)
  return signed<'claim'>({ kind: 'claim', value })
}

export function beat(author: string, seq: bigint, changes: Partial<Beat> = {}): Beat {
  return {
    author: peer(author),
    seq,
    rosterHash: rosterHash({ roster: new Map() }),
    consensus: '',
    digest: '',
    epoch: 0n,
    chunksDone: 0,
    chunksCovered: 0,
    rateNow: 1n,
    layers: 0,
    ...changes,
  }
}

export function received(item: SignedItem, source: 'peer' | 'disk' | 'self' = 'peer', now = 0): Input {
  return { type: 'item-received', item, now: at(now), source }
}

export function heard(message: Beat, now: number): Input {
  return { type: 'beat-received', beat: message, now: at(now) }
}

export function counted(item: Signed<'claim'>): Input {
  return { type: 'leaves-ready', claim: item, values: valuesOf(item.value.epoch, item.value.run) }
}

/** Takes inputs one after another. @returns the last state and all effects */
export function run(state: MeshState, inputs: readonly Input[]): { readonly state: MeshState; readonly effects: readonly Effect[] } {
  const effects: Effect[] = []
  let now = state
  for (const input of inputs) {
    const result = step(now, input)
    now = result.state
    effects.push(...result.effects)
  }
  return { state: now, effects }
}

/** Types of effects, in order. */
export function kinds(effects: readonly Effect[]): readonly string[] {
  return effects.map((effect) => (effect.type === 'report' ? `report ${effect.what}` : effect.type))
}

function valueAt(values: BigUint64Array, index: number): bigint {
  const value = values.at(index)
  if (value === undefined) throw new RangeError(`${values.length} values have no value ${index}`)
  return value
}
