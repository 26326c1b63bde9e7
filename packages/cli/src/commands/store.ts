import type { StoreDocument, StoreGcDocument, StoreLine, StoreProgress, StoreRequest, StoreScrubDocument, StoreUsageDocument } from '@sgsd/daemon'
import { type Command, InvalidArgumentError } from 'commander'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { CliError, describeFailure } from '../failure.ts'
import { addGroup, addLeaf, type CommonOptions, dataDirOf, nextCommand, optionsOf, printJson, wholeNumber } from '../leaf.ts'
import { openProgress, type Progress } from '../progress.ts'
import { gcView, scrubView, usageView } from '../view/store.ts'

/** Most minutes of grace that may be asked for, as of `store.graceMinutes`. */
const MAX_GRACE_MINUTES = 60

interface GcFlags {
  readonly dryRun?: boolean
  readonly grace?: number
}

interface ScrubFlags {
  readonly rate?: number
}

export function addStore(program: Command, context: Context): void {
  const store = addGroup(program, 'store', 'what is on the disk: space, deletion, damage')
  addUsage(store, context)
  addGc(store, context)
  addScrub(store, context)
}

function addUsage(store: Command, context: Context): void {
  addLeaf(store, {
    name: 'du',
    summary: 'what takes the space',
    details:
      'By kind, with what only this node names, only others, and both. Works with and without a running daemon; without one it holds the data directory\n' +
      'while it looks.',
    examples: ['sgsd store du', 'sgsd store du --json'],
  }).action(async (_flags, command: Command) => {
    const flags = optionsOf(command)
    const document = (await run(context, flags, { job: 'du' })) as StoreUsageDocument
    if (flags.json === true) return printJson(context, document)
    for (const line of usageView(document, context.terminal.columns(), context.terminal.out)) context.terminal.print(line)
  })
}

function addGc(store: Command, context: Context): void {
  addLeaf(store, {
    name: 'gc',
    summary: 'delete blocks that nothing names any more',
    details:
      'A running daemon does this by itself every few minutes and is asked to do it now; without one the command does it, holding the data directory.\n' +
      'Kept are: of every head the newest layers (store.keepLayers) whole and their history (store.keepHistory), pinned layers, texts, open claims.',
    examples: ['sgsd store gc', 'sgsd store gc --dry-run', 'sgsd store gc --grace 0   # those just written too, unless they are in use'],
  })
    .option('--dry-run', 'only say what would go')
    .option('--grace <minutes>', 'spare blocks younger than this (store.graceMinutes)', wholeNumber(0, MAX_GRACE_MINUTES))
    .action(async (_flags, command: Command) => {
      const flags = optionsOf<GcFlags>(command)
      const request: StoreRequest = { job: 'gc', dryRun: flags.dryRun, graceMs: flags.grace === undefined ? undefined : flags.grace * 60_000 }
      const document = (await run(context, flags, request)) as StoreGcDocument
      if (flags.json === true) printJson(context, document)
      else for (const line of gcView(document)) context.terminal.print(line)
      if (document.held === '') return
      if (flags.json === true) context.exitCode = EXIT.degraded
      else throw new CliError('GC_HELD', `nothing was deleted: ${document.held}`, EXIT.degraded, nextCommand('store scrub', flags))
    })
}

function addScrub(store: Command, context: Context): void {
  addLeaf(store, {
    name: 'scrub',
    summary: 'read and check every block; damaged ones are set aside and fetched again',
    details:
      'A running daemon does this by itself every store.scrubDays days and is asked to do it now. Without one the command does it, holding the data\n' +
      'directory; damaged blocks are then set aside, and the next daemon fetches them from peers. Exit 7 when a block was damaged.',
    examples: ['sgsd store scrub', 'sgsd store scrub --rate 8   # at most 8 MiB a second', 'sgsd store scrub --json'],
  })
    .option('--rate <MiB/s>', 'read no faster than this (default: as fast as it goes)', rateOf)
    .action(async (_flags, command: Command) => {
      const flags = optionsOf<ScrubFlags>(command)
      const request: StoreRequest = { job: 'scrub', bytesPerSecond: (flags.rate ?? 0) * 2 ** 20 }
      const document = (await run(context, flags, request)) as StoreScrubDocument
      if (document.damaged.length > 0) context.exitCode = EXIT.disagreement
      if (flags.json === true) return printJson(context, document)
      for (const line of scrubView(document, context.terminal.columns(), context.terminal.out)) context.terminal.print(line)
    })
}

function rateOf(text: string): number {
  const value = Number(text)
  if (/^\d+(\.\d+)?$/.test(text) && value > 0) return value
  throw new InvalidArgumentError('MiB a second are needed, as 8 or 0.5')
}

/** Has the job done by the daemon, or here where none runs, and shows how far it is. */
async function run(context: Context, options: CommonOptions, request: StoreRequest): Promise<StoreDocument> {
  let shown: { readonly doing: StoreProgress['doing']; readonly total: number | undefined; readonly progress: Progress } | undefined
  try {
    for await (const line of linesOf(context, options, request)) {
      if (line.event === 'end') return line.document
      if (line.event === 'failed') throw new CliError(line.code, line.message, EXIT.failure, line.hint)
      if (line.doing === 'looking') continue
      if (shown?.doing !== line.doing || shown.total !== line.total) {
        shown?.progress.end()
        const { doing, total } = line
        shown = {
          doing,
          total,
          progress: openProgress(context.terminal, `${doing} blocks`, total, doing === 'reading' ? blocksPerSecond : undefined),
        }
      }
      shown.progress.update(line.done)
    }
  } finally {
    shown?.progress.end()
  }
  throw new CliError('JOB_BROKEN_OFF', 'the daemon ended the job before its end', EXIT.failure, nextCommand('status', options))
}

function blocksPerSecond(perSecond: number): string {
  return `${Math.round(perSecond)} blocks/s`
}

async function* linesOf(context: Context, options: CommonOptions, { job, ...body }: StoreRequest): AsyncGenerator<StoreLine> {
  const daemon = await context.edges.daemon()
  const dir = await dataDirOf(context, options)
  let answered = false
  try {
    for await (const line of daemon.openControl(dir).lines<StoreLine>(`/v1/store/${job}`, body, context.signal)) {
      answered = true
      yield line
    }
    return
  } catch (error) {
    if (answered || describeFailure(error).code !== 'DAEMON_NOT_RUNNING') throw error
  }
  await using offline = await daemon.openOfflineStore(dir)
  yield* daemon.jobLines(offline.care, { job, ...body }, context.signal)
}
