import { type Command, Option } from 'commander'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { CliError } from '../failure.ts'
import { addLeaf, bigNumber, collect, dataDirOf, nextCommand, optionsOf, printJson, wholeNumber } from '../leaf.ts'
import { shortPeer } from '../text/figures.ts'

interface InitFlags {
  readonly name?: string
  readonly mesh?: string
  readonly open?: boolean
  readonly vote?: boolean
  readonly seed?: bigint
  readonly epochColours?: bigint
  readonly fold: 'evidence' | 'mean' | 'trimmed' | 'median'
  readonly port?: number
  readonly listen?: readonly string[]
}

export function addInit(program: Command, context: Context): void {
  addLeaf(program, {
    name: 'init',
    summary: 'found a mesh on this machine: identity, genesis, mesh key',
    examples: ['sgsd init', 'sgsd init --mesh grove --name atlas', 'sgsd init --open --port 42070 --data-dir ./a'],
  })
    .option('--name <name>', 'name of this node: a-z, 0-9 and -, at most 32 (default: the host name)')
    .option('--mesh <name>', 'name of the mesh (default: grove)')
    .option('--open', 'no mesh key: whoever knows an address may join')
    .option('--vote', 'beside the key, newcomers show that they compute, and more than half of the members vote them in')
    .option('--seed <number>', 'colour seed (default: 7202985)', bigNumber)
    .option('--epoch-colours <number>', 'colours in an epoch, a multiple of 2^20 (default: 2^40)', bigNumber)
    .addOption(
      new Option(
        '--fold <rule>',
        'how members learn: evidence sums counts, mean averages weights, trimmed and median do so in a way that one writer of three cannot move',
      )
        .choices(['evidence', 'mean', 'trimmed', 'median'])
        .default('evidence'),
    )
    .option('--port <port>', 'TCP port on all interfaces (default: 42069)', wholeNumber(0, 65_535))
    .option('--listen <multiaddr>', 'listen here instead; may be given again', collect)
    .action(async (_flags, command: Command) => {
      const flags = optionsOf<InitFlags>(command)
      const daemon = await context.edges.daemon()
      if (flags.open === true && flags.vote === true) throw new CliError('USAGE', 'an open mesh does not vote: --open or --vote', EXIT.usage)
      const { mesh, name, open, vote, seed, epochColours, fold, port, listen } = flags
      const made = await daemon.initDataDir(await dataDirOf(context, flags), {
        ...(name === undefined ? {} : { name }),
        ...(mesh === undefined ? {} : { meshName: mesh }),
        ...(open === undefined ? {} : { open }),
        ...(vote === undefined ? {} : { vote }),
        ...(seed === undefined ? {} : { seed }),
        ...(epochColours === undefined ? {} : { epochColours }),
        fold: `${fold}/1`,
        ...(port === undefined ? {} : { port }),
        ...(listen === undefined ? {} : { listen }),
      })
      if (flags.json === true) return printJson(context, { schema: 'sgsd.init/1', ...made })
      const { terminal } = context
      terminal.print(
        `mesh ${terminal.out.bold(made.meshName)} founded, id ${made.meshId.slice(0, 12)}, ${made.admission === 'open' ? 'open' : made.admission === 'key' ? 'key on' : 'key on, by vote'}`,
      )
      terminal.print(`node ${shortPeer(made.peerId)} in ${made.dataDir}`)
      terminal.note(`→  ${nextCommand('up', flags)}`)
    })
}
