import { EXIT } from '../exit-code.ts'
import { CliError } from '../failure.ts'
import type { CommandResult, ServiceHost } from './host.ts'
import {
  LAUNCHD_STATE_DIR,
  launchdInstall,
  launchdLogPath,
  launchdPlistPath,
  launchdRemove,
  launchdShow,
  parseLaunchdPrint,
  renderLaunchdPlist,
} from './launchd.ts'
import type { ManagerCommand, ServiceScope, ServiceSpec, ServiceState } from './spec.ts'
import {
  parseSystemdShow,
  renderSystemdUnit,
  SYSTEMD_STATE_DIR,
  systemdForget,
  systemdInstall,
  systemdRemove,
  systemdShow,
  systemdUnitPath,
} from './systemd.ts'

/** One service manager in one scope, as data: what to write where, and what to say to it. */
export interface ServiceManager {
  readonly name: 'systemd' | 'launchd'
  readonly scope: ServiceScope
  /** File that describes the service. */
  readonly path: string
  /** Data directory of a system service when nothing else is said. */
  readonly stateDir: string
  /** The manager makes the state directory, and an account that owns it. */
  readonly makesAccount: boolean
  /** Why it cannot be used here, or undefined. */
  readonly absence: string | undefined
  readonly install: readonly ManagerCommand[]
  /** Before the file is removed, and after. */
  readonly remove: readonly ManagerCommand[]
  readonly forget: readonly ManagerCommand[]
  readonly show: ManagerCommand
  render(spec: ServiceSpec): string
  state(shown: CommandResult): ServiceState
  /** Where to read why it stopped. */
  logs(spec: ServiceSpec): string
}

/** @throws CliError NO_SERVICE_MANAGER on other platforms */
export function managerFor(host: ServiceHost, scope: ServiceScope): ServiceManager {
  if (host.platform === 'linux') return systemdManager(host, scope)
  if (host.platform === 'darwin') return launchdManager(host, scope)
  throw new CliError(
    'NO_SERVICE_MANAGER',
    `services are known for systemd and launchd, and this is ${host.platform}`,
    EXIT.failure,
    'sgsd up runs the daemon in the foreground, under any supervisor',
  )
}

function systemdManager(host: ServiceHost, scope: ServiceScope): ServiceManager {
  return {
    name: 'systemd',
    scope,
    path: systemdUnitPath(scope, host.home, host.env),
    stateDir: SYSTEMD_STATE_DIR,
    makesAccount: true,
    absence: host.exists('/run/systemd/system') ? undefined : 'systemd does not run on this machine (there is no /run/systemd/system)',
    install: systemdInstall(scope),
    remove: systemdRemove(scope),
    forget: systemdForget(scope),
    show: { argv: systemdShow(scope) },
    render: renderSystemdUnit,
    state: ({ stdout }) => parseSystemdShow(stdout),
    logs: () => `journalctl ${scope === 'user' ? '--user ' : ''}-u sgsd -n 20`,
  }
}

function launchdManager(host: ServiceHost, scope: ServiceScope): ServiceManager {
  const path = launchdPlistPath(scope, host.home)
  return {
    name: 'launchd',
    scope,
    path,
    stateDir: LAUNCHD_STATE_DIR,
    makesAccount: false,
    absence: undefined,
    install: launchdInstall(scope, host.uid, path),
    remove: launchdRemove(scope, host.uid),
    forget: [],
    // it fails for a service that is not loaded
    show: { argv: launchdShow(scope, host.uid), mayFail: true },
    render: (spec) => renderLaunchdPlist(spec, launchdLogPath(spec, host.home)),
    state: ({ status, stdout }) => parseLaunchdPrint(status === 0 ? stdout : undefined),
    logs: (spec) => `tail '${launchdLogPath(spec, host.home)}'`,
  }
}
