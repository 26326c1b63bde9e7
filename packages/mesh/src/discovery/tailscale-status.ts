import { isIPv4, isIPv6 } from 'node:net'

/** Another machine of the tailnet, with the addresses that it has there. */
export interface TailscalePeer {
  /** Tailscale's node id or key; stable while the machine stays in the tailnet. */
  readonly id: string
  readonly hostName: string
  readonly ips: readonly string[]
}

/** What a status document of tailscaled says that matters to us. */
export type TailscaleStatus =
  | { readonly type: 'running'; readonly online: readonly TailscalePeer[]; readonly known: number }
  | { readonly type: 'not-running'; readonly backendState: string }
  | { readonly type: 'unreadable'; readonly detail: string }

/** Machines read of one tailnet; the largest have tens of thousands, and no mesh does. */
const MAX_PEERS = 1_024

/**
 * Reads the answer of `GET /localapi/v0/status` or `tailscale status --json`. Total: anything unexpected is `unreadable` or left out.
 * Peers that are offline, whose key has expired, or that belong to someone else's tailnet (shared-to nodes) are not ours to dial.
 */
export function readTailscaleStatus(text: string): TailscaleStatus {
  let status: unknown
  try {
    status = JSON.parse(text)
  } catch {
    return { type: 'unreadable', detail: 'the answer is not JSON' }
  }
  if (!isRecord(status) || typeof status['BackendState'] !== 'string') return { type: 'unreadable', detail: 'the answer has no BackendState' }
  if (status['BackendState'] !== 'Running') return { type: 'not-running', backendState: status['BackendState'].slice(0, 32) }
  const peers = isRecord(status['Peer']) ? Object.entries(status['Peer']) : []
  const online = peers.slice(0, MAX_PEERS).flatMap(([key, peer]) => readPeer(key, peer))
  return { type: 'running', online, known: peers.length }
}

function readPeer(key: string, peer: unknown): TailscalePeer[] {
  if (!isRecord(peer)) return []
  if (peer['Online'] !== true || peer['Expired'] === true || peer['ShareeNode'] === true) return []
  const listed: readonly unknown[] = Array.isArray(peer['TailscaleIPs']) ? peer['TailscaleIPs'] : []
  const ips = listed.filter((ip): ip is string => typeof ip === 'string' && (isIPv4(ip) || isIPv6(ip))).slice(0, 4)
  if (ips.length === 0) return []
  return [{ id: typeof peer['ID'] === 'string' ? peer['ID'] : key, hostName: typeof peer['HostName'] === 'string' ? peer['HostName'] : '', ips }]
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
