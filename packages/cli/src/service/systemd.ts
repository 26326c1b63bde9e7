import { isAbsolute, join } from 'node:path'
import { EXIT } from '../exit-code.ts'
import { type ManagerCommand, OPEN_FILES, type ServiceScope, type ServiceSpec, type ServiceState, startArguments, STOP_SECONDS } from './spec.ts'

export const SYSTEMD_UNIT = 'sgsd.service'

/** Where a system service keeps its node when nothing else is said: systemd's `StateDirectory=sgsd`. */
export const SYSTEMD_STATE_DIR = '/var/lib/sgsd'

/** What the unit that is handed to packagers starts: the system-wide command, as an account that systemd makes up. */
export const PACKAGED_UNIT: ServiceSpec = {
  scope: 'system',
  command: ['/usr/bin/sgsd'],
  dataDir: undefined,
  account: undefined,
  deviceGroups: ['video', 'render'],
}

export function systemdUnitPath(scope: ServiceScope, home: string, env: Readonly<Record<string, string | undefined>>): string {
  if (scope === 'system') return join('/etc/systemd/system', SYSTEMD_UNIT)
  const config = env['XDG_CONFIG_HOME']
  return join(config !== undefined && config !== '' ? config : join(home, '.config'), 'systemd', 'user', SYSTEMD_UNIT)
}

/** What puts the written unit into force; a service that runs already is started anew. */
export function systemdInstall(scope: ServiceScope): readonly ManagerCommand[] {
  return [
    { argv: systemctl(scope, 'daemon-reload') },
    { argv: systemctl(scope, 'enable', SYSTEMD_UNIT) },
    { argv: systemctl(scope, 'restart', SYSTEMD_UNIT) },
  ]
}

/** Stops the service and forgets its failures; then the unit's file goes, then comes `systemdForget`. */
export function systemdRemove(scope: ServiceScope): readonly ManagerCommand[] {
  return [{ argv: systemctl(scope, 'disable', '--now', SYSTEMD_UNIT) }, { argv: systemctl(scope, 'reset-failed', SYSTEMD_UNIT), mayFail: true }]
}

export function systemdForget(scope: ServiceScope): readonly ManagerCommand[] {
  return [{ argv: systemctl(scope, 'daemon-reload') }]
}

/** Prints `Key=value` lines that `parseSystemdShow` reads; exits 0 for an unknown unit too. */
export function systemdShow(scope: ServiceScope): readonly [string, ...string[]] {
  return systemctl(scope, 'show', SYSTEMD_UNIT, '--property=LoadState,ActiveState,SubState,UnitFileState,MainPID,ExecMainStatus')
}

export function parseSystemdShow(text: string): ServiceState {
  const value = new Map(text.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1).trim()]))
  const pid = Number(value.get('MainPID') ?? 0)
  const loaded = value.get('LoadState') === 'loaded'
  const state = value.get('ActiveState') ?? 'unknown'
  const exit = value.get('ExecMainStatus') ?? ''
  return {
    loaded,
    enabled: value.get('UnitFileState') === 'enabled',
    running: state === 'active',
    state,
    pid: pid > 0 ? pid : null,
    lastExit: loaded && pid <= 0 && exit !== '' ? Number(exit) : null,
  }
}

/** The unit file, whole. The system unit is sandboxed as far as V8's compiler and the GPU allow; `systemd-analyze security` rates it. */
export function renderSystemdUnit(spec: ServiceSpec): string {
  const sections = [
    section('Unit', [
      ['Description', 'sgsd, a node of a colour and lattice mesh'],
      ...(spec.scope === 'system' ? NETWORK_ORDER : []),
      '# a node that cannot run at all should not be tried for ever',
      ['StartLimitIntervalSec', '300'],
      ['StartLimitBurst', '10'],
    ]),
    section('Service', [
      ['Type', 'exec'],
      ['ExecStart', execLine(startArguments(spec))],
      ['Restart', 'on-failure'],
      ['RestartSec', '2'],
      `# ${EXIT.configuration}: bad configuration or identity, ${EXIT.usage}: bad usage; the same again would not help`,
      ['RestartPreventExitStatus', `${EXIT.configuration} ${EXIT.usage}`],
      ['KillMode', 'mixed'],
      '# a graceful stop takes at most 5 s',
      ['TimeoutStopSec', String(STOP_SECONDS)],
      ['LimitNOFILE', String(OPEN_FILES)],
      '# the machine stays usable while it mines',
      ['CPUWeight', '50'],
      ['UMask', '0027'],
      ...(spec.scope === 'system'
        ? [...accountLines(spec), ...SYSTEM_SANDBOX, ['ProtectHome', homeAccess(spec)] as const, ...deviceLines(spec)]
        : []),
      ...SECCOMP_SANDBOX,
    ]),
    section('Install', [['WantedBy', spec.scope === 'system' ? 'multi-user.target' : 'default.target']]),
  ]
  return sections.join('\n')
}

/**
 * One word of a unit file. Spaces and quotes are quoted; `%` is doubled, since it starts a specifier. Control characters are refused
 * before a service is described.
 * @param expandsVariables - the place expands `$NAME` (arguments of ExecStart, not its program and not paths): `$` is doubled
 */
export function unitWord(word: string, expandsVariables: boolean): string {
  const escaped = word
    .replaceAll('%', '%%')
    .replaceAll('$', expandsVariables ? '$$$$' : '$$')
    .replaceAll(/[\\"]/g, String.raw`\$&`)
  return /^[\w@%+=:,./~^-]+$/.test(escaped) ? escaped : `"${escaped}"`
}

type Line = readonly [key: string, value: string] | string

function section(name: string, lines: readonly Line[]): string {
  return `[${name}]\n${lines.map((line) => `${typeof line === 'string' ? line : line.join('=')}\n`).join('')}`
}

function execLine([program, ...args]: readonly [string, ...string[]]): string {
  return [unitWord(program, false), ...args.map((arg) => unitWord(arg, true))].join(' ')
}

function systemctl(scope: ServiceScope, ...args: readonly string[]): readonly [string, ...string[]] {
  return ['systemctl', ...(scope === 'user' ? ['--user'] : []), ...args]
}

const NETWORK_ORDER: readonly Line[] = [
  ['Wants', 'network-online.target'],
  '# after what makes addresses and GPU devices, where there is such a thing',
  ['After', 'network-online.target tailscaled.service nvidia-persistenced.service'],
]

function accountLines(spec: ServiceSpec): readonly Line[] {
  if (spec.dataDir === undefined)
    return [
      ['DynamicUser', 'yes'],
      ['StateDirectory', 'sgsd'],
      ['StateDirectoryMode', '0750'],
    ]
  return [
    ...(spec.account === undefined ? [] : ([['User', unitWord(spec.account, false)]] as const)),
    ['ReadWritePaths', unitWord(spec.dataDir, false)],
  ]
}

/** Homes are closed, unless the program or its data lie in one. */
function homeAccess(spec: ServiceSpec): string {
  const paths = [...spec.command.filter((word) => isAbsolute(word)), ...(spec.dataDir === undefined ? [] : [spec.dataDir])]
  return paths.some(isInHome) ? 'read-only' : 'yes'
}

/** Whether systemd's ProtectHome covers the path. */
export function isInHome(path: string): boolean {
  return ['home', 'root', 'run/user'].some((home) => path.startsWith(`/${home}/`))
}

/** Needs no privilege, so that a user's own manager can do it too. */
const SECCOMP_SANDBOX: readonly Line[] = [
  '# no MemoryDenyWriteExecute: V8 compiles JavaScript and WebAssembly at run time',
  ['NoNewPrivileges', 'yes'],
  ['LockPersonality', 'yes'],
  ['RestrictAddressFamilies', 'AF_UNIX AF_INET AF_INET6 AF_NETLINK'],
  ['RestrictNamespaces', 'yes'],
  ['RestrictRealtime', 'yes'],
  ['RestrictSUIDSGID', 'yes'],
  ['SystemCallArchitectures', 'native'],
  ['SystemCallErrorNumber', 'EPERM'],
  ['SystemCallFilter', '@system-service'],
  ['SystemCallFilter', '~@privileged'],
]

const SYSTEM_SANDBOX: readonly Line[] = [
  ['AmbientCapabilities', ''],
  ['CapabilityBoundingSet', ''],
  ['KeyringMode', 'private'],
  ['PrivateMounts', 'yes'],
  ['PrivateTmp', 'yes'],
  ['ProtectClock', 'yes'],
  ['ProtectControlGroups', 'yes'],
  ['ProtectHostname', 'yes'],
  ['ProtectKernelLogs', 'yes'],
  ['ProtectKernelModules', 'yes'],
  ['ProtectKernelTunables', 'yes'],
  ['ProtectProc', 'invisible'],
  ['ProtectSystem', 'strict'],
  ['RemoveIPC', 'yes'],
]

/** No PrivateDevices: GPUs must stay reachable, and nothing else. */
function deviceLines(spec: ServiceSpec): readonly Line[] {
  return [
    '# GPUs: NVIDIA, DRM (Intel, AMD), AMD compute',
    ['DevicePolicy', 'closed'],
    ['DeviceAllow', 'char-nvidia* rw'],
    ['DeviceAllow', 'char-drm rw'],
    ['DeviceAllow', 'char-kfd rw'],
    ...(spec.deviceGroups.length > 0 ? groupLines(spec.deviceGroups) : []),
  ]
}

function groupLines(groups: readonly string[]): readonly Line[] {
  return [
    '# a group that does not exist would keep the service from starting (deploy/sgsd.sysusers makes them)',
    ['SupplementaryGroups', groups.join(' ')],
  ]
}
