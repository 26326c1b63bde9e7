import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { multiaddr } from '@multiformats/multiaddr'
import type { Millis, PeerName } from '@sgsd/consensus'
import { GENESIS_PROTOCOL, type InviteAnswer, inviteId } from '@sgsd/wire'
import { afterEach, describe, expect, test } from 'vitest'
import { fetchGenesis } from './fetch-genesis.ts'
import { createIdentity, openIdentity } from './identity.ts'
import { CallLimit, INVITE_PROTOCOL, type InviteDesk } from './invite-door.ts'
import { createDialler } from './node.ts'
import { guardedNoise, HANDSHAKE_KEY_MISMATCH } from './noise-guard.ts'
import { redeemInvite } from './redeem-invite.ts'
import { GENESIS } from './testing/items.ts'
import { KEY, realNode, type RealNode } from './testing/real-mesh.ts'

const never = new AbortController().signal
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

const SECRET = new Uint8Array(32).fill(3)

/** One invite, good for so many callers. */
class Desk implements InviteDesk {
  readonly callers: PeerName[] = []
  readonly #uses: number

  constructor(uses = 1) {
    this.#uses = uses
  }

  secretOf(id: Uint8Array): Uint8Array | undefined {
    return Buffer.compare(id, inviteId(SECRET)) === 0 ? SECRET : undefined
  }

  redeem(_id: Uint8Array, peer: PeerName): InviteAnswer {
    if (this.callers.length >= this.#uses) return { granted: false, why: 'used', agoMs: 60_000 }
    this.callers.push(peer)
    return { granted: true, genesis: GENESIS, meshKey: KEY }
  }
}

async function node(invites?: InviteDesk): Promise<RealNode> {
  const started = await realNode({ ...(invites === undefined ? {} : { invites }) })
  cleanups.push(() => started.mesh.close())
  return started
}

async function redeem(address: string, secret = SECRET): ReturnType<typeof redeemInvite> {
  return await redeemInvite({ identity: openIdentity(await createIdentity()), address, secret }, never)
}

describe('a one-time invite over real sockets', () => {
  test('its holder gets genesis and key, on the port of the mesh; the key then works', async () => {
    const { addr, identity, mesh } = await node(new Desk())
    const got = await redeem(addr)
    expect(got).toEqual({ genesis: GENESIS, meshKey: KEY, peer: identity.peer })
    expect(mesh.links()).toEqual([])
    const joined = await fetchGenesis({ identity: openIdentity(await createIdentity()), meshKey: got.meshKey, address: addr }, never)
    expect(joined.genesis).toEqual(GENESIS)
  })

  test('the desk hears the peer id that the handshake proved', async () => {
    const desk = new Desk()
    const { addr } = await node(desk)
    const identity = openIdentity(await createIdentity())
    await redeemInvite({ identity, address: addr, secret: SECRET }, never)
    expect(desk.callers).toEqual([identity.peer])
  })

  test('of callers at the same time exactly as many get in as there are uses; the others are told why', async () => {
    const desk = new Desk(1)
    const { addr } = await node(desk)
    const results = await Promise.allSettled(Array.from({ length: 4 }, () => redeem(addr)))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'INVITE_REFUSED', data: { why: 'used', agoMs: 60_000 } })
    }
    expect(desk.callers).toHaveLength(1)
  })

  test('another secret is unknown, another peer is noticed, and neither reaches the desk', async () => {
    const desk = new Desk()
    const { addr } = await node(desk)
    await expect(redeem(addr, new Uint8Array(32).fill(4))).rejects.toMatchObject({ code: 'INVITE_REFUSED', data: { why: 'unknown' } })
    const stranger = openIdentity(await createIdentity()).peer
    await expect(redeem(addr.replace(/12D3KooW\w+/, stranger))).rejects.toMatchObject({ code: 'PEER_MISMATCH' })
    expect(desk.callers).toEqual([])
  })

  test('who knows the id of an invite but not its secret fails the handshake and uses nothing up', async () => {
    const desk = new (class extends Desk {
      override secretOf(): Uint8Array {
        return SECRET
      }
    })()
    const { addr } = await node(desk)
    await expect(redeem(addr, new Uint8Array(32).fill(5))).rejects.toMatchObject({ code: 'KEY_MISMATCH' })
    expect(desk.callers).toEqual([])
  })

  test('a node that answers no invites is NOT_A_MESH to a caller', async () => {
    const { addr } = await node()
    await expect(redeem(addr)).rejects.toMatchObject({ code: 'NOT_A_MESH' })
  })

  test('nobody there, no peer named, and oneself are told apart', async () => {
    const identity = openIdentity(await createIdentity())
    const at = (address: string): Promise<unknown> => redeemInvite({ identity, address, secret: SECRET }, never)
    await expect(at(`/ip4/127.0.0.1/tcp/1/p2p/${openIdentity(await createIdentity()).peer}`)).rejects.toMatchObject({ code: 'DIAL_REFUSED' })
    await expect(at('/ip4/127.0.0.1/tcp/1')).rejects.toMatchObject({ code: 'ADDRESS_INVALID' })
    await expect(at(`/ip4/127.0.0.1/tcp/1/p2p/${identity.peer}`)).rejects.toMatchObject({ code: 'DIALLED_SELF' })
  })
})

describe('callers that misbehave', () => {
  test('a caller that stalls, floods or breaks off leaves the door open for others', async () => {
    const { addr } = await node(new Desk())
    const port = Number(/\/tcp\/(\d+)\//.exec(addr)![1])
    const line = (text: string): Buffer => Buffer.concat([Buffer.of(text.length + 1), Buffer.from(`${text}\n`)])
    const hello = Buffer.concat([line('/multistream/1.0.0'), line(INVITE_PROTOCOL)])
    const after = [Buffer.of(0xff, 0xff, 0xff, 0xff, 0x7f), Buffer.of(3, 1, 2, 3), Buffer.alloc(1_000, 0x41), Buffer.alloc(0)]
    for (const bytes of after) {
      const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.concat([hello, bytes])))
      socket.on('error', () => undefined).resume()
      cleanups.push(() => socket.destroy())
    }
    await expect(redeem(addr)).resolves.toMatchObject({ meshKey: KEY })
  })

  test('calls are bounded: four at once, sixty a minute', () => {
    const limit = new CallLimit()
    const at = (ms: number): Millis => ms as Millis
    expect(Array.from({ length: 5 }, () => limit.begin(at(0)))).toEqual([true, true, true, true, false])
    for (let i = 0; i < 4; i++) limit.done()
    let taken = 4
    for (; limit.begin(at(1)); taken++) limit.done()
    expect(taken).toBe(60)
    expect(limit.begin(at(500))).toBe(false)
    expect(limit.begin(at(1_200))).toBe(true)
  })
})

test('1,000 dials without the key open no stream; one with it does', { timeout: 60_000 }, async () => {
  const { addr } = await node(new Desk())
  const dialler = async (meshKey: Uint8Array | undefined): Promise<() => Promise<boolean>> => {
    const outsider = await createDialler(openIdentity(await createIdentity()), guardedNoise(meshKey, { metSelf: () => undefined }))
    await outsider.start()
    cleanups.push(() => outsider.stop())
    return async () => {
      const connection = await outsider.dial(multiaddr(addr), { signal: AbortSignal.timeout(5_000) })
      await connection.newStream(GENESIS_PROTOCOL)
      return true
    }
  }
  const outsiders = [await dialler(undefined), await dialler(new Uint8Array(32).fill(9))]
  const reasons = new Map<string, number>()
  let opened = 0
  for (let i = 0; i < 1_000; i++) {
    try {
      if (await outsiders[i % 2]!()) opened += 1
    } catch (error) {
      const reason = (error as Error).message.startsWith(HANDSHAKE_KEY_MISMATCH) ? 'key' : 'other'
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
    }
  }
  expect(opened).toBe(0)
  // beyond 50 a second from one host the listener does not even shake hands
  expect(reasons.get('key')).toBeGreaterThanOrEqual(50)
  await sleep(1_100)
  await expect((await dialler(KEY))()).resolves.toBe(true)
})
