import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatInvite, formatOneTimeInvite, inviteId, parseInvite } from './invite.ts'
import { ALICE, BOB } from '../testing/member.ts'
import { parsePeerName } from './peer-name.ts'

const secret = new Uint8Array(32).map((_, i) => i * 8)
const base64 = Buffer.from(secret).toString('base64url')
const address = `/ip4/100.64.0.7/tcp/42069/p2p/${ALICE.peer}`

describe('invites (docs/protocol.md §11)', () => {
  test('an address with a secret', () => {
    expect(formatInvite(address, secret)).toBe(`${address}#${base64}`)
    expect(parseInvite(`${address}#${base64}`)).toEqual({ type: 'accept', value: { address, peer: ALICE.peer, kind: 'key', secret } })
  })

  test('any secret comes back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        expect(formatInvite(address, bytes)).toBe(`${address}#${Buffer.from(bytes).toString('base64url')}`)
        expect(parseInvite(formatInvite(address, bytes))).toEqual({
          type: 'accept',
          value: { address, peer: ALICE.peer, kind: 'key', secret: bytes },
        })
      }),
    )
  })

  test.each([
    [address, ALICE.peer],
    ['/ip4/127.0.0.1/tcp/4001', undefined],
    ['/ip6/::1/tcp/4001', undefined],
    [`/ip6/fd7a:115c:a1e0::7/tcp/42069/p2p/${ALICE.peer}`, ALICE.peer],
    ['/ip6/1:2:3:4:5:6:7:8/tcp/1', undefined],
    [`/dns4/box.tail1234.ts.net/tcp/42069/p2p/${ALICE.peer}`, ALICE.peer],
    ['/dns/localhost/tcp/65535', undefined],
  ])('the bare address %s', (text, peer) => {
    expect(parseInvite(text)).toEqual({ type: 'accept', value: { address: text, peer, kind: 'bare', secret: undefined } })
    expect(formatInvite(text)).toBe(text)
  })

  test.each([
    ['', 'an invite has no spaces, line breaks or characters outside ASCII'],
    [`${address} `, 'an invite has no spaces, line breaks or characters outside ASCII'],
    ['/ip4/１.2.3.4/tcp/1', 'an invite has no spaces, line breaks or characters outside ASCII'],
    ['x'.repeat(513), 'an invite has at most 512 characters, this one has 513'],
    ['hello', 'not a multiaddr: it must look like /ip4/192.168.1.12/tcp/42069/p2p/12D3KooW…'],
    ['192.168.1.12:42069', 'not a multiaddr: it must look like /ip4/192.168.1.12/tcp/42069/p2p/12D3KooW…'],
    [ALICE.peer, 'not a multiaddr: it must look like /ip4/192.168.1.12/tcp/42069/p2p/12D3KooW…'],
    ['/unix/tmp/tcp/1', 'not a multiaddr: it must look like /ip4/192.168.1.12/tcp/42069/p2p/12D3KooW…'],
    ['/ip4', 'nothing is no IPv4 address'],
    ['/ip4/1.2.3/tcp/1', '1.2.3 is no IPv4 address'],
    ['/ip4/1.2.3.256/tcp/1', '1.2.3.256 is no IPv4 address'],
    ['/ip4/01.2.3.4/tcp/1', '01.2.3.4 is no IPv4 address'],
    ['/ip6/1::2::3/tcp/1', '1::2::3 is no IPv6 address'],
    ['/ip6/1:2:3:4:5:6:7/tcp/1', '1:2:3:4:5:6:7 is no IPv6 address'],
    ['/ip6/12345::/tcp/1', '12345:: is no IPv6 address'],
    ['/dns4/-_-/tcp/1', '-_- is no host name'],
    ['/ip4/1.2.3.4', 'the address must go on with /tcp/ and a port behind 1.2.3.4'],
    ['/ip4/1.2.3.4/udp/1', 'the address must go on with /tcp/ and a port behind 1.2.3.4'],
    ['/ip4/1.2.3.4/tcp/', 'nothing is no TCP port (1 to 65535)'],
    ['/ip4/1.2.3.4/tcp/0', '0 is no TCP port (1 to 65535)'],
    ['/ip4/1.2.3.4/tcp/65536', '65536 is no TCP port (1 to 65535)'],
    ['/ip4/1.2.3.4/tcp/80a', '80a is no TCP port (1 to 65535)'],
    ['/ip4/1.2.3.4/tcp/1/ws', '/ws behind the port is not supported: only /p2p/ and a peer id may follow'],
    ['/ip4/1.2.3.4/tcp/1/p2p', 'the peer id behind /p2p/ is missing'],
    ['/ip4/1.2.3.4/tcp/1/p2p/', 'the peer id behind /p2p/ is missing'],
    ['/ip4/1.2.3.4/tcp/1/p2p/12D3KooW', 'the address names no peer id of an Ed25519 key (12D3KooW… with 52 characters)'],
    [`${address}/p2p-circuit`, 'nothing may follow the peer id of the address'],
    [`/ip4/1.2.3.4/tcp/1#${base64}`, 'the address of an invite must end in /p2p/ and the peer id of the node that made it'],
    [`${address}#`, 'the secret behind # must have 43 characters of base64url, this one has 0: was the line copied whole?'],
    [`${address}#${base64.slice(1)}`, 'the secret behind # must have 43 characters of base64url, this one has 42: was the line copied whole?'],
    [`${address}#${base64}=`, 'the secret behind # must have 43 characters of base64url, this one has 44: was the line copied whole?'],
    [`${address}#${'!'.repeat(43)}`, 'the secret behind # has characters or an end that base64url does not have: was the line copied whole?'],
    [`${address}#${base64.slice(0, -1)}B`, 'the secret behind # has characters or an end that base64url does not have: was the line copied whole?'],
  ])('%j is refused with a sentence', (text, reason) => {
    expect(parseInvite(text)).toEqual({ type: 'reject', reason })
  })
})

describe('one-time invites (docs/protocol.md §11.2)', () => {
  const line = formatOneTimeInvite(address, secret)

  test('any secret comes back, told from a mesh key, at any address of the same peer', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        const text = formatOneTimeInvite(address, bytes)
        expect(text).toMatch(/#i1\.[A-Za-z0-9_-]{48}$/)
        const other = `/dns4/box/tcp/7/p2p/${ALICE.peer}`
        for (const at of [address, other]) {
          expect(parseInvite(text.replace(address, at))).toEqual({
            type: 'accept',
            value: { address: at, peer: ALICE.peer, kind: 'one-time', secret: bytes },
          })
        }
      }),
    )
  })

  test('no character of the secret can be changed unnoticed', () => {
    const from = line.indexOf('#i1.') + 4
    for (let i = from; i < line.length; i++) {
      const changed = line.slice(0, i) + (line[i] === 'A' ? 'B' : 'A') + line.slice(i + 1)
      expect(parseInvite(changed)).toEqual({
        type: 'reject',
        reason: 'the secret behind # does not belong to the peer id before it: the line was changed on its way, or put together from two',
      })
    }
  })

  test.each([
    ['of another peer', line.replace(ALICE.peer, BOB.peer), /does not belong to the peer id/],
    ['cut short', line.slice(0, -1), /must have 48 characters of base64url, this one has 47/],
    ['with a character that base64url does not have', `${line.slice(0, -1)}.`, /base64url does not have/],
    ['of a later version', line.replace('#i1.', '#i2.'), /a later version of sgsd/],
    ['without its mark', line.replace('#i1.', '#'), /must have 43 characters of base64url, this one has 48/],
    ['without a peer id', line.replace(`/p2p/${ALICE.peer}`, ''), /must end in \/p2p\//],
  ])('one %s is refused with a sentence', (_, text, reason) => {
    expect(parseInvite(text)).toEqual({ type: 'reject', reason: expect.stringMatching(reason) })
  })

  test('its id does not hold the secret and differs from secret to secret', () => {
    expect(inviteId(secret)).toHaveLength(16)
    expect(inviteId(secret)).toEqual(inviteId(secret.slice()))
    expect(inviteId(secret)).not.toEqual(inviteId(secret.map((byte) => byte ^ 1)))
  })
})

describe('peer ids (docs/protocol.md §1.3)', () => {
  test('of Ed25519 keys are taken', () => {
    expect(parsePeerName(ALICE.peer)).toEqual({ type: 'accept', value: ALICE.peer })
  })

  test('any other character in any place makes another id, or none', () => {
    for (let i = 0; i < ALICE.peer.length; i++) {
      for (const character of ['0', 'O', 'I', 'l', '/', '\u0000', 'é']) {
        expect(parsePeerName(ALICE.peer.slice(0, i) + character + ALICE.peer.slice(i + 1)).type).toBe('reject')
      }
    }
    expect(parsePeerName(`1${ALICE.peer.slice(0, -1)}`).type).toBe('reject')
    expect(parsePeerName(`2${ALICE.peer.slice(1)}`).type).toBe('reject')
    expect(parsePeerName('z'.repeat(52)).type).toBe('reject')
    expect(parsePeerName('QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N').type).toBe('reject')
  })
})
