/** Who the service belongs to: the person who installs it, or the machine. */
export type ServiceScope = 'user' | 'system'

/** What a service manager has to start; the manager's own file is rendered from it. */
export interface ServiceSpec {
  readonly scope: ServiceScope
  /** Program and leading arguments that run `sgsd`, absolute; `up` and the data directory are added. */
  readonly command: readonly [string, ...string[]]
  /** Absolute data directory; undefined = the state directory that the manager makes and names in the environment. */
  readonly dataDir: string | undefined
  /** Account that the system service runs as; undefined = one that the manager makes up (systemd), or the person's own. */
  readonly account: string | undefined
  /** Groups of this machine that own its GPU device files. */
  readonly deviceGroups: readonly string[]
}

/** Longest graceful stop of the daemon and what is left to write after it, seconds; then it is killed. */
export const STOP_SECONDS = 7

/** Open files: a block store, a few hundred peers, SQLite. */
export const OPEN_FILES = 65_536

/** `sgsd up` as the manager starts it. */
export function startArguments(spec: ServiceSpec): readonly [string, ...string[]] {
  return [...spec.command, 'up', ...(spec.dataDir === undefined ? [] : ['--data-dir', spec.dataDir])]
}

/** A command of the service manager, program first. */
export interface ManagerCommand {
  readonly argv: readonly [string, ...string[]]
  /** Its failure changes nothing: it only clears what may not be there. */
  readonly mayFail?: boolean
}

/** What a service manager says of the service. */
export interface ServiceState {
  /** The manager knows it. */
  readonly loaded: boolean
  /** It starts at boot (system) or at log-in (user). */
  readonly enabled: boolean
  readonly running: boolean
  /** The manager's own word: `active`, `failed`, `running`, `not running` … */
  readonly state: string
  readonly pid: number | null
  /** Exit status of the last run, or null while it runs or when there was none. */
  readonly lastExit: number | null
}
