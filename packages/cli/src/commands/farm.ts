import { setTimeout as pause } from 'node:timers/promises'
import type { Done, FarmAccepted, FarmDocument, StatusDocument } from '@sgsd/daemon'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import type { ControlClient } from '../edges.ts'
import { EXIT } from '../exit-code.ts'
import { CliError, describeFailure } from '../failure.ts'
import { type FarmSource, farmSources } from '../farm-sources.ts'
import { addLeaf, controlOf, nextCommand, optionsOf, printJson } from '../leaf.ts'
import { openProgress } from '../progress.ts'
import { bytes, count } from '../text/figures.ts'
import { farmView } from '../view/farm.ts'

const POLL_MS = 500

interface FarmFlags {
  readonly wait: boolean
  readonly again?: boolean
  readonly shared?: boolean
}

/** A text that the daemon refused for its own fault; the others are farmed. */
interface Refused {
  readonly name: string
  readonly code: string
  readonly message: string
}

export function addFarm(program: Command, context: Context): void {
  const farm = addLeaf(program, {
    name: 'farm',
    arguments: [
      ['<files...>', 'UTF-8 text, one sentence or verse a line, an empty line between documents; folders (all their .txt); - for standard input'],
    ],
    summary: 'feed text through the lattice and learn from it',
    details:
      'Each line is graded by the host, by default by the line after it; what is learnt becomes layers that the mesh folds. Texts may be of any size.\n' +
      'Ctrl-C leaves the daemon farming what it has; given again, a text goes on where it stopped. A file called status: sgsd farm ./status.',
    examples: [
      'sgsd farm poems.txt',
      'sgsd farm ~/texts',
      'zcat corpus.txt.gz | sgsd farm -',
      'sgsd farm poems.txt --no-wait',
      'sgsd farm status',
      'sgsd farm pause',
    ],
  })
    .option('--again', 'learn from texts once more that were farmed before')
    .option('--shared', 'every member farms this same text: each learns only the rows that it owns')
    .option('--no-wait', 'return as soon as the daemon has taken the text')
    .enablePositionalOptions()
    .helpCommand(false)
    .action(async (paths: readonly string[], _flags, command: Command) => {
      const flags = optionsOf<FarmFlags>(command)
      const sources = await farmSources(context, paths)
      const control = await controlOf(context, flags)
      const { accepted, refused } = await sendAll(context, control, sources, flags)
      const turn = Math.max(0, ...accepted.map((text) => text.turn))
      if (flags.wait && accepted.length > 0) await waitFor(context, control, turn)
      const { lattice } = await control.get<StatusDocument>('/v1/status', context.signal)
      report(context, flags, accepted, refused, lattice)
      if (refused.length === 0) return
      if (flags.json === true) context.exitCode = EXIT.failure
      else throw new CliError('TEXTS_REFUSED', `${count(refused.length)} of ${count(sources.length)} texts were refused`, EXIT.failure)
    })
  addStatus(farm, context)
  addActions(farm, context)
}

function addStatus(farm: Command, context: Context): void {
  addLeaf(farm, {
    name: 'status',
    summary: 'texts, progress, rate, host and watched folder',
    examples: ['sgsd farm status', 'sgsd farm status --json'],
  }).action(async (_flags, command: Command) => {
    const flags = optionsOf(command)
    const document = await (await controlOf(context, flags)).get<FarmDocument>('/v1/farm', context.signal)
    if (flags.json === true) return printJson(context, document)
    for (const line of farmView(document, context.terminal.columns(), context.terminal.out)) context.terminal.print(line)
  })
}

function addActions(farm: Command, context: Context): void {
  for (const [action, summary, said] of [
    ['pause', 'stop farming after the line at hand; what was learned is committed', 'paused'],
    ['resume', 'go on farming; a host that did not answer is asked again at once', 'farming'],
  ] as const) {
    addLeaf(farm, { name: action, summary, examples: [`sgsd farm ${action}`] }).action(async (_flags, command: Command) => {
      const flags = optionsOf(command)
      await (await controlOf(context, flags)).post<Done>('/v1/farm/action', { action }, context.signal)
      if (flags.json === true) printJson(context, { schema: 'sgsd.farm-action/1', state: said })
      else context.terminal.print(said)
    })
  }
}

/** Sends one text after the other. A text that is at fault itself is named and passed over, unless it is the only one. */
async function sendAll(
  context: Context,
  control: ControlClient,
  sources: readonly FarmSource[],
  flags: FarmFlags,
): Promise<{ accepted: readonly FarmAccepted[]; refused: readonly Refused[] }> {
  const total = sources.reduce<number | undefined>(
    (sum, source) => (sum === undefined || source.bytes === undefined ? undefined : sum + source.bytes),
    0,
  )
  const label = sources.length === 1 ? `sending ${sources[0]!.name}` : `sending ${count(sources.length)} texts`
  const progress = openProgress(context.terminal, label, total, (perSecond) => `${bytes(perSecond)}/s`, bytes)
  let sent = 0
  const counted = async function* (source: FarmSource): AsyncGenerator<Uint8Array> {
    for await (const piece of source.read()) {
      yield piece
      progress.update((sent += piece.length))
    }
  }
  const accepted: FarmAccepted[] = []
  const refused: Refused[] = []
  try {
    for (const source of sources) {
      const query = new URLSearchParams({ name: source.name, shared: flags.shared === true ? '1' : '0', again: flags.again === true ? '1' : '0' })
      try {
        accepted.push(await control.send<FarmAccepted>(`/v1/farm?${query.toString()}`, counted(source), context.signal))
      } catch (error) {
        const { code, message, hint } = describeFailure(error)
        if (sources.length === 1 || !code.startsWith('TEXT_')) throw error
        refused.push({ name: source.name, code, message })
        context.terminal.note(`! ${message}${hint === '' ? '' : `  →  ${hint}`}`)
      }
    }
  } finally {
    progress.end()
  }
  return { accepted, refused }
}

/** Until everything up to a place in the queue is learned and committed. */
async function waitFor(context: Context, control: ControlClient, turn: number): Promise<void> {
  const read = (): Promise<FarmDocument> => control.get<FarmDocument>(`/v1/farm?turn=${turn}`, context.signal)
  let farm = await read()
  const total = farm.leftUpTo
  const progress = openProgress(context.terminal, 'farming', total, (perSecond) => `${perSecond.toFixed(1)} lines/s`)
  let said = ''
  try {
    while (farm.leftUpTo > 0 || farm.uncommittedUpTo > 0) {
      progress.update(total - farm.leftUpTo)
      if (farm.why !== said && farm.why !== '') context.terminal.note(`! ${farm.why}  →  ${nextCommand('farm resume', {})}`)
      said = farm.why
      await pause(POLL_MS, undefined, { signal: context.signal })
      farm = await read()
    }
    progress.update(total)
  } finally {
    progress.end()
  }
}

function report(
  context: Context,
  flags: FarmFlags & { readonly json?: boolean },
  accepted: readonly FarmAccepted[],
  refused: readonly Refused[],
  lattice: StatusDocument['lattice'],
): void {
  const sum = (of: (text: FarmAccepted) => number): number => accepted.reduce((total, text) => total + of(text), 0)
  const [lines, taken, known] = [sum((text) => text.lines), sum((text) => text.taken), sum((text) => text.known)]
  const { farm, layers, layer } = lattice
  if (flags.json === true) return printJson(context, { schema: 'sgsd.farm/1', lines, taken, known, texts: accepted, refused, farm, layers, layer })
  if (known > 0 && taken === 0) context.terminal.note(`all ${count(known)} lines were given before  →  --again farms them once more`)
  else if (known > 0) context.terminal.note(`${count(known)} of ${count(lines)} lines were given before`)
  context.terminal.print(
    flags.wait
      ? `${count(taken)} lines farmed, mean score ${farm.meanScore.toFixed(3)}, ${count(layers)} layers, newest ${layer.slice(0, 12) || 'none'}`
      : `${count(taken)} lines taken`,
  )
}
