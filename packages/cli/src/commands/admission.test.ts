import type { ControlClient, InviteDocument, InviteStatus } from '@sgsd/daemon'
import { beforeEach, describe, expect, test } from 'vitest'
import type { DaemonEdge } from '../edges.ts'
import { EXIT } from '../exit-code.ts'
import { runCommand, type Ran } from '../fixtures/command-run.ts'
import { samplePeer, sampleStatus } from '../fixtures/status.ts'

const HOUR = 3_600_000

let calls: unknown[][]
let answers: Record<string, unknown>

const control = {
  get: async (path: string) => (calls.push(['GET', path]), answers[path]),
  post: async (path: string, body: unknown) => (calls.push(['POST', path, body]), answers[path]),
} as unknown as ControlClient

const run = (...words: string[]): Promise<Ran> =>
  runCommand(words, { edges: { daemon: async () => ({ defaultDataDir: () => '/d', openControl: () => control }) as unknown as DaemonEdge } })

const invite = (changes: Partial<InviteDocument> = {}): InviteDocument => ({
  schema: 'sgsd.invite/1',
  admission: 'key',
  kind: 'one-time',
  invites: ['/ip4/10.0.0.1/tcp/1/p2p/x#i1.s', '/ip4/127.0.0.1/tcp/1/p2p/x#i1.s'],
  number: 3,
  expiresAt: Date.now() + 24 * HOUR,
  uses: 1,
  ...changes,
})

beforeEach(() => {
  calls = []
  answers = { '/v1/invites': invite() }
})

describe('sgsd invite', () => {
  test('prints the best line alone on standard output, and what it is good for on the other stream', async () => {
    const { code, out, err } = await run('invite')
    expect([code, out]).toEqual([EXIT.ok, '/ip4/10.0.0.1/tcp/1/p2p/x#i1.s'])
    expect(err).toMatch(/^invite 3: good for one machine within (24h00m|1d 00:00|23h59m), while this node runs$/)
    expect(calls).toEqual([['POST', '/v1/invites', {}]])
  })

  test.each([
    [['--ttl', '30m', '--uses', '3'], { ttlMs: 1_800_000, uses: 3 }],
    [['--ttl', '7d'], { ttlMs: 7 * 24 * HOUR }],
    [['--ttl', '90s'], { ttlMs: 90_000 }],
  ])('%j asks for what it says', async (flags, wanted) => {
    expect((await run('invite', ...flags)).code).toBe(EXIT.ok)
    expect(calls).toEqual([['POST', '/v1/invites', wanted]])
  })

  test.each([
    ['--ttl', 'soon'],
    ['--ttl', '59s'],
    ['--ttl', '31d'],
    ['--ttl', '-1h'],
    ['--uses', '0'],
    ['--uses', '1001'],
    ['--key', '--uses', '2'],
    ['--key', '--ttl', '1h'],
  ])('%s %s %s is usage, and asks for nothing', async (...flags) => {
    expect((await run('invite', ...flags.filter((flag) => flag !== undefined))).code).toBe(EXIT.usage)
    expect(calls).toEqual([])
  })

  test('--key prints the mesh key’s line and says what it is', async () => {
    answers['/v1/invite'] = invite({ kind: 'key', invites: ['/ip4/10.0.0.1/tcp/1/p2p/x#key'], number: null, expiresAt: null, uses: null })
    const { out, err } = await run('invite', '--key')
    expect(out).toBe('/ip4/10.0.0.1/tcp/1/p2p/x#key')
    expect(err).toMatch(/whoever has this line can join, and bring others/)
    expect(calls).toEqual([['GET', '/v1/invite']])
  })

  test('--all prints a line for each address; --json the document', async () => {
    expect((await run('invite', '--all')).out.split('\n')).toHaveLength(2)
    expect(JSON.parse((await run('invite', '--json')).out)).toMatchObject({ schema: 'sgsd.invite/1', kind: 'one-time', uses: 1 })
  })

  test('ls shows what is open, used and by whom, and no secret; revoke names one by its number', async () => {
    const one = (number: number, changes: Partial<InviteStatus>): InviteStatus => ({
      number,
      state: 'open',
      createdAt: Date.now() - HOUR,
      expiresAt: Date.now() + 2 * HOUR,
      uses: 1,
      callers: [],
      ...changes,
    })
    const invites = [one(1, { state: 'used', callers: ['12D3KooWBoreasBoreasBoreasBoreasBoreasBoreasBoreasx7Qp'] }), one(2, {})]
    answers['/v1/invites'] = { schema: 'sgsd.invites/1', invites }
    const { out } = await run('invite', 'ls')
    expect(out).toMatch(/INVITE +STATE +LEFT +USED +MADE +LET IN/)
    expect(out).toMatch(/1 +used +– +1\/1 +1h00m ago +12D3Koo…x7Qp/)
    expect(out).toMatch(/2 +open +(2h00m|1h59m) +0\/1/)
    answers['/v1/invites/revoke'] = { schema: 'sgsd.invite-revoked/1', invite: one(2, { state: 'revoked' }) }
    expect((await run('invite', 'revoke', '2')).out).toBe('invite 2 lets nobody in any more')
    expect(calls.at(-1)).toEqual(['POST', '/v1/invites/revoke', { number: 2 }])
    expect((await run('invite', 'revoke', 'two')).code).toBe(EXIT.usage)
  })
})

describe('sgsd peer', () => {
  const boreas = samplePeer({ name: 'boreas', peerId: '12D3KooWBoreasBoreasBoreasBoreasBoreasBoreasBoreasx9Zz' })

  test('revoke and readmit name the peer by its id and pass the reason on', async () => {
    answers = {
      '/v1/status': sampleStatus({ peers: [samplePeer({ self: true }), boreas] }),
      '/v1/peers/decide': {
        schema: 'sgsd.decision/1',
        peerId: boreas.peerId,
        action: 'revoke',
        id: 'ab',
        standing: { state: 'revoked', why: 'by atlas' },
      },
    }
    expect((await run('peer', 'revoke', 'boreas', '--reason', 'laptop stolen')).out).toBe('boreas is shut out; the others follow within seconds')
    expect(calls.at(-1)).toEqual(['POST', '/v1/peers/decide', { peer: boreas.peerId, action: 'revoke', reason: 'laptop stolen' }])
    expect((await run('peer', 'readmit', 'x9Zz')).out).toBe('boreas is a member again')
    expect(calls.at(-1)).toEqual(['POST', '/v1/peers/decide', { peer: boreas.peerId, action: 'readmit' }])
    expect((await run('peer', 'revoke', 'nobody')).code).toBe(EXIT.failure)
  })

  test('ls shows at a glance who takes no part', async () => {
    const peers = [
      samplePeer({ self: true }),
      { ...boreas, standing: { state: 'revoked', why: 'by atlas: laptop stolen' } as const },
      samplePeer({ name: 'calypso', standing: { state: 'candidate', why: '1 of 2 votes' } }),
    ]
    answers = { '/v1/status': sampleStatus({ peers }) }
    const lines = (await run('peer', 'ls')).out.split('\n')
    expect(lines.find((line) => line.startsWith('boreas'))).toMatch(/! revoked$/)
    expect(lines.find((line) => line.startsWith('calypso'))).toMatch(/! candidate$/)
  })
})
