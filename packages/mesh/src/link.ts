import { BlockList, isIPv4, isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { PeerLink } from './port.ts'

/**
 * How a connection goes, from the remote multiaddr: `loopback` for this machine (any of its own addresses), `tailscale` for
 * 100.64.0.0/10 and Tailscale's fd7a:115c:a1e0::/48, `lan` for private and link-local ranges, `direct` for all else.
 */
export function viaOf(remoteAddr: string, ownAddresses: ReadonlySet<string> = machineAddresses()): PeerLink['via'] {
  const host = hostOf(remoteAddr)
  if (host === undefined) return 'direct'
  const family = isIPv4(host) ? 'ipv4' : 'ipv6'
  if (LOOPBACK.check(host, family) || ownAddresses.has(host)) return 'loopback'
  if (TAILSCALE.check(host, family)) return 'tailscale'
  if (PRIVATE.check(host, family)) return 'lan'
  return 'direct'
}

/** Multiaddrs as they are best shown and tried: loopback last, otherwise in the given order. */
export function loopbackLast(addrs: readonly string[]): string[] {
  const local = (addr: string): boolean => {
    const host = hostOf(addr)
    return host !== undefined && LOOPBACK.check(host, isIPv4(host) ? 'ipv4' : 'ipv6')
  }
  return [...addrs.filter((addr) => !local(addr)), ...addrs.filter(local)]
}

/** `<host>:<port>` of a TCP multiaddr, or undefined: what two spellings of one endpoint have in common. */
export function endpointOf(addr: string): string | undefined {
  const match = /^\/(?:ip4|ip6|dns|dns4|dns6)\/([^/]+)\/tcp\/(\d+)/.exec(addr)
  return match === null ? undefined : `${match[1]}:${match[2]}`
}

/** Addresses of this machine's interfaces. */
export function machineAddresses(): ReadonlySet<string> {
  return new Set(Object.values(networkInterfaces()).flatMap((entries) => (entries ?? []).map((entry) => entry.address)))
}

/** Interfaces that reach further than this machine, for reports. */
export function outsideInterfaces(): number {
  return Object.values(networkInterfaces()).filter((entries) => entries?.some((entry) => entry.family === 'IPv4' && !entry.internal)).length
}

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')

const TAILSCALE = new BlockList()
TAILSCALE.addSubnet('100.64.0.0', 10, 'ipv4')
TAILSCALE.addSubnet('fd7a:115c:a1e0::', 48, 'ipv6')

const PRIVATE = new BlockList()
PRIVATE.addSubnet('10.0.0.0', 8, 'ipv4')
PRIVATE.addSubnet('172.16.0.0', 12, 'ipv4')
PRIVATE.addSubnet('192.168.0.0', 16, 'ipv4')
PRIVATE.addSubnet('169.254.0.0', 16, 'ipv4')
PRIVATE.addSubnet('fc00::', 7, 'ipv6')
PRIVATE.addSubnet('fe80::', 10, 'ipv6')

/** The IP address of a multiaddr, an IPv4-mapped one as IPv4; undefined for names and anything else. */
export function hostOf(addr: string): string | undefined {
  const host = /^\/(?:ip4|ip6(?:zone\/[^/]+\/ip6)?)\/([^/]+)/.exec(addr)?.[1]
  if (host === undefined) return undefined
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(host)?.[1]
  const plain = mapped ?? host
  return isIPv4(plain) || isIPv6(plain) ? plain : undefined
}
