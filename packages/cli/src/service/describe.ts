import { dirname, isAbsolute, join, resolve } from 'node:path'
import { EXIT } from '../exit-code.ts'
import { CliError } from '../failure.ts'
import type { ServiceHost } from './host.ts'
import type { ServiceManager } from './manager.ts'
import type { ServiceScope, ServiceSpec } from './spec.ts'
import { isInHome } from './systemd.ts'

/** Groups that own GPU device files on Linux. */
const DEVICE_GROUPS: readonly string[] = ['video', 'render']

export interface ScopeFlags {
  readonly user?: boolean
  readonly system?: boolean
}

/** The scope asked for; else the machine's for root and the person's own for everybody else. @throws CliError USAGE for both at once */
export function scopeOf(flags: ScopeFlags, uid: number): ServiceScope {
  if (flags.user === true && flags.system === true) throw new CliError('USAGE', '--user and --system exclude each other', EXIT.usage)
  if (flags.system === true) return 'system'
  return flags.user === true || uid !== 0 ? 'user' : 'system'
}

/**
 * Everything that the manager has to know, from how this process was started.
 * @param dataDir - asked for by flag or environment; undefined = the scope's own place
 * @param userDataDir - the person's own place
 * @throws CliError that says what to do, when the service could not run so
 */
export async function describeService(
  host: ServiceHost,
  manager: ServiceManager,
  dataDir: string | undefined,
  userDataDir: string,
): Promise<ServiceSpec> {
  const { scope } = manager
  const command = startCommand(host)
  const place = scope === 'user' ? resolve(dataDir ?? userDataDir) : dataDir === undefined ? undefined : resolve(dataDir)
  for (const path of [...command, ...(place === undefined ? [] : [place])]) refuseControlCharacters(path)
  if (scope === 'user') return { scope, command, dataDir: place, account: undefined, deviceGroups: [] }
  const deviceGroups = (await host.groups()).filter((name) => DEVICE_GROUPS.includes(name))
  if (place === undefined && manager.makesAccount) {
    refuseHome(command)
    return { scope, command, dataDir: undefined, account: undefined, deviceGroups }
  }
  const owned = place ?? manager.stateDir
  return { scope, command, dataDir: owned, account: await accountOf(host, owned), deviceGroups }
}

/** Node, its options and the script of this process. A checkout's own Node is named by the link that outlives its updates. */
function startCommand(host: ServiceHost): readonly [string, ...string[]] {
  if (!isAbsolute(host.script)) throw new CliError('NO_PROGRAM', 'cannot tell which program a service should start', EXIT.failure)
  const checkout = host.script.endsWith('/packages/cli/src/main.ts') ? dirname(dirname(dirname(dirname(host.script)))) : undefined
  const link = checkout === undefined ? '' : join(checkout, 'node_modules', '.bin', 'node')
  const options = host.nodeOptions.filter((option) => !option.startsWith('--inspect'))
  return [link !== '' && host.exists(link) ? link : host.node, ...options, host.script]
}

async function accountOf(host: ServiceHost, dataDir: string): Promise<string> {
  const owner = await host.ownerOf(dataDir)
  if (owner === undefined) {
    throw new CliError(
      'NO_DATA_DIR',
      `${dataDir} does not exist; the service runs as its owner`,
      EXIT.configuration,
      `sgsd init --data-dir '${dataDir}'`,
    )
  }
  if (owner === 'root') {
    const hint = `chown -R ACCOUNT '${dataDir}'`
    throw new CliError(
      'ROOT_OWNED',
      `${dataDir} belongs to root; the service runs as its owner, and should not run as root`,
      EXIT.configuration,
      hint,
    )
  }
  return owner
}

function refuseHome(command: readonly string[]): void {
  const hidden = command.find(isInHome)
  if (hidden === undefined) return
  throw new CliError(
    'PROGRAM_IN_HOME',
    `${hidden} lies in a home directory, which the system service's account cannot read`,
    EXIT.configuration,
    'put sgsd elsewhere (/opt/sgsd, or npm install --global), or sgsd service install --user',
  )
}

function refuseControlCharacters(path: string): void {
  if (/[\0-\x1f\x7f]/.test(path))
    throw new CliError('USAGE', `a service cannot be given a path with control characters: ${JSON.stringify(path)}`, EXIT.usage)
}
