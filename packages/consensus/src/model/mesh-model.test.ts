import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { LayerId } from '../ids.ts'
import type { Item, SignedItem, SignedRival } from '../items.ts'
import { beat, claim, digestOf, equivocation, forgedClaim, head, op, peer, proof, receipt, record, seal, signed, valuesOf } from '../mesh.fixture.ts'
import { CHUNKS, MeshPair } from './mesh-pair.fixture.ts'

/** Another one in each run; it stands in the test's name. */
const SEED = Date.now() % 2 ** 31
const RUNS = 120
const COMMANDS = 50

const MEMBERS = ['self', 'a', 'b', 'c', 'd']
const name = fc.constantFrom(...MEMBERS, 'stranger')
const RUNS_OF_CHUNKS = [
  { start: 0, count: 4 },
  { start: 4, count: 4 },
  { start: 0, count: 8 },
  { start: 2, count: 4 },
  { start: 7, count: 1 },
]

/** Counts what happened, so that a test that never closes an epoch can be told from one that does. */
const reached = { closed: 0, adopted: 0, excluded: 0, mended: 0, weighted: 0, restarts: 0 }

/** Everything is relative to the epoch that is open: commands go on making sense when others before them are left out. */
abstract class Command implements fc.Command<object, MeshPair> {
  abstract readonly words: string
  abstract apply(pair: MeshPair): void

  check(): boolean {
    return true
  }

  run(_: object, pair: MeshPair): void {
    const before = { repairing: pair.state.repairing.size, excluded: pair.state.exclusions.size }
    this.apply(pair)
    const { state } = pair
    if (before.excluded < state.exclusions.size) reached.excluded += 1
    if (before.repairing > state.repairing.size || before.excluded > state.exclusions.size) reached.mended += 1
    if (pair.naive.weights().size > 0) reached.weighted += 1
  }

  toString(): string {
    return this.words
  }
}

/** Each command is a few numbers; what they mean is in its function. */
function command<T>(label: string, values: fc.Arbitrary<T>, apply: (pair: MeshPair, value: T) => void): fc.Arbitrary<Command> {
  return values.map(
    (value) =>
      new (class extends Command {
        readonly words = `${label} ${fc.stringify(value)}`
        apply(pair: MeshPair): void {
          apply(pair, value)
        }
      })(),
  )
}

const take = (pair: MeshPair, item: SignedItem): void => pair.take(item, item.value.author === 'self' ? 'self' : 'peer')
const isKind =
  <K extends Item['kind']>(kind: K) =>
  (item: SignedItem): item is Extract<SignedItem, { kind: K }> =>
    item.kind === kind
/** The n-th from the end of what came before, of some kind. */
function nth<T>(items: readonly T[], n: number): T | undefined {
  return items.length === 0 ? undefined : items[items.length - 1 - (n % items.length)]
}
const clampedEpoch = (pair: MeshPair, offset: number): bigint => {
  const epoch = pair.naive.epoch + BigInt(offset)
  return epoch < 0n ? 0n : epoch
}
const nextIndex = (pair: MeshPair): number => pair.past.filter(({ kind }) => kind === 'claim').length

const mine = command(
  'claim',
  fc.record({
    author: name,
    ahead: fc.constantFrom(0, 0, 0, 0, 1, 2, 3, -1, -2, -3),
    run: fc.constantFrom(...RUNS_OF_CHUNKS),
    kind: fc.constantFrom('honest', 'honest', 'honest', 'honest', 'forged', 'unfit'),
  }),
  (pair, { author, ahead, run, kind }) => {
    const epoch = clampedEpoch(pair, ahead)
    if (kind === 'forged' && author !== 'self') {
      const { item, values } = forgedClaim(author, epoch, nextIndex(pair), run)
      pair.leaves.set(item.id, values)
      pair.naive.forged.add(item.id)
      return take(pair, item)
    }
    const item = claim(author, epoch, nextIndex(pair), run)
    if (kind === 'unfit') pair.naive.unfit.add(item.id)
    take(pair, item)
  },
)

const accuse = command('accuse', fc.record({ author: name, which: fc.nat(5), chunk: fc.nat(7) }), (pair, { author, which, chunk }) => {
  const lies = pair.past.filter(isKind('claim')).filter(({ id }) => pair.naive.forged.has(id))
  const claimed = nth(which === 5 || lies.length === 0 ? pair.past.filter(isKind('claim')) : lies, which)
  if (claimed === undefined) return
  const { start, count } = claimed.value.run
  const values = pair.leaves.get(claimed.id) ?? valuesOf(claimed.value.epoch, claimed.value.run)
  take(pair, proof(author, claimed, values, start + (chunk % count)))
})

/** A lie that nobody here heard of until its proof comes, at the edges of what earlier lies cost. */
const unheard = command(
  'proof of an unheard lie',
  fc.record({ accuser: name, liar: fc.constantFrom('c', 'd'), after: fc.constantFrom(0, 1, 7, 8, 9, 16, 17, 72, 73, 74) }),
  (pair, { accuser, liar, after }) => {
    const from = pair.naive.windows(peer(liar))[0]?.from ?? pair.naive.epoch
    const { item, values } = forgedClaim(liar, from + BigInt(after), nextIndex(pair), RUNS_OF_CHUNKS[0]!)
    take(pair, proof(accuser, item, values))
  },
)

/**
 * Signs another content for the key and version of something that came before. Not for a claim of an epoch that was closed before the node started anew:
 * it has no account of what that epoch rested on other than the claims that stand.
 */
const rival = command('rival', fc.record({ which: fc.nat(6), witness: fc.option(name) }), (pair, { which, witness }) => {
  const first = nth(
    pair.past.filter((item): item is SignedRival => item.kind === 'claim' || item.kind === 'head' || item.kind === 'record'),
    which,
  )
  if (first === undefined || (first.kind === 'claim' && first.value.epoch === pair.naive.resumed)) return
  const second = otherThan(first, `${pair.past.length}`)
  take(pair, witness === null ? second : equivocation(witness, first, second))
})

const update = command(
  'record',
  fc.record({ author: name, newer: fc.constantFrom(-1, 1, 2), left: fc.boolean() }),
  (pair, { author, newer, left }) => {
    const held = pair.state.roster.get(peer(author))?.value.seq ?? 0n
    const seq = newer < 0 && held === 0n ? 0n : held + BigInt(newer)
    take(pair, record(author, { seq, left: left && author !== 'self' && newer === 2 }))
  },
)

const announce = command('head', fc.record({ author: name, newer: fc.nat(2), bad: fc.constantFrom(false, false, false, true) }), (pair, value) => {
  const held = pair.state.heads.get(peer(value.author))?.value.seq ?? 0n
  const item = head(value.author, held + BigInt(value.newer))
  if (value.bad && !pair.past.some(({ id }) => id === item.id)) pair.naive.badLayers.add(item.id)
  take(pair, item)
})

const close = command(
  'seal',
  fc.record({ author: fc.constantFrom('a', 'b', 'c', 'd', 'stranger'), ahead: fc.integer({ min: -2, max: 5 }), xor: fc.nat(2), revision: fc.nat(1) }),
  (pair, { author, ahead, xor, revision }) => {
    pair.hear(beat(author, BigInt(100 + pair.past.length)))
    take(pair, seal(author, clampedEpoch(pair, ahead), BigInt(xor), { revision }))
  },
)

const decide = command(
  'decision',
  fc.record({
    author: name,
    subject: name,
    readmit: fc.constantFrom(true, true, false),
    newer: fc.nat(2),
    ahead: fc.integer({ min: -2, max: 4 }),
    seqs: fc.nat(6),
  }),
  (pair, { author, subject, readmit, newer, ahead, seqs }) => {
    const seq = pair.past.filter(isKind('op')).reduce((last, { value }) => (value.seq > last ? value.seq : last), 0n)
    const forgiven = readmit ? { headSeq: BigInt(seqs), recordSeq: BigInt(seqs) } : {}
    take(pair, op(author, subject, readmit ? 'readmit' : 'revoke', { seq: seq + BigInt(newer), epoch: clampedEpoch(pair, ahead), ...forgiven }))
  },
)

/** Forgives everything that the one who is out has done up to now, with what decided over it last. */
const forgive = command('forgive', fc.record({ author: name, which: fc.nat(3) }), (pair, { author, which }) => {
  const out = nth(
    [...pair.state.exclusions.keys()].filter((subject) => pair.naive.isExcluded(subject)),
    which,
  )
  if (out === undefined) return
  const seq = pair.past.filter(isKind('op')).reduce((last, { value }) => (value.seq > last ? value.seq : last), 0n) + 1n
  take(pair, op(author, out, 'readmit', { seq, epoch: clampedEpoch(pair, 4), headSeq: 99n, recordSeq: 99n }))
})

const score = command(
  'receipt',
  fc.record({ author: name, which: fc.nat(4), score: fc.nat(16), ahead: fc.constantFrom(0, 0, -9, 3) }),
  (pair, value) => {
    const of = nth(value.which === 0 ? pair.past.filter(isKind('head')) : pair.naive.heads(), value.which)
    if (of !== undefined) take(pair, receipt(value.author, of, value.score / 16, clampedEpoch(pair, value.ahead)))
  },
)

const alive = command('beat', fc.record({ author: name, seq: fc.bigInt({ min: 0n, max: 9n }) }), (pair, { author, seq }) =>
  pair.hear(beat(author, seq)),
)

const replay = command('replay', fc.nat(60), (pair, which) => take(pair, nth(pair.past, which)!))

const wait = command('wait', fc.constantFrom(100, 5_000, 16_000), (pair, ms) => pair.wait(ms))

/** Not amid a repair, nor behind an adopted epoch: of the claims of older epochs than its own seal a node that starts anew has no account. */
const restart = command('restart', fc.constant(0), (pair) => {
  if (pair.state.repairing.size > 0 || pair.naive.closed[0]?.how === 'adopted') return
  reached.restarts += 1
  pair.restart()
})

/** Two halves by two members: how epochs mostly close. */
const closeEpoch = command('both halves', fc.tuple(name, name), (pair, [one, other]) => {
  const { epoch } = pair.naive
  take(pair, claim(one, epoch, nextIndex(pair), RUNS_OF_CHUNKS[0]!))
  take(pair, claim(other, epoch, nextIndex(pair), RUNS_OF_CHUNKS[1]!))
})

const oftenQuiet = [mine, mine, mine, closeEpoch, closeEpoch, closeEpoch, announce, announce, announce, score, score, score, alive, alive, close]
const seldom = [accuse, unheard, rival, decide, forgive, update, replay, wait, restart]
const commands = fc.commands([...oftenQuiet, ...seldom], { maxCommands: COMMANDS, size: 'max' })

test(`random items, lies, restarts and clocks agree with a naive mesh: ${RUNS} runs, seed ${SEED}`, { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(commands, fc.infiniteStream(fc.nat(1_000)), (all, picks) => {
      const pair = new MeshPair(() => picks.next().value as number)
      for (const member of MEMBERS) pair.take(record(member), member === 'self' ? 'self' : 'peer')
      fc.modelRun(() => ({ model: {}, real: pair }), all)
      reached.closed += pair.state.closed.filter(({ how }) => how === 'computed').length
      reached.adopted += pair.state.closed.filter(({ how }) => how === 'adopted').length
    }),
    { numRuns: RUNS, seed: SEED },
  )
  for (const [what, times] of Object.entries(reached)) expect(times, what).toBeGreaterThan(0)
})

function otherThan(item: SignedRival, salt: string): SignedRival {
  if (item.kind === 'record') return signed<'record'>({ kind: 'record', value: { ...item.value, hostName: salt } })
  if (item.kind === 'head') return signed<'head'>({ kind: 'head', value: { ...item.value, layer: digestOf(salt) as LayerId } })
  const { author, epoch, index, run } = item.value
  return claim(author, epoch, index, run.count > 1 ? { start: run.start, count: run.count - 1 } : { start: 0, count: CHUNKS })
}
