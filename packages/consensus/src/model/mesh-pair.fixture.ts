import { bytesToHex } from '@noble/hashes/utils.js'
import { expect } from 'vitest'
import { xorOf } from '../claims.ts'
import { allItems, consensusHeads, rosterHash, stateDigest } from '../digests.ts'
import type { Millis, PeerName } from '../ids.ts'
import type { Beat, SignedItem } from '../items.ts'
import { liveMembers } from '../membership.ts'
import { compareText } from '../order.ts'
import { at, checked, genesisOf, MESH_ID, received, signed, valuesOf } from '../mesh.fixture.ts'
import type { Effect, Input, MeshState } from '../state.ts'
import { initialState, step } from '../step.ts'
import { draftSeal } from '../trust/beacon.ts'
import { foldWeights } from '../trust/income.ts'
import { NaiveMesh, naiveKey } from './naive-mesh.fixture.ts'

/** Between two ticks, milliseconds: content that is missing is asked for again. */
const TICK_MS = 5_000

/** Chunks of an epoch. */
export const CHUNKS = 8

export const SELF = 'self' as PeerName

/**
 * The real state machine with a disk and an outside that answers everything, and the naive mesh, given the same. What effects ask for is answered in an
 * order that chance decides, before the next input.
 */
export class MeshPair {
  readonly naive: NaiveMesh = new NaiveMesh(SELF, CHUNKS, trueXor)
  state: MeshState = initialState(genesisOf(CHUNKS), MESH_ID, SELF)
  now = 0
  /** Items on disk, by place. */
  readonly disk = new Map<string, SignedItem>()
  /** Leaves of claims that lie. */
  readonly leaves = new Map<string, BigUint64Array>()
  /** Everything that ever arrived, to be replayed. */
  readonly past: SignedItem[] = []
  #pending: Input[] = []
  readonly #pick: () => number

  /** @param pick - whole numbers, at chance */
  constructor(pick: () => number) {
    this.#pick = pick
  }

  /** An item comes, with all that follows from it. */
  take(item: SignedItem, source: 'peer' | 'self' = 'peer'): void {
    this.#takeOne(item, source)
    this.#settle()
    this.wait(TICK_MS)
  }

  hear(beat: Beat): void {
    this.naive.hear(beat, this.now)
    this.#handle({ type: 'beat-received', beat, now: at(this.now) })
    agree(this)
  }

  /** Time passes, and a tick. */
  wait(ms: number): void {
    this.now += ms
    this.naive.adopt(this.now)
    this.#handle({ type: 'ticked', now: at(this.now) })
    this.#settle()
    agree(this)
  }

  /** The process dies and starts anew from its disk; what it had judged it judges again before anything else comes. */
  restart(): void {
    const items = [...this.disk].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item)
    this.state = initialState(genesisOf(CHUNKS), MESH_ID, SELF)
    this.#pending = []
    this.naive.restart(items)
    this.#handle({ type: 'items-received', items, now: at(this.now), source: 'disk' })
    for (const input of this.#pending.filter(({ type }) => type === 'proof-checked')) this.#handle(input)
    this.#settle()
    this.wait(TICK_MS)
  }

  #takeOne(item: SignedItem, source: 'peer' | 'self'): void {
    this.past.push(item)
    const { taken, testify, replaced } = this.naive.receive(item, this.now)
    const effects = this.#handle(received(item, source, this.now))
    expect(effects.filter((effect) => effect.type === 'persist').map((effect) => effect.item.id)).toEqual(taken ? [item.id] : [])
    expect(effects.filter((effect) => effect.type === 'publish').map((effect) => effect.item.id)).toEqual(taken && source === 'self' ? [item.id] : [])
    if (replaced !== undefined) expect(effects.flatMap((effect) => (effect.type === 'forget' ? [effect.item.id] : []))).toContain(replaced)
    expect(effects.some((effect) => effect.type === 'author')).toBe(testify)
  }

  #handle(input: Input): readonly Effect[] {
    const { state, effects } = step(this.state, input)
    this.state = state
    for (const effect of effects) this.#perform(effect)
    return effects
  }

  #perform(effect: Effect): void {
    switch (effect.type) {
      case 'persist':
        this.disk.set(naiveKey(effect.item), effect.item)
        return
      case 'forget':
        if (this.disk.get(naiveKey(effect.item))?.id === effect.item.id) this.disk.delete(naiveKey(effect.item))
        return
      case 'publish':
        expect(this.disk.get(naiveKey(effect.item))?.id).toBe(effect.item.id)
        return
      case 'author':
        return this.#takeOne(signed(effect.item as never), 'self')
      case 'epoch-closed': {
        const seal = draftSeal(this.state, effect.closed, new Uint8Array(32))
        if (seal !== undefined) this.#takeOne(signed<'seal'>({ kind: 'seal', value: seal }), 'self')
        return
      }
      case 'fetch-layer':
        this.#pending.push(
          this.naive.badLayers.has(effect.head.id)
            ? { type: 'layer-refused', head: effect.head, reason: 'bad' }
            : { type: 'layer-ready', head: effect.head },
        )
        return
      case 'fetch-leaves': {
        const { claim } = effect
        const values = this.leaves.get(claim.id) ?? valuesOf(claim.value.epoch, claim.value.run)
        this.#pending.push(
          this.naive.unfit.has(claim.id) ? { type: 'leaves-refused', claim, reason: 'unfit' } : { type: 'leaves-ready', claim, values },
        )
        return
      }
      case 'check-proof':
        this.#pending.push(checked(effect.proof))
        return
      case 'compare-leaves':
      case 'fold':
      case 'report':
        return
      default:
        return effect satisfies never
    }
  }

  #settle(): void {
    while (this.#pending.length > 0) for (const input of this.#pending.splice(this.#pick() % this.#pending.length, 1)) this.#handle(input)
    this.naive.settle()
  }
}

/** Everything that can be asked of the real state has the answer that the naive mesh gives. */
export function agree({ state, naive, now, disk }: MeshPair): void {
  const held: string[] = Array.from(allItems(state), ({ id }) => id)
  const stored: string[] = Array.from(disk.values(), ({ id }) => id)
  expect(held.sort(compareText)).toEqual(naive.inventory())
  expect(stored.sort(compareText)).toEqual(naive.inventory())
  expect(bytesToHex(stateDigest(state))).toBe(naive.digest())
  expect(rosterHash(state)).toBe(naive.rosterHash())
  const suspects = [...state.roster.keys(), ...state.exclusions.keys()]
  expect(
    suspects.map((name) => [name, (state.exclusions.get(name)?.windows ?? []).map(({ cause, from, until }) => ({ cause, from, until }))]),
  ).toEqual(suspects.map((name) => [name, naive.windows(name)]))
  expect(state.repairing).toEqual(new Set(naive.repairing()))
  expect(state.epoch).toBe(naive.epoch)
  expect(state.closed.map(({ epoch, how }) => [epoch, how])).toEqual(naive.closed.map(({ epoch, how }) => [epoch, how]))
  for (const [i, { xor }] of naive.closed.entries()) if (xor !== 'any') expect(state.closed[i]?.xor).toBe(xor)
  for (const epoch of [state.epoch, ...state.repairing]) agreeOnTally(state, naive, epoch)
  expect(consensusHeads(state).map(({ id }) => id)).toEqual(
    [...naive.heads()].sort((a, b) => (a.value.author < b.value.author ? -1 : 1)).map(({ id }) => id),
  )
  const weights = naive.weights()
  for (const [name, weight] of foldWeights(state)) expect(weight * 64).toBe(Number(weights.get(name) ?? 64n))
  expect(state.consensus).toBe(naive.consensus(state.genesis.foldId))
  expect(liveMembers(state, now as Millis)).toEqual(naive.live(now).toSorted(compareText))
}

function agreeOnTally(state: MeshState, naive: NaiveMesh, epoch: bigint): void {
  const tally = state.tallies.get(epoch)
  const covered = (tally?.covered ?? []).flatMap(({ start, count }) => Array.from({ length: count }, (_, i) => start + i))
  expect(covered).toEqual(naive.covered(epoch))
  expect(tally?.chunksCovered ?? 0).toBe(covered.length)
  if (!naive.valid(epoch).some(({ id }) => naive.forged.has(id))) expect(tally?.xor ?? 0n).toBe(trueXor(epoch, covered))
}

function trueXor(epoch: bigint, chunks: readonly number[]): bigint {
  return chunks.reduce((sum, start) => sum ^ xorOf(valuesOf(epoch, { start, count: 1 })), 0n)
}
