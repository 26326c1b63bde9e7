import type { EngineReport, ProviderReport } from '@sgsd/compute'
import type { StatusDocument } from '@sgsd/daemon'
import { plainText } from '../text/display-width.ts'
import type { Style } from '../text/style.ts'

/** One thing that doctor looked at. */
export interface Check {
  readonly name: string
  /** `note`: works without it. `fault`: something does not work as it should. */
  readonly state: 'ok' | 'note' | 'fault'
  /** What was found. */
  readonly what: string
  /** What to do about it, or ''. */
  readonly mend: string
}

type Discovery = StatusDocument['mesh']['discovery'][number]

/** What to do when a way of finding peers finds none. */
const DISCOVERY_MENDS: Readonly<Record<Discovery['source'], string>> = {
  mdns: 'multicast may be blocked here (containers, guest Wi-Fi): join by address, sgsd join <invite>',
  bootstrap: 'check the address: sgsd config get bootstrap',
  tailscale: 'start Tailscale (tailscale up), or turn this off: sgsd config set tailscale false',
  roster: 'are the other daemons up, and is their port open?',
}

/** Engines, execution providers and what folds rows as checks: a missing one is a note, a wrong one a fault. */
export function computeChecks(
  engines: readonly EngineReport[],
  providers: readonly ProviderReport[],
  folds: readonly ProviderReport[] = [],
): Check[] {
  return [
    ...engines.map((report) => reportCheck(`colour engine ${report.engine}`, report)),
    ...providers.map((report) => reportCheck(`lattice provider ${report.provider}`, report)),
    ...folds.map((report) => reportCheck(`fold kernel ${report.provider}`, report)),
  ]
}

type Report = Pick<ProviderReport, 'state' | 'why' | 'device' | 'mend'>

function reportCheck(name: string, { state, why, device, mend }: Report): Check {
  const what = device === undefined ? why : `${device}: ${why}`
  if (state === 'wrong')
    return {
      name,
      state: 'fault',
      what: `computes wrong answers and is not used: ${what}`,
      mend: 'update its driver; until then another engine does the work',
    }
  return { name, state: state === 'active' || state === 'standby' ? 'ok' : 'note', what: `${state}: ${what}`, mend: mend ?? '' }
}

/** What a running daemon knows of itself. */
export function statusChecks(status: StatusDocument): Check[] {
  const { node, mesh, api } = status
  const alone = mesh.members > 1 && mesh.connected === 0
  return [
    { name: 'daemon', state: 'ok', what: `runs as process ${node.pid}, event loop p99 delay ${node.loopDelayP99Ms.toFixed(0)} ms`, mend: '' },
    ...mesh.discovery.map(({ source, state, found, why }): Check => {
      const barren = state === 'failed' || (alone && state === 'searching')
      return {
        name: `discovery ${source}`,
        state: state === 'failed' && alone ? 'fault' : barren ? 'note' : 'ok',
        what: `${state}, ${found} found: ${why}`,
        mend: barren ? DISCOVERY_MENDS[source] : '',
      }
    }),
    apiCheck(api),
    ...status.warnings.map(({ message, hint }): Check => ({ name: 'warning', state: 'fault', what: message, mend: hint })),
  ]
}

/** The mesh works without it: what keeps it from listening is a note. */
function apiCheck({ state, url, tokenFile, why }: StatusDocument['api']): Check {
  const name = 'API'
  if (state === 'on') return { name, state: 'ok', what: `listens on ${url}, token in ${tokenFile}`, mend: '' }
  return { name, state: state === 'off' ? 'ok' : 'note', what: why, mend: state === 'off' ? '' : 'then start the daemon again' }
}

/** One line for each check, and one more with its mend. */
export function checkLines(checks: readonly Check[], style: Style): string[] {
  const marks = { ok: style.green('✓'), note: style.dim('·'), fault: style.yellow('!') }
  return checks.flatMap(({ name, state, what, mend }) => [
    `${marks[state]} ${style.bold(name)}: ${plainText(what)}`,
    ...(mend === '' ? [] : [`  →  ${plainText(mend)}`]),
  ])
}
