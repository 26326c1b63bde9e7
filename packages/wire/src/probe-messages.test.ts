import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ALICE, BOB, idOf, MESH_ID, verifySignature } from '../testing/member.ts'
import { openProbe, openProbeAnswer, type Probe, type ProbeAnswer, probeId, signProbe, signProbeAnswer } from './probe-messages.ts'

const PROBE: Probe = { mesh: MESH_ID, prober: ALICE.peer, candidate: BOB.peer, nonce: idOf('nonce'), first: (1n << 42n) + 5n, chunks: 3 }
const EXPECTED = { mesh: MESH_ID, prober: ALICE.peer, candidate: BOB.peer }
const ANSWER: ProbeAnswer = { candidate: BOB.peer, probe: probeId(PROBE), status: 'done', values: BigUint64Array.of(1n, 2n ** 64n - 1n, 3n) }

describe('a probe (docs/protocol.md §10.5)', () => {
  test('comes back to the one it is for', () => {
    expect(openProbe(signProbe(PROBE, ALICE.sign), EXPECTED, verifySignature)).toEqual({ type: 'accept', value: PROBE })
  })

  test.each([
    ['for another candidate', { candidate: ALICE.peer }, 'a probe for another candidate'],
    ['in another name', { prober: BOB.peer }, 'a probe in the name of another peer'],
    ['of another mesh', { mesh: idOf('mesh') }, 'a probe of another mesh'],
    ['of more chunks than anybody has to compute', { chunks: 65 }, 'chunks is no whole number in [1, 64]'],
    ['of nothing', { chunks: 0 }, 'chunks is no whole number in [1, 64]'],
  ] as [string, Partial<Probe>, string][])('%s is refused', (_, changes, reason) => {
    expect(openProbe(signProbe({ ...PROBE, ...changes }, ALICE.sign), EXPECTED, verifySignature)).toEqual({ type: 'reject', reason })
  })

  test('that its prober did not sign is refused', () => {
    expect(openProbe(signProbe(PROBE, BOB.sign), EXPECTED, verifySignature).type).toBe('reject')
  })
})

describe('an answer', () => {
  const open = (answer: ProbeAnswer, probe = PROBE, sign = BOB.sign): unknown =>
    openProbeAnswer(signProbeAnswer(answer, sign), probe, verifySignature)

  test('comes back to the one who asked', () => {
    expect(open(ANSWER)).toEqual({ type: 'accept', value: ANSWER })
    const busy: ProbeAnswer = { ...ANSWER, status: 'busy', values: new BigUint64Array() }
    expect(open(busy)).toEqual({ type: 'accept', value: busy })
  })

  test('to another nonce, or another range, is a replay and is refused', () => {
    for (const changes of [{ nonce: idOf<string>('other') }, { first: 7n }, { chunks: 4 }, { prober: BOB.peer }]) {
      expect(open(ANSWER, { ...PROBE, ...changes })).toEqual({ type: 'reject', reason: 'an answer to another probe' })
    }
  })

  test('of another peer, without its signature, or of another length is refused', () => {
    expect(open({ ...ANSWER, candidate: ALICE.peer })).toMatchObject({ reason: 'an answer in the name of another peer' })
    expect(open(ANSWER, PROBE, ALICE.sign)).toMatchObject({ reason: 'the signature is not the one of the candidate' })
    expect(open({ ...ANSWER, values: BigUint64Array.of(1n) })).toMatchObject({ reason: '8 bytes of values where 24 belong' })
    expect(open({ ...ANSWER, status: 'busy' })).toMatchObject({ reason: '24 bytes of values where 0 belong' })
  })
})

test('no bytes make either throw', () => {
  const valid = [signProbe(PROBE, ALICE.sign), signProbeAnswer(ANSWER, BOB.sign)]
  fc.assert(
    fc.property(fc.constantFrom(...valid), fc.nat(), fc.nat({ max: 255 }), fc.nat({ max: 400 }), (bytes, at, value, end) => {
      const changed = bytes.slice(0, end)
      if (changed.length > 0) changed[at % changed.length] = value
      const types = [openProbe(changed, EXPECTED, verifySignature).type, openProbeAnswer(changed, PROBE, verifySignature).type]
      return types.every((type) => type === 'reject' || Buffer.compare(changed, bytes) === 0)
    }),
  )
})
