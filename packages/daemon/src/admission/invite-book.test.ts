import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PeerName } from '@sgsd/consensus'
import { openStore, type Store } from '@sgsd/store'
import { inviteId } from '@sgsd/wire'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { InviteBook, MAX_OPEN_INVITES } from './invite-book.ts'
import { admit, decodeInviteRecord, encodeInviteRecord, type InviteRecord } from './invite-record.ts'

const GENESIS = Uint8Array.of(1, 2, 3)
const KEY = new Uint8Array(32).fill(7)
const HOUR = 3_600_000
const peer = (name: string): PeerName => name as PeerName

let root: string
let store: Store
let now: number
const revoked = new Set<PeerName>()

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'sgsd-invites-'))
  store = await openStore(root)
  now = 1_800_000_000_000
  revoked.clear()
})

afterEach(async () => {
  await store.close()
  await rm(root, { recursive: true, force: true })
})

const open = (items: ConstructorParameters<typeof InviteBook>[0]['notes'] = store.items): InviteBook =>
  new InviteBook({ notes: items, wallNow: () => now, isRevoked: (one) => revoked.has(one), genesis: GENESIS, meshKey: KEY })

const idOf = (invite: InviteRecord): Uint8Array => inviteId(Buffer.from(invite.secret, 'hex'))

describe('an invite', () => {
  test('lets in once, then tells how long ago that was', () => {
    const book = open()
    const invite = book.make()
    expect(book.secretOf(idOf(invite))).toEqual(Buffer.from(invite.secret, 'hex'))
    expect(book.redeem(idOf(invite), peer('a'))).toEqual({ granted: true, genesis: GENESIS, meshKey: KEY })
    now += 2 * HOUR
    expect(book.redeem(idOf(invite), peer('b'))).toEqual({ granted: false, why: 'used', agoMs: 2 * HOUR })
  })

  test('answers who was let in again until its time is over: an answer may be lost on the way', () => {
    const book = open()
    const invite = book.make({ ttlMs: HOUR })
    for (let i = 0; i < 3; i++) expect(book.redeem(idOf(invite), peer('a')).granted).toBe(true)
    expect(book.list()[0]?.callers).toEqual(['a'])
    now += HOUR
    expect(book.redeem(idOf(invite), peer('a'))).toEqual({ granted: false, why: 'used', agoMs: HOUR })
  })

  test('expires at its time and not before', () => {
    const book = open()
    const invite = book.make({ ttlMs: HOUR, uses: 2 })
    now += HOUR - 1
    expect(book.redeem(idOf(invite), peer('a')).granted).toBe(true)
    now += 1
    expect(book.redeem(idOf(invite), peer('b'))).toEqual({ granted: false, why: 'expired', agoMs: 0 })
    now += 3 * HOUR
    expect(book.redeem(idOf(invite), peer('b'))).toEqual({ granted: false, why: 'expired', agoMs: 3 * HOUR })
  })

  test('taken back lets nobody in, not even whom it let in before', () => {
    const book = open()
    const invite = book.make({ uses: 2 })
    book.redeem(idOf(invite), peer('a'))
    book.revoke(invite.number)
    now += HOUR
    for (const who of ['a', 'b']) expect(book.redeem(idOf(invite), peer(who))).toEqual({ granted: false, why: 'revoked', agoMs: HOUR })
    expect(() => book.revoke(invite.number)).toThrow(/has ended already: revoked/)
    expect(() => book.revoke(99)).toThrow(/no invite 99/)
  })

  test('does not let in whom the mesh has revoked, and is not used up by it', () => {
    const book = open()
    const invite = book.make()
    revoked.add(peer('a'))
    expect(book.redeem(idOf(invite), peer('a'))).toEqual({ granted: false, why: 'excluded', agoMs: 0 })
    expect(book.redeem(idOf(invite), peer('b')).granted).toBe(true)
  })

  test('with n uses lets in exactly n of any callers in any order', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 30 }), (uses, callers) => {
        let invite: InviteRecord = { ...RECORD, uses }
        const inside = new Set<string>()
        for (const caller of callers) {
          const admittance = admit(invite, peer(String(caller)), false, 1_000)
          if (admittance.granted) {
            inside.add(String(caller))
            invite = admittance.burned ?? invite
          }
        }
        expect([...inside]).toEqual([...new Set(callers.map(String))].slice(0, uses))
      }),
    )
  })
})

const RECORD: InviteRecord = {
  number: 1,
  secret: '09'.repeat(32),
  createdAt: 0,
  expiresAt: 10_000,
  uses: 1,
  callers: [],
  lastUsedAt: undefined,
  revokedAt: undefined,
  isFromStart: false,
}

describe('the book', () => {
  test('is on disk: what was burned stays burned after a restart', async () => {
    const invite = open().make()
    open().redeem(idOf(invite), peer('a'))
    await store.close()
    store = await openStore(root)
    expect(open().list()).toEqual([{ ...invite, callers: ['a'], lastUsedAt: now }])
    expect(open().redeem(idOf(invite), peer('b'))).toMatchObject({ granted: false, why: 'used' })
  })

  test('a use that cannot be written is not granted', () => {
    const book = open({
      notes: () => [],
      deleteNote: () => true,
      setNote: (_kind, key, bytes) => {
        if (decodeInviteRecord(bytes)!.callers.length > 0) throw new Error(`cannot write ${key}`)
      },
    })
    const invite = book.make()
    expect(() => book.redeem(idOf(invite), peer('a'))).toThrow(/cannot write/)
    expect(book.list()[0]?.callers).toEqual([])
  })

  test('its file is for its owner alone', async () => {
    open().make()
    const files = (await readdir(root)).filter((name) => name.startsWith('state.db'))
    expect(files).toContain('state.db')
    for (const file of files) expect(((await stat(join(root, file))).mode & 0o777).toString(8)).toBe('600')
  })

  test('numbers grow; an invite of a start takes the place of the last one unless somebody came', () => {
    const book = open()
    const first = book.make({ isFromStart: true })
    const mine = book.make()
    const second = book.make({ isFromStart: true })
    expect(book.list().map(({ number }) => number)).toEqual([mine.number, second.number])
    expect(book.secretOf(idOf(first))).toBeUndefined()
    book.redeem(idOf(second), peer('a'))
    const third = book.make({ isFromStart: true })
    expect(book.list().map(({ number }) => number)).toEqual([mine.number, second.number, third.number])
  })

  test('has bounds: time, uses, and how many are open', () => {
    const book = open()
    for (const ttlMs of [0, 59_999, 31 * 24 * HOUR, Number.NaN]) expect(() => book.make({ ttlMs })).toThrow(/1 minute to 30 days/)
    for (const uses of [0, 1.5, 1_001]) expect(() => book.make({ uses })).toThrow(/1 to 1000 uses/)
    for (let i = 0; i < MAX_OPEN_INVITES; i++) book.make()
    expect(() => book.make()).toThrow(/64 invites are open/)
    now += 25 * HOUR
    expect(book.make().number).toBe(MAX_OPEN_INVITES + 1)
    now += 31 * 24 * HOUR
    book.make()
    expect(book.list()).toHaveLength(2)
  })

  test('records come back; other bytes do not', () => {
    expect(decodeInviteRecord(encodeInviteRecord(RECORD))).toEqual(RECORD)
    expect(decodeInviteRecord(Buffer.from('{}'))).toBeUndefined()
    expect(decodeInviteRecord(Uint8Array.of(0xff))).toBeUndefined()
  })
})
