import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import type { PeerName } from '@sgsd/consensus'
import { MeshError, reasonOf } from './mesh-error.ts'

/** A multiaddr that can be dialled, with the peer that it names, if any. */
export interface Address {
  readonly multiaddr: Multiaddr
  readonly peer: PeerName | undefined
}

/** Longest address text read, characters: an IPv6 zone, a DNS name of 253 and a peer id fit. */
const MAX_ADDRESS_LENGTH = 512

/** @throws MeshError ADDRESS_INVALID for anything but `/ip4|ip6|dns…/<host>/tcp/<port>` with or without `/p2p/<peer id>` */
export function parseAddress(text: string): Address {
  const refuse = (detail: string, cause?: unknown): never => {
    throw new MeshError('ADDRESS_INVALID', { address: text.slice(0, MAX_ADDRESS_LENGTH), detail }, { cause })
  }
  if (text.length > MAX_ADDRESS_LENGTH) return refuse('too long')
  let parsed: Multiaddr
  try {
    parsed = multiaddr(text)
  } catch (cause) {
    return refuse(reasonOf(cause), cause)
  }
  const [host, transport, peer, ...more] = parsed.getComponents().filter((part) => part.name !== 'ip6zone')
  if (host === undefined || !HOSTS.has(host.name)) return refuse('it starts with neither ip4, ip6 nor dns')
  if (transport?.name !== 'tcp') return refuse('only TCP can be dialled')
  if (transport.value === '0') return refuse('port 0 cannot be dialled')
  if (peer === undefined) return { multiaddr: parsed, peer: undefined }
  if (peer.name !== 'p2p' || more.length > 0) return refuse('after the port only /p2p/<peer id> may follow')
  return { multiaddr: parsed, peer: peerOf(peer.value ?? '') ?? refuse('its peer id is not an Ed25519 one') }
}

/** The address, or undefined where `parseAddress` throws: for hints of peers, which may hold anything. */
export function readAddress(text: string): Address | undefined {
  try {
    return parseAddress(text)
  } catch {
    return undefined
  }
}

/** @returns `text` if it is the canonical text of an Ed25519 peer id */
export function peerOf(text: string): PeerName | undefined {
  try {
    const id = peerIdFromString(text)
    return id.type === 'Ed25519' && id.toString() === text ? (text as PeerName) : undefined
  } catch {
    return undefined
  }
}

const HOSTS: ReadonlySet<string> = new Set(['ip4', 'ip6', 'dns', 'dns4', 'dns6'])
