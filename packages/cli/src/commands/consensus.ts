import type { ConsensusDocument, ConsensusLogDocument, ConsensusVerifyDocument, VerifyLine } from '@sgsd/daemon'
import { type Command, InvalidArgumentError } from 'commander'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { CliError } from '../failure.ts'
import { addGroup, addLeaf, type CommonOptions, controlOf, nextCommand, optionsOf, printJson, wholeNumber } from '../leaf.ts'
import { openProgress, type Progress } from '../progress.ts'
import { consensusLog, consensusView, refoldView } from '../view/consensus.ts'

const DEFAULT_LOG = 20
/** As many as `history.keep` allows. */
const MOST = 100_000

const AT = 'a number of sgsd consensus log, or epoch:<n> for the newest of a colour epoch'

export function addConsensus(program: Command, context: Context): void {
  const { terminal } = context
  const consensus = addGroup(program, 'consensus', 'what this node has folded, and from which heads')
  addLeaf(consensus, {
    name: 'log',
    summary: 'every change of the consensus, newest first',
    examples: ['sgsd consensus log', 'sgsd consensus log -n 100 --json'],
  })
    .option('-n, --count <count>', `how many (default: ${DEFAULT_LOG})`, wholeNumber(1, MOST))
    .action(async (_flags, command: Command) => {
      const flags = optionsOf<{ count?: number }>(command)
      const control = await controlOf(context, flags)
      const log = await control.get<ConsensusLogDocument>(`/v1/consensus/log?most=${flags.count ?? DEFAULT_LOG}`, context.signal)
      if (flags.json === true) return printJson(context, log)
      for (const line of consensusLog(log, terminal.columns(), terminal.out)) terminal.print(line)
    })
  addLeaf(consensus, {
    name: 'show',
    arguments: [['[id]', 'the beginning of its id; the newest unless said']],
    summary: 'the heads that a consensus was folded from',
    examples: ['sgsd consensus show', 'sgsd consensus show 8a0d', 'sgsd consensus show --at 37', 'sgsd consensus show --at epoch:5'],
  })
    .option('--at <place>', AT, place)
    .action(async (id: string | undefined, _flags, command: Command) => {
      const flags = optionsOf<{ at?: string }>(command)
      const control = await controlOf(context, flags)
      const query = new URLSearchParams({ ...(id === undefined ? {} : { id }), ...(flags.at === undefined ? {} : { at: flags.at }) })
      const found = await control.get<ConsensusDocument>(`/v1/consensus/show?${String(query)}`, context.signal)
      if (flags.json === true) return printJson(context, found)
      for (const line of consensusView(found, terminal.columns(), terminal.out)) terminal.print(line)
    })
  addLeaf(consensus, {
    name: 'verify',
    arguments: [['[id]', 'the beginning of its id; the newest unless said']],
    summary: 'fold a consensus again from its heads, and compare id and bytes',
    details:
      'Blocks that are no longer here are fetched from peers; those that nobody has are named. Exit 7 when it comes out otherwise than recorded.',
    examples: ['sgsd consensus verify', 'sgsd consensus verify 8a0d --json', 'sgsd consensus verify --at 37'],
  })
    .option('--at <place>', AT, place)
    .action(async (id: string | undefined, _flags, command: Command) => {
      const flags = optionsOf<{ at?: string }>(command)
      const control = await controlOf(context, flags)
      const body = { ...(id === undefined ? {} : { id }), ...(flags.at === undefined ? {} : { at: flags.at }) }
      const found = await follow(context, control.lines<VerifyLine>('/v1/consensus/verify', body, context.signal), flags)
      if (!found.agrees) context.exitCode = EXIT.disagreement
      if (flags.json === true) return printJson(context, found)
      for (const line of refoldView(found, terminal.out)) terminal.print(line)
    })
}

async function follow(context: Context, lines: AsyncIterable<VerifyLine>, flags: CommonOptions): Promise<ConsensusVerifyDocument> {
  let progress: Progress | undefined
  for await (const line of lines) {
    switch (line.event) {
      case 'started':
        break
      case 'progress':
        if (flags.json !== true) progress ??= openProgress(context.terminal, 'heads', line.total)
        progress?.update(line.done)
        break
      case 'failed':
        throw new CliError(line.code, line.message, EXIT.failure, line.hint)
      case 'end':
        progress?.end()
        return line.document
    }
  }
  throw new CliError('VERIFY_BROKEN_OFF', 'the daemon ended before the fold did', EXIT.failure, nextCommand('status', flags))
}

function place(text: string): string {
  if (/^(\d{1,15}|epoch:\d{1,19})$/.test(text)) return text
  throw new InvalidArgumentError('a number, or epoch:<n>, is needed')
}
