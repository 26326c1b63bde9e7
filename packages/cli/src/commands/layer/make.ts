import type { CloneLine, LayerCloneDocument, LayerForkDocument, LayerMergeDocument, LayerPinDocument, LayerSwapDocument } from '@sgsd/daemon'
import type { Command } from 'commander'
import type { Context } from '../../context.ts'
import { EXIT } from '../../exit-code.ts'
import { CliError } from '../../failure.ts'
import { addLeaf, type CommonOptions, controlOf, nextCommand, optionsOf, printJson } from '../../leaf.ts'
import { openProgress, type Progress } from '../../progress.ts'
import { plainText } from '../../text/display-width.ts'
import { count } from '../../text/figures.ts'

const LAYER = 'the beginning of its id, own, or a peer id for its head'
const SHORT = 12

/** `layer clone`, `fork`, `merge`, `swap`, `pin` and `unpin`. */
export function addMake(layer: Command, context: Context): void {
  addClone(layer, context)
  addFork(layer, context)
  addMerge(layer, context)
  addSwap(layer, context)
  addPin(layer, context)
}

function addClone(layer: Command, context: Context): void {
  addLeaf(layer, {
    name: 'clone',
    arguments: [['<member>', 'name, peer id or multiaddr of a member of this mesh']],
    summary: "fetch a member's head, or another of its layers, whole, and keep it",
    details: 'What has come stays: after a break, or a kill, the same command goes on where it ended.',
    examples: ['sgsd layer clone boreas', 'sgsd layer clone /ip4/100.64.0.7/tcp/42069/p2p/12D3Koo…', 'sgsd layer clone boreas --layer 3f9c1e07'],
  })
    .option('--layer <id>', 'this layer in the place of the head; the whole id of one that is not known here')
    .action(async (from: string, _flags, command: Command) => {
      const flags = optionsOf<{ layer?: string }>(command)
      const control = await controlOf(context, flags)
      const body = { from, ...(flags.layer === undefined ? {} : { layer: flags.layer }) }
      const cloned = await follow(context, control.lines<CloneLine>('/v1/layers/clone', body, context.signal), flags)
      if (flags.json === true) return printJson(context, cloned)
      const { row, blocks, had } = cloned
      context.terminal.print(
        `layer ${row.layer} of ${plainText(row.name)}: ${count(row.rows)} rows, ${count(blocks)} blocks, ${count(had)} of them were here; pinned`,
      )
    })
}

async function follow(context: Context, lines: AsyncIterable<CloneLine>, flags: CommonOptions): Promise<LayerCloneDocument> {
  let progress: Progress | undefined
  for await (const line of lines) {
    switch (line.event) {
      case 'started':
        break
      case 'progress':
        if (flags.json !== true) progress ??= openProgress(context.terminal, 'blocks', line.total)
        progress?.update(line.done)
        break
      case 'failed':
        throw new CliError(line.code, line.message, EXIT.failure, line.hint)
      case 'end':
        progress?.end()
        return line.document
    }
  }
  throw new CliError('CLONE_BROKEN_OFF', 'the daemon ended the clone before its end', EXIT.failure, nextCommand('status', flags))
}

function addFork(layer: Command, context: Context): void {
  addLeaf(layer, {
    name: 'fork',
    arguments: [['<layer>', LAYER]],
    summary: 'go on learning from a layer: it becomes the parent of a new own head with its rows',
    details:
      'In a mesh that sums counts (evidence/1) only own layers can be forked, which is going back to one: counts belong to the member that made them, and a copy\n' +
      'would count their lines twice. Lines learned since stay farmed; sgsd farm --again learns them anew.',
    examples: ['sgsd layer fork 3f9c1e07', 'sgsd layer fork 3f9c1e07 --json'],
  }).action(async (id: string, _flags, command: Command) => {
    const flags = optionsOf(command)
    const forked = await (await controlOf(context, flags)).post<LayerForkDocument>('/v1/layers/fork', { id }, context.signal)
    if (flags.json === true) return printJson(context, forked)
    const before = forked.before === '' ? '' : `, before it ${forked.before.slice(0, SHORT)}`
    context.terminal.print(`own head is ${forked.layer}: seq ${forked.seq}, from ${forked.from.slice(0, SHORT)}${before}`)
  })
}

function addMerge(layer: Command, context: Context): void {
  addLeaf(layer, {
    name: 'merge',
    arguments: [
      ['<a>', LAYER],
      ['<b>', 'the same'],
    ],
    summary: 'fold the contributors of two layers into a layer with both as parents',
    details:
      'Of each contributor the newest layer is taken, so no order, grouping or repetition of merges changes the rows. The merge is kept, and nobody’s head:\n' +
      'sgsd layer swap answers from it. --pairwise takes (a + b)/2 instead, the published algebra, which has none of these laws.',
    examples: ['sgsd layer merge own 3f9c1e07', 'sgsd layer merge 3f9c1e07 8a0d --pairwise'],
  })
    .option('--pairwise', '(a + b)/2, for comparison')
    .action(async (a: string, b: string, _flags, command: Command) => {
      const flags = optionsOf<{ pairwise?: boolean }>(command)
      const control = await controlOf(context, flags)
      const merged = await control.post<LayerMergeDocument>('/v1/layers/merge', { a, b, pairwise: flags.pairwise === true }, context.signal)
      if (flags.json === true) return printJson(context, merged)
      const { how, contributors } = merged
      const what =
        how === 'contained'
          ? 'nothing to do: it holds the other already'
          : `${count(merged.rows)} rows, ${count(merged.nnz)} edges, ${contributors.length} contributors`
      context.terminal.print(`${merged.layer}  ${what}`)
    })
}

function addSwap(layer: Command, context: Context): void {
  addLeaf(layer, {
    name: 'swap',
    arguments: [['<to>', 'a layer, a consensus of sgsd consensus log, or consensus for the running one']],
    summary: 'answer questions from a layer or an earlier consensus, until swapped back',
    details:
      'The lattice is made beside the running one, which answers until it is there. Learning and merging go on meanwhile. It lasts until the daemon ends; status says so.',
    examples: ['sgsd layer swap 3f9c1e07', 'sgsd layer swap consensus'],
  }).action(async (to: string, _flags, command: Command) => {
    const flags = optionsOf(command)
    const swapped = await (await controlOf(context, flags)).post<LayerSwapDocument>('/v1/layers/swap', { to }, context.signal)
    if (flags.json === true) return printJson(context, swapped)
    const { answersFrom, prepareMs, swapMs } = swapped
    const what = answersFrom.kind === 'consensus' ? 'the consensus' : `${answersFrom.kind} ${answersFrom.id.slice(0, SHORT)}`
    context.terminal.print(`answers come from ${what} (made in ${prepareMs.toFixed(0)} ms, swapped in ${swapMs.toFixed(1)} ms)`)
    if (answersFrom.kind !== 'consensus') context.terminal.note(`back to the consensus:  ${nextCommand('layer swap consensus', flags)}`)
  })
}

function addPin(layer: Command, context: Context): void {
  for (const pinned of [true, false]) {
    const name = pinned ? 'pin' : 'unpin'
    const command = addLeaf(layer, {
      name,
      arguments: [['<layer>', LAYER]],
      summary: pinned ? 'keep a layer whole until it is unpinned' : 'keep a layer only as long as something else does',
      examples: pinned ? ['sgsd layer pin own', 'sgsd layer pin 3f9c1e07 --note "before the novel"'] : ['sgsd layer unpin 3f9c1e07'],
    })
    if (pinned) command.option('--note <text>', 'why, for people')
    command.action(async (id: string, _flags, self: Command) => {
      const flags = optionsOf<{ note?: string }>(self)
      const control = await controlOf(context, flags)
      const done = await control.post<LayerPinDocument>('/v1/layers/pin', { id, pinned, note: flags.note ?? '' }, context.signal)
      if (flags.json === true) return printJson(context, done)
      const state = pinned ? 'pinned' : 'not pinned'
      context.terminal.print(`${done.layer.slice(0, SHORT)} is ${done.changed ? 'now' : 'already'} ${state}`)
    })
  }
}
