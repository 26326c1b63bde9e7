import type { EngineReport, ProviderReport } from '@sgsd/compute'
import { BEAT_INTERVAL_MS, exclusionAt, type ExclusionCause, type MeshState, type Millis, revokedPeers } from '@sgsd/consensus'
import type { DiscoveryReport, PeerLink } from '@sgsd/mesh'
import { standingOf } from './admission/standing.ts'
import type { StatusDocument } from './control/api.ts'

/** A member is spoken of after this many missed beats. */
const MISSED_BEATS = 3
/** Reports are repeated in the status for this long. */
const RECENT_MS = 10 * 60_000
const MAX_RECENT = 5

/** Trouble that was reported while running. */
export interface RecentReport {
  readonly at: Millis
  readonly message: string
}

export interface WarningSources {
  readonly state: MeshState
  readonly now: Millis
  readonly links: readonly PeerLink[]
  readonly discovery: readonly DiscoveryReport[]
  readonly engines: readonly EngineReport[]
  readonly providers: readonly ProviderReport[]
  readonly freeBytes: number
  readonly recent: readonly RecentReport[]
  /** Why this node mines no more, if its own engine was seen to compute wrong. */
  readonly fault: string | undefined
}

/** Blocks below this much free space are refused soon. */
const LOW_DISK_BYTES = 512 * 2 ** 20

const CAUSES: Readonly<Record<ExclusionCause, string>> = {
  forged: 'it claimed a wrong value',
  'false-accusation': 'it accused another member falsely',
  equivocation: 'it signed two items where one may be',
  revoked: 'a member revoked it',
}

/** What a person should know, each with the next thing to do. Pure. */
export function warnings(sources: WarningSources): StatusDocument['warnings'] {
  const { state, now, links, engines, providers, freeBytes, recent } = sources
  const found: { message: string; hint: string }[] = []
  if (sources.fault !== undefined) {
    found.push({
      message: `mining has stopped, this machine computes wrong: ${sources.fault}`,
      hint: 'sgsd doctor; sgsd mine start tries again',
    })
  }
  for (const peer of state.exclusions.keys()) {
    const window = exclusionAt(state.exclusions, peer, state.epoch)
    if (window === undefined) continue
    const name = state.roster.get(peer)?.value.hostName ?? peer
    const until = window.until === undefined ? 'until it is readmitted' : `up to epoch ${window.until}`
    found.push({ message: `${name} is excluded ${until}: ${CAUSES[window.cause]}`, hint: `sgsd peer show ${name}` })
  }
  const own = standingOf(state, state.self)
  if (own.state === 'candidate') found.push({ message: `this node is a candidate, its work does not count yet: ${own.why}`, hint: 'sgsd peer ls' })
  const revoked = revokedPeers(state)
  for (const [peer, record] of state.roster) {
    if (peer === state.self || record.value.left || revoked.has(peer) || links.some((link) => link.peer === peer)) continue
    const seen = state.seen.get(peer)
    if (seen !== undefined && now - seen < MISSED_BEATS * BEAT_INTERVAL_MS) continue
    const { hostName } = record.value
    const message =
      seen === undefined
        ? `${hostName} has not been seen since this node started`
        : `${hostName} has not been seen for ${duration(now - seen)}; its range is taken over`
    found.push({ message, hint: `sgsd peer show ${hostName}` })
  }
  for (const report of [...engines, ...providers]) {
    if (report.state !== 'wrong') continue
    const name = 'engine' in report ? report.engine : report.provider
    found.push({ message: `${name} computes wrong answers and is not used: ${report.why}`, hint: 'sgsd doctor' })
  }
  for (const [peer, { reason }] of state.refused) {
    found.push({ message: `a layer of ${state.roster.get(peer)?.value.hostName ?? peer} was refused: ${reason}`, hint: `sgsd peer show ${peer}` })
  }
  if (freeBytes < LOW_DISK_BYTES)
    found.push({ message: `only ${Math.round(freeBytes / 2 ** 20)} MiB of disk are free`, hint: 'free some space; nothing is lost meanwhile' })
  for (const report of recent.filter(({ at }) => now - at < RECENT_MS).slice(-MAX_RECENT))
    found.push({ message: report.message, hint: 'sgsd events' })
  return found
}

/** `3m07s`, `41s`, `2h05m`. */
function duration(ms: number): string {
  const s = Math.floor(ms / 1_000)
  const two = (n: number): string => String(n).padStart(2, '0')
  return s < 60 ? `${s}s` : s < 3_600 ? `${Math.floor(s / 60)}m${two(s % 60)}s` : `${Math.floor(s / 3_600)}h${two(Math.floor(s / 60) % 60)}m`
}
