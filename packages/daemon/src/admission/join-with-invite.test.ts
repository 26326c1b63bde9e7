import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { initialState, type PeerName, stateDigest } from '@sgsd/consensus'
import { createIdentity, type Mesh, openIdentity, openMesh } from '@sgsd/mesh'
import { openStore, type Store } from '@sgsd/store'
import { formatOneTimeInvite } from '@sgsd/wire'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Credentials, initDataDir, joinMesh, readCredentials } from '../membership.ts'
import { InviteBook } from './invite-book.ts'
import type { InviteRecord } from './invite-record.ts'

const HOUR = 3_600_000
const LOOPBACK = { listen: ['/ip4/127.0.0.1/tcp/0'] }

let root: string
let now: number
let inviter: Inviter
const cleanups: (() => Promise<unknown>)[] = []

/** As much of a running member as an invite needs: its directory, its store, its port. */
interface Inviter {
  readonly credentials: Credentials
  readonly book: InviteBook
  readonly mesh: Mesh
  readonly revoked: Set<PeerName>
}

const at = (name: string): string => join(root, name)

async function startInviter(name: string, meshName = 'grove'): Promise<Inviter> {
  await initDataDir(at(name), { meshName, name, ...LOOPBACK })
  const credentials = await readCredentials(at(name))
  const store: Store = await openStore(at(name))
  cleanups.push(() => store.close())
  const revoked = new Set<PeerName>()
  const book = new InviteBook({
    notes: store.items,
    wallNow: () => now,
    isRevoked: (peer) => revoked.has(peer),
    genesis: credentials.genesisBytes,
    meshKey: credentials.meshKey,
  })
  const state = initialState(credentials.genesis, credentials.meshId, credentials.identity.peer)
  const mesh = await openMesh({
    identity: credentials.identity,
    meshId: credentials.meshId,
    meshKey: credentials.meshKey,
    ...LOOPBACK,
    bootstrap: [],
    mdns: false,
    tailscale: false,
    invites: book,
    handlers: {
      onGossip: () => ({ type: 'ignore', reason: 'not in this test' }),
      genesis: () => credentials.genesisBytes,
      syncDigest: () => stateDigest(state),
      inventory: () => [],
      itemsMissingFrom: () => [],
      onItems: () => ({ type: 'accept', value: undefined }),
      readBlock: async () => undefined,
    },
  })
  cleanups.push(() => mesh.close())
  return { credentials, book, mesh, revoked }
}

const lineOf = ({ secret }: InviteRecord, { mesh }: Inviter = inviter): string =>
  formatOneTimeInvite(mesh.multiaddrs()[0]!, Buffer.from(secret, 'hex'))

const failure = (work: Promise<unknown>): Promise<{ code: string; message: string; hint: string }> =>
  work.then(
    () => Promise.reject(new Error('it was let in')),
    (error: { code: string; message: string; hint: string }) => error,
  )

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'sgsd-join-'))
  now = 1_800_000_000_000
  inviter = await startInviter('a')
})

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
  await rm(root, { recursive: true, force: true })
})

describe('join with a one-time invite, over real sockets', () => {
  test('writes the same genesis and key as the inviter has, the key for its owner alone', async () => {
    const invite = inviter.book.make()
    const joined = await joinMesh(at('b'), lineOf(invite), LOOPBACK)
    expect(joined).toMatchObject({ meshId: inviter.credentials.meshId, meshName: 'grove', via: inviter.credentials.identity.peer })
    const b = await readCredentials(at('b'))
    expect(b.meshKey).toEqual(inviter.credentials.meshKey)
    expect(b.genesisBytes).toEqual(inviter.credentials.genesisBytes)
    expect((await stat(join(at('b'), 'mesh.key'))).mode & 0o777).toBe(0o600)
    expect(JSON.parse(await readFile(join(at('b'), 'config.json'), 'utf8'))).toMatchObject({ bootstrap: [inviter.mesh.multiaddrs()[0]] })
    expect(inviter.book.list()[0]?.callers).toEqual([joined.peerId])
  })

  test('one that was used up, expired, taken back, or made by nobody here is refused with the reason and what to do', async () => {
    const used = inviter.book.make()
    const expired = inviter.book.make({ ttlMs: HOUR })
    const taken = inviter.book.make()
    await joinMesh(at('b'), lineOf(used), LOOPBACK)
    inviter.book.revoke(taken.number)
    now += 4 * HOUR
    const hint = 'ask for a new one: sgsd invite'
    const refusals: [InviteRecord, string][] = [
      [used, 'this invite has been used up, 4 h ago'],
      [expired, 'this invite expired 3 h ago'],
      [taken, 'this invite was taken back 4 h ago'],
    ]
    for (const [invite, message] of refusals) {
      expect(await failure(joinMesh(at('c'), lineOf(invite), LOOPBACK))).toMatchObject({ code: 'INVITE_REFUSED', message, hint })
    }
    const forged = formatOneTimeInvite(inviter.mesh.multiaddrs()[0]!, new Uint8Array(32).fill(1))
    expect(await failure(joinMesh(at('c'), forged, LOOPBACK))).toMatchObject({
      code: 'INVITE_REFUSED',
      message: expect.stringContaining('did not make'),
      hint,
    })
    await expect(stat(join(at('c'), 'genesis.bin'))).rejects.toThrow('ENOENT')
    await expect(stat(join(at('c'), 'mesh.key'))).rejects.toThrow('ENOENT')
  })

  test('a foreign one leads to its own mesh, or nowhere: put before another peer it is refused before anything is dialled', async () => {
    const other = await startInviter('x', 'oak')
    const foreign = other.book.make()
    const mixed = lineOf(foreign, other).replace(/12D3KooW\w+/, inviter.credentials.identity.peer)
    expect(await failure(joinMesh(at('c'), mixed, LOOPBACK))).toMatchObject({ code: 'INVITE_INVALID' })
    const here = formatOneTimeInvite(inviter.mesh.multiaddrs()[0]!, Buffer.from(foreign.secret, 'hex'))
    expect(await failure(joinMesh(at('c'), here, LOOPBACK))).toMatchObject({ code: 'INVITE_REFUSED' })
    const strange = openIdentity(await createIdentity()).peer
    const moved = inviter.mesh.multiaddrs()[0]!.replace(/12D3KooW\w+/, strange)
    const elsewhere = formatOneTimeInvite(moved, Buffer.from(inviter.book.make().secret, 'hex'))
    expect(await failure(joinMesh(at('c'), elsewhere, LOOPBACK))).toMatchObject({ code: 'JOIN_PEER_MISMATCH' })
  })

  test('a member of another mesh is told so, and the invite is left to others', async () => {
    await initDataDir(at('d'), { meshName: 'oak', ...LOOPBACK })
    const invite = inviter.book.make()
    expect(await failure(joinMesh(at('d'), lineOf(invite), LOOPBACK))).toMatchObject({ code: 'OTHER_MESH' })
    expect((await readCredentials(at('d'))).genesis.name).toBe('oak')
    expect(inviter.book.list()[0]?.callers).toEqual([])
  })

  test('a changed line is told from a spent one, before anything is dialled', async () => {
    const line = lineOf(inviter.book.make())
    const tampered = line.slice(0, -1) + (line.endsWith('A') ? 'B' : 'A')
    expect(await failure(joinMesh(at('c'), tampered, LOOPBACK))).toMatchObject({
      code: 'INVITE_INVALID',
      message: expect.stringMatching(/does not belong to the peer id/),
    })
    expect(inviter.book.list()[0]?.callers).toEqual([])
  })

  test('of five machines at once with an invite for one, exactly one comes in', async () => {
    const line = lineOf(inviter.book.make())
    const results = await Promise.allSettled(['b', 'c', 'd', 'e', 'f'].map((name) => joinMesh(at(name), line, LOOPBACK)))
    const inside = results.filter(({ status }) => status === 'fulfilled')
    expect(inside).toHaveLength(1)
    for (const result of results) {
      if (result.status === 'rejected') expect(['INVITE_REFUSED', 'JOIN_FAILED']).toContain((result.reason as { code: string }).code)
    }
  })

  test('joining again with it costs no second use, and needs none', async () => {
    const invite = inviter.book.make()
    await joinMesh(at('b'), lineOf(invite), LOOPBACK)
    await expect(joinMesh(at('b'), lineOf(invite), LOOPBACK)).resolves.toMatchObject({ meshName: 'grove' })
    const fresh = inviter.book.make()
    await joinMesh(at('b'), lineOf(fresh), LOOPBACK)
    expect(inviter.book.list().map(({ callers }) => callers.length)).toEqual([1, 0])
  })

  test('a node that the mesh has revoked is let in by none', async () => {
    const { peerId } = await joinMesh(at('b'), lineOf(inviter.book.make()), LOOPBACK)
    for (const file of ['genesis.bin', 'mesh.key']) await rm(join(at('b'), file))
    inviter.revoked.add(peerId)
    expect(await failure(joinMesh(at('b'), lineOf(inviter.book.make()), LOOPBACK))).toMatchObject({
      code: 'INVITE_REFUSED',
      message: 'a member has revoked this node: no invite lets it in',
    })
  })
})
