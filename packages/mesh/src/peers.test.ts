import type { Millis, PeerName } from '@sgsd/consensus'
import { describe, expect, test } from 'vitest'
import { Peers } from './peers.ts'

const P = 'p' as PeerName
const at = (ms: number): Millis => ms as Millis

describe('who is connected, and who has joined', () => {
  test('a connection is no member until it joins; joining counts once per connection', () => {
    const peers = new Peers()
    peers.connected(P, at(0))
    expect(peers.joined()).toEqual([])
    expect(peers.join(P, at(40))).toBe(true)
    expect(peers.join(P, at(50))).toBe(false)
    expect(peers.joined()).toEqual([P])
    expect(peers.disconnected(P)).toBe(true)
    expect(peers.disconnected(P)).toBe(false)
    expect(peers.join(P, at(60))).toBe(true)
  })

  test('who never joins is a stranger after 20 s, and only then', () => {
    const peers = new Peers()
    peers.connected(P, at(0))
    expect(peers.strangers(at(20_000))).toEqual([])
    expect(peers.strangers(at(20_001))).toEqual([P])
    peers.join(P, at(20_002))
    expect(peers.strangers(at(99_000))).toEqual([])
  })

  test('a second connection of the same peer does not restart its patience', () => {
    const peers = new Peers()
    peers.connected(P, at(0))
    peers.connected(P, at(15_000))
    expect(peers.strangers(at(21_000))).toEqual([P])
  })

  test('a joined peer that is missing among the subscribers for 10 s is deaf; a short gap is nothing', () => {
    const peers = new Peers()
    peers.join(P, at(0))
    const nobody = new Set<string>()
    expect(peers.deaf(new Set([P]), at(5_000))).toEqual([])
    expect(peers.deaf(nobody, at(14_000))).toEqual([])
    expect(peers.deaf(new Set([P]), at(14_500))).toEqual([])
    expect(peers.deaf(nobody, at(24_000))).toEqual([])
    expect(peers.deaf(nobody, at(24_501))).toEqual([P])
  })
})
