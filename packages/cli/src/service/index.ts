import { setTimeout as pause } from 'node:timers/promises'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { CliError } from '../failure.ts'
import { addGroup, addLeaf, type CommonOptions, dataDirOf, optionsOf, printJson } from '../leaf.ts'
import { describeService, type ScopeFlags, scopeOf } from './describe.ts'
import { type CommandResult, type ServiceHost, thisHost } from './host.ts'
import { managerFor, type ServiceManager } from './manager.ts'
import type { ManagerCommand, ServiceSpec, ServiceState } from './spec.ts'

interface ServiceFlags extends ScopeFlags, CommonOptions {
  readonly dryRun?: boolean
}

/** One command's view of the machine. */
interface Task {
  readonly context: Context
  readonly host: ServiceHost
  readonly flags: ServiceFlags
  readonly manager: ServiceManager
}

/** `sgsd service install|uninstall|status`. */
export function addServiceCommands(program: Command, context: Context, host: ServiceHost = thisHost()): void {
  const service = addGroup(program, 'service', 'run the daemon as a service of systemd or launchd')
  const task = (command: Command): Task => {
    const flags = optionsOf<ServiceFlags>(command)
    return { context, host, flags, manager: managerFor(host, scopeOf(flags, host.uid)) }
  }
  scoped(service, {
    name: 'install',
    summary: 'start the daemon now and whenever the machine starts (or you log in)',
    details:
      'A system service has an account of its own and keeps its node in /var/lib/sgsd, unless --data-dir names a directory: then it runs as the owner.',
    examples: ['sgsd service install', 'sudo sgsd service install --system', 'sgsd service install --dry-run'],
  })
    .option('--dry-run', 'print what would be written and run, and do nothing')
    .action((_flags, command: Command) => install(task(command)))
  scoped(service, { name: 'uninstall', summary: 'stop the service and remove it; its data stays', examples: ['sgsd service uninstall'] })
    .option('--dry-run', 'print what would be removed and run, and do nothing')
    .action((_flags, command: Command) => uninstall(task(command)))
  scoped(service, {
    name: 'status',
    summary: 'whether the service is installed and runs (exit 3 when it does not)',
    examples: ['sgsd service status', 'sgsd service status --json'],
  }).action((_flags, command: Command) => status(task(command)))
}

function scoped(parent: Command, leaf: Parameters<typeof addLeaf>[1]): Command {
  return addLeaf(parent, leaf)
    .option('--user', 'the service of the person who is logged in (default, except for root)')
    .option('--system', 'the service of the machine')
}

async function install(task: Task): Promise<void> {
  const { context, host, flags, manager } = task
  const userDir = manager.scope === 'user' ? await dataDirOf(context, flags) : ''
  const spec = await describeService(host, manager, flags.dataDir ?? (context.terminal.env['SGSD_DATA_DIR'] || undefined), userDir)
  const content = manager.render(spec)
  if (flags.dryRun === true) {
    if (flags.json === true) return report(task, 'install', manager.install, { dataDir: placeOf(task, spec), content })
    context.terminal.note(`would write ${manager.path}:`)
    context.terminal.print(content.trimEnd())
    return noteCommands(task, manager.install)
  }
  requireManager(task)
  requireRoot(task)
  await requireNode(task, placeOf(task, spec))
  await host.write(manager.path, content)
  await perform(task, manager.install)
  await pause(host.settleMs, undefined, { signal: context.signal })
  const state = await stateOf(task)
  if (flags.json === true) report(task, 'install', manager.install, { dataDir: placeOf(task, spec), ...state })
  else context.terminal.print(`${manager.path} written; the service is ${wordsFor(state)}`)
  if (!state.running) {
    throw new CliError(
      'NOT_RUNNING',
      `the service was installed but is ${wordsFor(state)}`,
      state.lastExit === EXIT.configuration ? EXIT.configuration : EXIT.failure,
      manager.logs(spec),
    )
  }
  if (manager.name === 'systemd' && manager.scope === 'user') context.terminal.note('it stops when you log out, unless: loginctl enable-linger')
}

async function uninstall(task: Task): Promise<void> {
  const { context, host, flags, manager } = task
  const commands = [...manager.remove, ...manager.forget]
  if (flags.dryRun === true) {
    if (flags.json === true) return report(task, 'uninstall', commands, {})
    context.terminal.print(`would remove ${manager.path}`)
    return noteCommands(task, commands)
  }
  const installed = host.exists(manager.path)
  if (installed) {
    requireManager(task)
    requireRoot(task)
    await perform(task, manager.remove)
    await host.remove(manager.path)
    await perform(task, manager.forget)
  }
  if (flags.json === true) return report(task, 'uninstall', installed ? commands : [], { removed: installed })
  context.terminal.print(installed ? `${manager.path} removed; the node's data stays where it is` : `no service is installed (${manager.path})`)
}

async function status(task: Task): Promise<void> {
  const { context, host, flags, manager } = task
  requireManager(task)
  const installed = host.exists(manager.path)
  const state = await stateOf(task)
  if (!state.running) context.exitCode = EXIT.notRunning
  if (flags.json === true) return report(task, 'status', [], { installed, ...state })
  context.terminal.print(
    installed || state.loaded ? `the ${manager.scope} service is ${wordsFor(state)} (${manager.path})` : `no ${manager.scope} service is installed`,
  )
  if (!installed && !state.loaded) context.terminal.note('→  sgsd service install')
}

/** Where the node lives that the service will run. */
function placeOf({ manager }: Task, spec: ServiceSpec): string {
  return spec.dataDir ?? manager.stateDir
}

function requireManager({ manager }: Task): void {
  if (manager.absence !== undefined) {
    throw new CliError(
      'NO_SERVICE_MANAGER',
      `${manager.absence}, so no service can be run`,
      EXIT.failure,
      'sgsd up runs the daemon in the foreground, under any supervisor',
    )
  }
}

function requireRoot({ host, manager, flags }: Task): void {
  if (manager.scope !== 'system' || host.uid === 0) return
  const hint = flags.system === true ? 'sudo, or --user for a service of your own' : 'sudo'
  throw new CliError('NOT_PERMITTED', 'the system service needs root', EXIT.notPermitted, hint)
}

/** A service that has no node to run would only fail in the background. */
async function requireNode({ context, host }: Task, dataDir: string): Promise<void> {
  if (host.exists((await context.edges.daemon()).dataDir(dataDir).genesis)) return
  throw new CliError(
    'NO_MESH',
    `${dataDir} holds no node yet`,
    EXIT.configuration,
    `sgsd init --data-dir '${dataDir}', or sgsd join INVITE --data-dir '${dataDir}'`,
  )
}

async function perform(task: Task, commands: readonly ManagerCommand[]): Promise<void> {
  for (const command of commands) await say(task, command)
}

async function stateOf(task: Task): Promise<ServiceState> {
  return task.manager.state(await say(task, task.manager.show))
}

/** @throws CliError MANAGER_REFUSED with the manager's own words */
async function say({ context, host, manager }: Task, { argv, mayFail }: ManagerCommand): Promise<CommandResult> {
  const result = await host.run(argv, context.signal)
  if (result.status === 0 || mayFail === true) return result
  const session = 'a user service needs a login session: log in directly (not by su or sudo), or use --system'
  throw new CliError(
    'MANAGER_REFUSED',
    `${argv.join(' ')} failed: ${result.stderr.trim() || `exit ${result.status}`}`,
    EXIT.failure,
    manager.name === 'systemd' && manager.scope === 'user' ? session : `see ${manager.path}`,
  )
}

function wordsFor(state: ServiceState): string {
  if (!state.loaded) return 'not loaded'
  const process = state.pid === null ? '' : `, process ${state.pid}`
  const exit = state.lastExit === null || state.lastExit === 0 ? '' : `, last exit ${state.lastExit}`
  return `${state.state}${process}${exit}${state.enabled ? '' : ', not enabled'}`
}

function noteCommands({ context }: Task, commands: readonly ManagerCommand[]): void {
  for (const { argv } of commands) context.terminal.note(`would run ${argv.join(' ')}`)
}

function report({ context, flags, manager }: Task, action: string, commands: readonly ManagerCommand[], fields: object): void {
  printJson(context, {
    schema: 'sgsd.service/1',
    action,
    manager: manager.name,
    scope: manager.scope,
    path: manager.path,
    dryRun: flags.dryRun === true,
    commands: commands.map(({ argv }) => argv),
    ...fields,
  })
}
