import type { Config } from '@sgsd/daemon'
import type { Command } from 'commander'
import { configOfEnvironment } from '../config/environment.ts'
import { fieldsOf, mergeOverrides } from '../config/fields.ts'
import type { Context } from '../context.ts'
import type { PartialConfig, RunningDaemon } from '../edges.ts'
import { addLeaf, collect, dataDirOf, optionsOf, printJson, wholeNumber } from '../leaf.ts'

type ProviderSetting = Config['lattice']['provider']

/** `ENGINE_NAMES` of @sgsd/compute, which is not loaded for a line of help. */
export const PROVIDERS: readonly ProviderSetting[] = ['auto', 'native', 'wasm', 'reference', 'onnx:cuda', 'onnx:coreml', 'onnx:dml', 'onnx:webgpu']

interface UpFlags {
  readonly name?: string
  readonly port?: number
  readonly listen?: readonly string[]
  readonly bootstrap?: readonly string[]
  readonly threads?: number
  readonly mine: boolean
  readonly farm: boolean
  readonly mdns: boolean
  readonly tailscale: boolean
  readonly provider?: ProviderSetting
  readonly logLevel?: 'trace' | 'debug' | 'info' | 'warn' | 'error'
  readonly exitWithStdin?: boolean
}

export function addUp(program: Command, context: Context): void {
  const command = addLeaf(program, {
    name: 'up',
    summary: 'run the daemon in the foreground',
    details:
      'Prints its multiaddr once it is ready and, on a terminal, an invite for one machine within a day; logs go to standard error. Ctrl-C or `sgsd down` stop it within 5 s.',
    examples: ['sgsd up', 'sgsd up --data-dir ./a --no-mine', 'sgsd up --provider onnx:cuda', 'SGSD_LOG_LEVEL=debug sgsd up --json'],
  })
  command
    .option('--name <name>', 'name of this node, for this run')
    .option('--port <port>', 'TCP port on all interfaces, for this run', wholeNumber(0, 65_535))
    .option('--listen <multiaddr>', 'listen here instead; may be given again', collect)
    .option('--bootstrap <multiaddr>', 'dial this until it answers; may be given again', collect)
    .option('--threads <count>', 'mining threads; 0 = half the cores', wholeNumber(0, 1_024))
    .option('--no-mine', 'do not begin to mine by itself')
    .option('--no-farm', 'do not farm the corpus by itself')
    .option('--no-mdns', 'no multicast discovery')
    .option('--no-tailscale', 'no discovery over Tailscale')
  command.addOption(
    command.createOption('--provider <name>', 'what steps the lattice; auto = the fastest that answers right here').choices(PROVIDERS),
  )
  command.addOption(command.createOption('--log-level <level>', 'how much is logged').choices(['trace', 'debug', 'info', 'warn', 'error']))
  command.addOption(command.createOption('--exit-with-stdin', 'stop when standard input ends: for a parent process').hideHelp())
  command.action(async (_flags, self: Command) => {
    const flags = optionsOf<UpFlags>(self)
    const { configSchema, startDaemon } = await context.edges.daemon()
    const config = mergeOverrides(configOfEnvironment(fieldsOf(configSchema.parse({})), context.terminal.env), configOfFlags(flags))
    const daemon = await startDaemon(await dataDirOf(context, flags), { config, humanLog: context.terminal.errLive })
    const stop = (): void => void daemon.stop()
    if (context.signal.aborted) stop()
    context.signal.addEventListener('abort', stop, { once: true })
    if (flags.exitWithStdin === true) process.stdin.once('end', stop).once('close', stop).resume()
    announce(context, daemon, flags.json === true)
    // an order to stop is how a foreground daemon ends: what counts is whether it ended well
    context.exitCode = await daemon.closed
    if (flags.exitWithStdin === true) process.stdin.destroy()
  })
}

function announce(context: Context, daemon: RunningDaemon, json: boolean): void {
  const { terminal, version } = context
  const { peerId, meshId, meshName, multiaddrs } = daemon
  if (json)
    return printJson(context, { schema: 'sgsd.up/1', version, pid: process.pid, peerId, meshId, meshName, multiaddrs, invites: daemon.invite() })
  terminal.print(`sgsd ${version}  mesh ${terminal.out.bold(meshName)}  node ${peerId}`)
  for (const multiaddr of multiaddrs) terminal.print(`listening  ${multiaddr}`)
  // a supervisor's journal is no place for a secret
  const [invite] = terminal.outLive ? daemon.invite() : []
  terminal.print(`invite     ${invite === undefined ? 'sgsd invite prints one' : `sgsd join '${invite}'`}`)
}

function configOfFlags(flags: UpFlags): PartialConfig {
  const listen = flags.listen ?? (flags.port === undefined ? undefined : [`/ip4/0.0.0.0/tcp/${flags.port}`])
  const mine = { ...(flags.mine ? {} : { auto: false }), ...(flags.threads === undefined ? {} : { threads: flags.threads }) }
  return {
    ...(flags.name === undefined ? {} : { name: flags.name }),
    ...(listen === undefined ? {} : { listen }),
    ...(flags.bootstrap === undefined ? {} : { bootstrap: flags.bootstrap }),
    ...(flags.mdns ? {} : { mdns: false }),
    ...(flags.tailscale ? {} : { tailscale: false }),
    ...(Object.keys(mine).length === 0 ? {} : { mine }),
    ...(flags.farm ? {} : { farm: { auto: false } }),
    ...(flags.provider === undefined ? {} : { lattice: { provider: flags.provider } }),
    ...(flags.logLevel === undefined ? {} : { log: { level: flags.logLevel } }),
  }
}
