import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dealt, type TextDocument } from '@sgsd/lattice'
import { InvalidArgumentError, type Command } from 'commander'
import type { Context } from '../context.ts'
import type { EvaluationDocument } from '../eval/document.ts'
import { type Evaluation, evaluate, MEMBERS } from '../eval/evaluation.ts'
import { readMaterials } from '../eval/materials.ts'
import { farmOnNodes, type NodesOutcome } from '../eval/nodes.ts'
import { EXIT } from '../exit-code.ts'
import { addLeaf, optionsOf, printJson, wholeNumber } from '../leaf.ts'
import { openProgress } from '../progress.ts'
import { truncate } from '../text/display-width.ts'
import { evalView } from '../view/eval.ts'

const DEFAULT_SEED = 1
/** A poem for each of the three members, and one to be examined on, by far. */
const LEAST_POEMS = 30
/** Farming 80,000 lines takes a minute or two on two cores. */
const NODES_LIMIT_MS = 900_000

interface EvalFlags {
  readonly seed: number
  readonly poems?: number
  readonly distinct?: boolean
  readonly pairs?: number
  readonly hebb?: number
  readonly nodes?: boolean
}

export function addEval(program: Command, context: Context): void {
  addLeaf(program, {
    name: 'eval',
    nodeless: true,
    summary: 'does it learn? next lines of unseen Tang poems, beside the usual baselines',
    details:
      'Learns from nine tenths of the 9,000 shipped poems and is examined on the last: find the true next line among 500, guess 20 characters of the next line. ' +
      'The seed decides the split, the pairs and the resamples. Exit 7 when three members with a third each do not fold to the bytes of one with all. ' +
      'With --nodes the members are daemons as well, processes of their own on loopback that farm what they are sent.',
    examples: ['sgsd eval', 'sgsd eval --seed 2 --json', 'sgsd eval --distinct', 'sgsd eval --hebb 2000', 'sgsd eval --nodes'],
  })
    .option('--seed <number>', 'another split', wholeNumber(0, 2 ** 32 - 1), DEFAULT_SEED)
    .option('--poems <count>', 'only the first so many poems of the corpus: quicker, and less to learn from', wholeNumber(LEAST_POEMS, 9_000))
    .option('--distinct', 'leave out poems that share a line with an earlier one: harder for every model, and fairer')
    .option('--pairs <count>', 'ask about so many pairs of lines, drawn at random, or all', pairCount)
    .option('--hebb <lines>', 'also learn by the Hebb rule from so many lines: slow', wholeNumber(2, 1_000_000))
    .option('--nodes', 'also farm on three real daemons and on one, and compare what they hold')
    .action(async (_flags, command: Command) => {
      const flags = optionsOf<EvalFlags>(command)
      const steps = openSteps(context)
      try {
        const evaluation = await evaluate(await readMaterials(), {
          seed: flags.seed,
          ...(flags.poems === undefined ? {} : { poems: flags.poems }),
          ...(flags.distinct === undefined ? {} : { distinct: flags.distinct }),
          ...(flags.pairs === undefined ? {} : { pairs: flags.pairs }),
          ...(flags.hebb === undefined ? {} : { hebb: { lines: flags.hebb, open: () => context.edges.lattice() } }),
          signal: context.signal,
          onStep: steps.show,
        })
        steps.end()
        const document = flags.nodes === true ? await withNodes(context, evaluation) : evaluation.document
        if (!agree(document)) context.exitCode = EXIT.disagreement
        if (flags.json === true) return printJson(context, document)
        for (const line of evalView(document, context.terminal.columns(), context.terminal.out)) context.terminal.print(line)
      } finally {
        steps.end()
      }
    })
}

/** Whether all that should have the same consensus have it. */
function agree({ consensus: { oneNode, equal, nodes } }: EvaluationDocument): boolean {
  return equal && (nodes === undefined || [...nodes.three, nodes.one].every((digest) => digest === oneNode))
}

async function withNodes(context: Context, { document, split }: Evaluation): Promise<EvaluationDocument> {
  const { consensus } = document
  const three = await onNodes(context, 'three daemons farm', dealt(split.train, MEMBERS), consensus.oneNode)
  const one = await onNodes(context, 'one daemon farms', [split.train], consensus.oneNode)
  return { ...document, consensus: { ...consensus, nodes: { three: three.digests, one: one.digests[0] ?? '', farmMs: three.ms } } }
}

async function onNodes(context: Context, label: string, hands: readonly (readonly TextDocument[])[], expected: string): Promise<NodesOutcome> {
  const root = await mkdtemp(join(tmpdir(), 'sgsd-eval-'))
  const lines = hands.flat().reduce((sum, { length }) => sum + length, 0)
  const progress = openProgress(context.terminal, label, lines, (perSecond) => `${perSecond.toFixed(0)} lines/s`)
  try {
    const signal = AbortSignal.any([context.signal, AbortSignal.timeout(NODES_LIMIT_MS)])
    return await farmOnNodes({ daemon: await context.edges.daemon(), root, hands, expected, signal, onLines: (farmed) => progress.update(farmed) })
  } finally {
    progress.end()
    await rm(root, { recursive: true, force: true, maxRetries: 3 })
  }
}

/** `all`, or how many. */
function pairCount(text: string): number {
  if (text === 'all') return Infinity
  const value = /^\d+$/.test(text) ? Number(text) : 0
  if (value >= 1 && value <= 1_000_000) return value
  throw new InvalidArgumentError('all, or a whole number from 1 to 1000000, is needed')
}

interface Steps {
  show(label: string, done: number, total: number): void
  end(): void
}

/** What is being done now, on stderr: one line that changes on a terminal, a line each elsewhere. */
function openSteps({ terminal }: Context): Steps {
  let shown = false
  return {
    show: (label, done, total) => {
      const text = `${done + 1}/${total}  ${label}`
      shown = true
      if (terminal.errLive) terminal.writeErr(`\r${truncate(text, terminal.columns() - 1)}\u001B[K`)
      else terminal.note(text)
    },
    end: () => {
      if (shown && terminal.errLive) terminal.writeErr('\r\u001B[K')
      shown = false
    },
  }
}
