import type { Millis, PeerName } from '@sgsd/consensus'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MAX_PARALLEL_DIALS, RedialPlan, type Hint } from './redial.ts'

const at = (ms: number): Millis => ms as Millis
const named = (peer: string, ...addrs: string[]): Hint => ({
  id: peer,
  peer: peer as PeerName,
  addrs: addrs.length > 0 ? addrs : [`/ip4/10.0.0.1/tcp/${peer.length}`],
})
const nobody = (): boolean => false
const plan = (self = 'm'): RedialPlan => new RedialPlan(self as PeerName, () => 0.5)
const ids = (due: readonly { id: string }[]): string[] => due.map(({ id }) => id)

describe('whom to dial when', () => {
  test('a bootstrap address is due at once, whatever its peer id', () => {
    const p = plan()
    p.replace('bootstrap', [named('a'), named('z')], at(0))
    expect(ids(p.due(at(0), nobody))).toEqual(['a', 'z'])
  })

  test('the higher peer id leaves the first dial of an mDNS find to the lower one', () => {
    const p = plan()
    p.replace('mdns', [named('a'), named('z')], at(0))
    expect(ids(p.due(at(0), nobody))).toEqual(['z'])
    expect(ids(p.due(at(2_000), nobody))).toEqual(['a'])
  })

  test('never itself, and not who is connected', () => {
    const p = plan()
    p.replace('bootstrap', [named('m'), named('b')], at(0))
    expect(ids(p.due(at(0), (peer) => peer === 'b'))).toEqual([])
    expect(ids(p.due(at(0), nobody))).toEqual(['b'])
  })

  test('a dial in flight is not handed out again', () => {
    const p = plan()
    p.replace('bootstrap', [named('b')], at(0))
    p.due(at(0), nobody)
    expect(p.due(at(99_000), nobody)).toEqual([])
  })

  test('parallel dials are bounded, and a finished one makes room', () => {
    const p = plan()
    p.replace(
      'bootstrap',
      Array.from({ length: 20 }, (_, i) => named(`p${i}`)),
      at(0),
    )
    expect(p.due(at(0), nobody)).toHaveLength(MAX_PARALLEL_DIALS)
    expect(p.due(at(0), nobody)).toHaveLength(0)
    p.failed('p0', 'DIAL_TIMEOUT', at(1))
    expect(ids(p.due(at(1), nobody))).toEqual(['p8'])
  })

  test('a failing peer is tried every 3 to 8 s after the first tries: a healed partition closes within 15 s', () => {
    const p = plan()
    p.replace('roster', [named('z')], at(0))
    let now = at(0)
    const gaps: number[] = []
    for (let i = 0; i < 20; i++) {
      expect(p.due(now, nobody)).toHaveLength(1)
      const next = p.failed('z', 'DIAL_TIMEOUT', now)
      gaps.push(next - now)
      now = next
    }
    expect(gaps.slice(0, 3)).toEqual([1_000, 2_000, 4_000])
    expect(Math.max(...gaps)).toBeLessThanOrEqual(7_500)
  })

  test('a peer that refuses the key is left alone for a minute, then longer; a stranger does not make us spin', () => {
    const p = plan()
    p.replace('mdns', [named('z')], at(0))
    let now = at(0)
    let dials = 0
    while (now < 3_600_000) {
      for (const due of p.due(now, nobody)) {
        dials++
        p.failed(due.id, 'KEY_MISMATCH', now)
      }
      p.replace('mdns', [named('z', `/ip4/10.0.0.1/tcp/${now}`)], now)
      now = at(now + 500)
    }
    expect(dials).toBeLessThanOrEqual(9)
  })

  test('a peer that shows up at a new address after failures is due at once', () => {
    const p = plan()
    p.replace('bootstrap', [named('z', '/ip4/10.0.0.1/tcp/1')], at(0))
    for (let i = 0; i < 8; i++) {
      p.due(at(i * 10_000), nobody)
      p.failed('z', 'DIAL_REFUSED', at(i * 10_000))
    }
    expect(p.due(at(70_100), nobody)).toEqual([])
    p.replace('mdns', [named('z', '/ip4/10.0.0.1/tcp/2')], at(70_100))
    expect(p.due(at(70_100), nobody)[0]?.addrs).toContain('/ip4/10.0.0.1/tcp/2')
  })

  test('addresses rotate with each failure, so that a dead first one does not hide the others', () => {
    const p = plan()
    p.replace('bootstrap', [named('z', 'a1', 'a2', 'a3')], at(0))
    expect(p.due(at(0), nobody)[0]?.addrs).toEqual(['a1', 'a2', 'a3'])
    p.failed('z', 'DIAL_TIMEOUT', at(0))
    expect(p.due(at(10_000), nobody)[0]?.addrs).toEqual(['a2', 'a3', 'a1'])
  })

  test('a lost peer is dialled within a second by the lower id, after a wait by the higher', () => {
    for (const [peer, soonest, latest] of [
      ['z', 250, 750],
      ['a', 1_750, 2_250],
    ] as const) {
      const p = plan()
      p.replace('roster', [named(peer)], at(0))
      p.due(at(5_000), nobody)
      p.succeeded(peer, peer as PeerName)
      p.lost(peer as PeerName, at(10_000))
      expect(p.due(at(10_000 + soonest - 1), nobody)).toEqual([])
      expect(ids(p.due(at(10_000 + latest), nobody))).toEqual([peer])
    }
  })

  test('an address without a peer id learns who answers, and is dialled again, for whoever answers, once that peer is gone', () => {
    const p = plan()
    p.replace('tailscale', [{ id: 'n1', peer: undefined, addrs: ['/ip4/100.64.0.7/tcp/42069'] }], at(0))
    const [due] = p.due(at(0), nobody)
    expect(due?.peer).toBeUndefined()
    p.succeeded(due?.id ?? '', 'q' as PeerName)
    expect(p.due(at(60_000), (peer) => peer === 'q')).toEqual([])
    expect(p.due(at(60_000), nobody)[0]?.peer).toBeUndefined()
  })

  test('a source that no longer names a peer drops it, unless another source does', () => {
    const p = plan()
    p.replace('mdns', [named('x'), named('z')], at(0))
    p.replace('roster', [named('z')], at(0))
    p.replace('mdns', [], at(0))
    expect([p.count('mdns'), p.count('roster')]).toEqual([0, 1])
    expect(ids(p.due(at(10_000), nobody))).toEqual(['z'])
  })

  test('a flood of invented peers is bounded, and does not keep members from being dialled', () => {
    const p = plan()
    p.replace(
      'mdns',
      Array.from({ length: 5_000 }, (_, i) => named(`p${i}`)),
      at(0),
    )
    expect(p.count('mdns')).toBe(512)
    p.replace('roster', [named('z')], at(0))
    expect(p.count('roster')).toBe(1)
  })

  test('any sequence of events: dials in flight stay bounded and nobody connected is dialled', () => {
    const peer = fc.constantFrom('a', 'b', 'c', 'x', 'y', 'z')
    const event = fc.oneof(
      fc.record({ type: fc.constant('offer' as const), source: fc.constantFrom('mdns' as const, 'roster' as const), peers: fc.array(peer) }),
      fc.record({ type: fc.constant('fail' as const), peer }),
      fc.record({ type: fc.constant('win' as const), peer }),
      fc.record({ type: fc.constant('lose' as const), peer }),
    )
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const p = plan()
        const connected = new Set<string>()
        const flying = new Set<string>()
        let now = 0
        for (const one of events) {
          now += 700
          if (one.type === 'offer')
            p.replace(
              one.source,
              one.peers.map((name) => named(name)),
              at(now),
            )
          else if (one.type === 'fail' && flying.delete(one.peer)) p.failed(one.peer, 'DIAL_TIMEOUT', at(now))
          else if (one.type === 'win' && flying.delete(one.peer)) {
            p.succeeded(one.peer, one.peer as PeerName)
            connected.add(one.peer)
          } else if (one.type === 'lose' && connected.delete(one.peer)) p.lost(one.peer as PeerName, at(now))
          for (const due of p.due(at(now), (name) => connected.has(name))) {
            expect(connected.has(due.id)).toBe(false)
            expect(due.addrs.length).toBeGreaterThan(0)
            flying.add(due.id)
          }
        }
        expect(flying.size).toBeLessThanOrEqual(MAX_PARALLEL_DIALS)
      }),
    )
  })
})
