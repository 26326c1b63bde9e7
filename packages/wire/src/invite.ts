import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import type { PeerName } from '@sgsd/consensus'
import { parsePeerName } from './peer-name.ts'
import { accept, reject, type Verdict } from './verdict.ts'

/** What the part behind # is: nothing, the mesh key itself, or the secret of an invite that ends. */
export type InviteKind = 'bare' | 'key' | 'one-time'

/** What a person pastes to join. docs/protocol.md §11 */
export interface Invite {
  /** A multiaddr, with `/p2p/<peer>` where the peer is known. */
  readonly address: string
  readonly peer: PeerName | undefined
  readonly kind: InviteKind
  /** The mesh key, or the secret of a one-time invite; undefined where nothing follows the address. 32 bytes. */
  readonly secret: Uint8Array | undefined
}

const SECRET_BYTES = 32
/** 32 bytes in base64url without padding. */
const SECRET_CHARS = 43
const MAX_INVITE_CHARS = 512

/** What a one-time secret begins with; `.` is no character of base64url, so that no mesh key does. */
const ONE_TIME_MARK = 'i1.'
/** A secret and its check: 36 bytes, without spare bits. */
const ONE_TIME_CHARS = 48
const CHECK_BYTES = 4
const CHECK_DOMAIN = utf8ToBytes('sgs-invite/1')
const ID_DOMAIN = utf8ToBytes('sgs-invite-id/1')

/** Bytes by which the node that made an invite knows it; they say nothing of the secret. */
export const INVITE_ID_BYTES = 16

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** An address alone, or with the mesh key behind it. @param address - a multiaddr with /p2p @param meshKey - 32 bytes */
export function formatInvite(address: string, meshKey?: Uint8Array): string {
  return meshKey === undefined ? address : `${address}#${encodeBase64Url(meshKey)}`
}

/**
 * The line of a one-time invite. Four bytes of check bind the secret to the peer that made it, so that a line that was changed on the way is told from one
 * that is no longer good.
 * @param address - a multiaddr with /p2p/<peer> @param secret - 32 bytes
 */
export function formatOneTimeInvite(address: string, secret: Uint8Array): string {
  return `${address}#${ONE_TIME_MARK}${encodeBase64Url(concatBytes(secret, checkOf(address.slice(address.lastIndexOf('/') + 1), secret)))}`
}

/** How an invite is named between the two sides before they prove to each other that they know its secret. docs/protocol.md §11.2 */
export function inviteId(secret: Uint8Array): Uint8Array {
  return sha256(concatBytes(ID_DOMAIN, secret)).slice(0, INVITE_ID_BYTES)
}

/** Reads `<multiaddr>` or `<multiaddr>#<secret>`. Every refusal is one sentence for the person who pasted it. Total. */
export function parseInvite(text: string): Verdict<Invite> {
  if (text.length > MAX_INVITE_CHARS) return reject(`an invite has at most ${MAX_INVITE_CHARS} characters, this one has ${text.length}`)
  if (!/^[!-~]+$/.test(text)) return reject('an invite has no spaces, line breaks or characters outside ASCII')
  const mark = text.indexOf('#')
  const address = mark < 0 ? text : text.slice(0, mark)
  const wrong = addressWrong(address)
  if (wrong !== undefined) return reject(wrong)
  const peer = peerOf(address)
  if (peer?.type === 'reject' || peer?.type === 'ignore') return reject(`the address names ${peer.reason.replace('not a', 'no')}`)
  if (mark < 0) return accept({ address, peer: peer?.value, kind: 'bare', secret: undefined })
  if (peer === undefined) return reject('the address of an invite must end in /p2p/ and the peer id of the node that made it')
  const read = readFragment(text.slice(mark + 1), peer.value)
  return read.type === 'accept' ? accept({ address, peer: peer.value, ...read.value }) : read
}

function readFragment(fragment: string, peer: PeerName): Verdict<{ readonly kind: InviteKind; readonly secret: Uint8Array }> {
  const isOneTime = fragment.startsWith(ONE_TIME_MARK)
  if (!isOneTime && /^i[0-9]{1,3}\./.test(fragment)) return reject('a later version of sgsd made this invite: update this one')
  const body = isOneTime ? fragment.slice(ONE_TIME_MARK.length) : fragment
  const chars = isOneTime ? ONE_TIME_CHARS : SECRET_CHARS
  if (body.length !== chars) {
    return reject(`the secret behind # must have ${chars} characters of base64url, this one has ${body.length}: was the line copied whole?`)
  }
  const bytes = decodeBase64Url(body, isOneTime ? SECRET_BYTES + CHECK_BYTES : SECRET_BYTES)
  if (bytes === undefined) return reject('the secret behind # has characters or an end that base64url does not have: was the line copied whole?')
  if (!isOneTime) return accept({ kind: 'key', secret: bytes })
  const secret = bytes.slice(0, SECRET_BYTES)
  const check = checkOf(peer, secret)
  if (!check.every((byte, i) => byte === bytes[SECRET_BYTES + i])) {
    return reject('the secret behind # does not belong to the peer id before it: the line was changed on its way, or put together from two')
  }
  return accept({ kind: 'one-time', secret })
}

function checkOf(peer: string, secret: Uint8Array): Uint8Array {
  const name = utf8ToBytes(peer)
  return sha256(concatBytes(CHECK_DOMAIN, Uint8Array.of(name.length), name, secret)).slice(0, CHECK_BYTES)
}

/** Is this a multiaddr that we can dial: `/ip4|ip6|dns|dns4|dns6/<host>/tcp/<port>`, then perhaps `/p2p/<peer>`? @returns what is wrong, or undefined */
function addressWrong(address: string): string | undefined {
  const parts = address.split('/')
  const [before, protocol = '', host = '', transport, port = '', p2p, peer, ...rest] = parts
  if (before !== '' || !/^(?:ip4|ip6|dns|dns4|dns6)$/.test(protocol)) {
    return 'not a multiaddr: it must look like /ip4/192.168.1.12/tcp/42069/p2p/12D3KooW…'
  }
  if (protocol === 'ip4' && !isIp4(host)) return `${host || 'nothing'} is no IPv4 address`
  if (protocol === 'ip6' && !isIp6(host)) return `${host || 'nothing'} is no IPv6 address`
  if (protocol.startsWith('dns') && !/^(?=.{1,253}$)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*\.?$/.test(host))
    return `${host || 'nothing'} is no host name`
  if (transport !== 'tcp') return `the address must go on with /tcp/ and a port behind ${host}`
  if (!/^[1-9][0-9]{0,4}$/.test(port) || Number(port) > 65_535) return `${port || 'nothing'} is no TCP port (1 to 65535)`
  if (p2p === undefined) return undefined
  if (p2p !== 'p2p') return `/${p2p} behind the port is not supported: only /p2p/ and a peer id may follow`
  if (peer === undefined || peer === '') return 'the peer id behind /p2p/ is missing'
  return rest.length > 0 ? 'nothing may follow the peer id of the address' : undefined
}

function peerOf(address: string): Verdict<PeerName> | undefined {
  const name = address.split('/')[6]
  return name === undefined ? undefined : parsePeerName(name)
}

function isIp4(host: string): boolean {
  const parts = host.split('.')
  return parts.length === 4 && parts.every((part) => /^(?:0|[1-9][0-9]{0,2})$/.test(part) && Number(part) <= 255)
}

/** Eight groups of hex digits, or fewer with one `::`; an IPv4 tail is no form that multiaddrs are printed in. */
function isIp6(host: string): boolean {
  const halves = host.split('::')
  if (halves.length > 2) return false
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')))
  const enough = halves.length === 2 ? groups.length <= 7 : groups.length === 8
  return enough && groups.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group))
}

function encodeBase64Url(bytes: Uint8Array): string {
  let text = ''
  let bits = 0
  let held = 0
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xffff
    bits += 8
    while (bits >= 6) {
      bits -= 6
      text += BASE64URL[(held >>> bits) & 63]
    }
  }
  return bits > 0 ? text + BASE64URL[(held << (6 - bits)) & 63] : text
}

/** So many bytes of just as many characters as they need, or undefined; bits that are left over must be 0, so that a secret has one form. */
function decodeBase64Url(text: string, size: number): Uint8Array | undefined {
  const bytes = new Uint8Array(size)
  let bits = 0
  let held = 0
  let at = 0
  for (const character of text) {
    const value = BASE64URL.indexOf(character)
    if (value < 0) return undefined
    held = ((held << 6) | value) & 0xffff
    bits += 6
    if (bits < 8) continue
    bits -= 8
    bytes[at++] = (held >>> bits) & 0xff
  }
  return (held & ((1 << bits) - 1)) === 0 ? bytes : undefined
}
