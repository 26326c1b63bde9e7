import type { DiscoveryReport } from '../port.ts'

/** @param failure - why the last dial of a bootstrap address failed, if none is connected */
export function bootstrapReport(configured: number, connected: number, failure: string | undefined): DiscoveryReport {
  const report = (state: DiscoveryReport['state'], why: string): DiscoveryReport => ({
    source: 'bootstrap',
    state,
    found: connected,
    why: `Bootstrap: ${why}`,
  })
  if (configured === 0) return report('off', 'no address given')
  if (connected > 0) return report('ok', `${connected} of ${counted(configured, 'address', 'addresses')} connected`)
  if (failure !== undefined) return report('failed', `${counted(configured, 'address', 'addresses')} tried, none answers; last: ${failure}`)
  return report('searching', `dialling ${counted(configured, 'address', 'addresses')}`)
}

/** @param known - members other than this node that the roster names */
export function rosterReport(known: number, connected: number): DiscoveryReport {
  const why = known === 0 ? 'no other member known yet' : `${connected} of ${counted(known, 'known member', 'known members')} connected`
  return { source: 'roster', state: connected > 0 ? 'ok' : 'searching', found: known, why: `Roster: ${why}` }
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`
}
