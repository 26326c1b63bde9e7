import type { PeerName } from '../ids.ts'
import type { Equivocation } from '../items.ts'
import type { ClosedEpoch, Effect, Input, MeshState } from '../state.ts'
import { step } from '../step.ts'
import { chunkValue } from './chunk-value.ts'
import { claimedValues, firstForged, type World } from './world.ts'

/** What came of one tick's inputs. */
export interface Advance {
  readonly state: MeshState
  readonly closed: readonly ClosedEpoch[]
  /** Evidence to sign and author, of whoever saw it. */
  readonly evidence: readonly Equivocation[]
  readonly excluded: readonly PeerName[]
  /** Everything that was decided, as text. */
  readonly decisions: string
}

/** Answers lead to answers: claims that were waiting, an epoch that closes. More rounds than this are a loop. */
const MAX_ROUNDS = 256

/** Takes inputs, and what their effects bring, until nothing is left to do in this tick. A pure function of its arguments. */
export function advance(world: World, start: MeshState, inputs: readonly Input[]): Advance {
  const closed: ClosedEpoch[] = []
  const evidence: Equivocation[] = []
  const excluded: PeerName[] = []
  const decisions: string[] = []
  let state = start
  let pending = inputs
  for (let round = 0; pending.length > 0; round++) {
    if (round === MAX_ROUNDS) throw new Error(`a tick of the simulation did not come to rest in ${MAX_ROUNDS} rounds`)
    const result = step(state, { type: 'batched', inputs: pending })
    state = result.state
    const answers: Input[] = []
    for (const effect of result.effects) {
      answers.push(...answersTo(world, effect))
      if (effect.type === 'epoch-closed') {
        closed.push(effect.closed)
        decisions.push(`closed ${effect.closed.epoch} ${effect.closed.xor} ${effect.closed.how}`)
      } else if (effect.type === 'author' && effect.item.kind === 'equivocation') evidence.push(effect.item.value)
      else if (effect.type === 'report') {
        decisions.push(`${effect.what} ${effect.peer} ${effect.detail}`)
        if (effect.what === 'excluded') excluded.push(effect.peer!)
      }
    }
    pending = answers
  }
  return { state, closed, evidence, excluded, decisions: decisions.join('\n') }
}

/** Layers are always to be had; leaves are, but for those of withholders; a proof's chunk is recomputed. */
function answersTo(world: World, effect: Effect): readonly Input[] {
  switch (effect.type) {
    case 'fetch-layer':
      return [{ type: 'layer-ready', head: effect.head }]
    case 'fetch-leaves': {
      const { claim } = effect
      if (world.byPeer.get(claim.value.author)!.role === 'withholder') return []
      return [{ type: 'leaves-ready', claim, values: claimedValues(world, claim.value) }]
    }
    case 'check-proof': {
      const { proof } = effect
      return [{ type: 'proof-checked', proof, computed: chunkValue(world.key, Number(proof.value.claim.value.epoch), proof.value.chunk) }]
    }
    case 'compare-leaves': {
      const [one, other] = effect.claims
      const chunk = firstForged(world, { ...one.value, run: effect.overlap }) ?? firstForged(world, { ...other.value, run: effect.overlap })
      return chunk === undefined ? [] : [{ type: 'leaves-differ', claims: effect.claims, chunk }]
    }
    case 'persist':
    case 'forget':
    case 'publish':
    case 'author':
    case 'fold':
    case 'epoch-closed':
    case 'report':
      return []
  }
}
