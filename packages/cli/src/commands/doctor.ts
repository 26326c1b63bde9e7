import type { ComputeErrorData } from '@sgsd/compute'
import type { StatusDocument } from '@sgsd/daemon'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { type Check, checkLines, computeChecks, statusChecks } from '../doctor/check.ts'
import { localChecks } from '../doctor/local.ts'
import { configOfEnvironment } from '../config/environment.ts'
import { fieldsOf } from '../config/fields.ts'
import { EXIT } from '../exit-code.ts'
import { describeFailure } from '../failure.ts'
import { addLeaf, dataDirOf, optionsOf, printJson } from '../leaf.ts'

export function addDoctor(program: Command, context: Context): void {
  addLeaf(program, {
    name: 'doctor',
    summary: 'look for what is wrong, and say how to mend it',
    details: 'Works with and without a running daemon. Exit 4 when something is wrong.',
    examples: ['sgsd doctor', 'sgsd doctor --json --data-dir ./a'],
  }).action(async (_flags, command: Command) => {
    const flags = optionsOf(command)
    const daemon = await context.edges.daemon()
    const dir = await dataDirOf(context, flags)
    const asked = await askDaemon(context, dir)
    const checks = [
      ...(await localChecks(daemon, dir, asked.running)),
      ...(asked.status === undefined
        ? await ownComputeChecks(context, await wantedProvider(context, dir))
        : computeChecks(asked.status.colours.engines, asked.status.lattice.providers, asked.status.lattice.folds)),
      ...asked.checks,
    ]
    const faults = checks.filter(({ state }) => state === 'fault').length
    if (faults > 0) context.exitCode = EXIT.degraded
    if (flags.json === true) return printJson(context, { schema: 'sgsd.doctor/1', ok: faults === 0, checks })
    for (const line of checkLines(checks, context.terminal.out)) context.terminal.print(line)
    context.terminal.note(faults === 0 ? 'nothing is wrong' : `${faults} ${faults === 1 ? 'thing needs' : 'things need'} mending`)
  })
}

interface Asked {
  readonly running: boolean
  readonly status: StatusDocument | undefined
  readonly checks: readonly Check[]
}

async function askDaemon(context: Context, dir: string): Promise<Asked> {
  try {
    const status = await (await context.edges.daemon()).openControl(dir).get<StatusDocument>('/v1/status', context.signal)
    return { running: true, status, checks: statusChecks(status) }
  } catch (error) {
    context.signal.throwIfAborted()
    const { message, hint, exitCode } = describeFailure(error)
    const running = exitCode !== EXIT.notRunning
    return { running, status: undefined, checks: [{ name: 'daemon', state: running ? 'fault' : 'note', what: message, mend: hint }] }
  }
}

/** What the next daemon would step the lattice with; nothing where the configuration cannot be read, which is a check of its own. */
async function wantedProvider(context: Context, dir: string): Promise<string | undefined> {
  try {
    const { configSchema, dataDir, readConfig } = await context.edges.daemon()
    const environment = configOfEnvironment(fieldsOf(configSchema.parse({})), context.terminal.env)
    return (await readConfig(dataDir(dir).config, environment)).lattice.provider
  } catch {
    return undefined
  }
}

/** Opens the engines in this process: what a daemon would find at its start. */
async function ownComputeChecks(context: Context, provider: string | undefined): Promise<Check[]> {
  const found: Check[] = []
  try {
    await using colours = await context.edges.colours({ threads: 1 })
    found.push(...computeChecks(colours.engines, []))
  } catch (error) {
    found.push({ name: 'colour engines', state: 'fault', what: describeFailure(error).message, mend: '' })
  }
  try {
    await using lattice = await context.edges.lattice(provider === undefined ? {} : { provider })
    const { providers, folds } = lattice.info()
    found.push(...computeChecks([], providers, folds))
  } catch (error) {
    found.push(latticeFault(error))
  }
  return found
}

/** A provider that was asked for and does not work says itself what to do. */
function latticeFault(error: unknown): Check {
  const { data } = error as { readonly data?: Partial<ComputeErrorData['PROVIDER_UNAVAILABLE']> }
  if (data?.provider === undefined || data.detail === undefined) {
    return { name: 'lattice providers', state: 'fault', what: describeFailure(error).message, mend: '' }
  }
  const instead = 'sgsd config set lattice.provider auto takes the fastest that works'
  return {
    name: `lattice provider ${data.provider}`,
    state: 'fault',
    what: `asked for by lattice.provider, but it does not work here: ${data.detail}`,
    mend: data.mend === undefined ? instead : `${data.mend}; or: ${instead}`,
  }
}
