import { displayWidth, pad, plainText, truncate } from '../text/display-width.ts'
import { bar, bareHex, bytes, count, duration, percent, rate, shortPeer } from '../text/figures.ts'
import { fitLine } from '../text/line.ts'
import type { Style } from '../text/style.ts'
import { type Column, table } from '../text/table.ts'
import { peerColour } from '../view/peers.ts'
import { bestCoverage, meshRate } from './changes.ts'
import { coverageOf, epochZeroOf, isWhole, type NodeView, selfOf, type Snapshot } from './snapshot.ts'
import type { Condition } from './verdict.ts'

const BAR_COLUMNS = 24
const NODE_BAR_COLUMNS = 10

/** The demo as it runs: what happens now, the epoch, a row for each node. Lines of at most `width` columns. */
export function demoView(snapshot: Snapshot, width: number, style: Style): string[] {
  const { nodes, local, epochColours, elapsedMs } = snapshot
  const covered = bestCoverage(snapshot)
  const perSecond = meshRate(snapshot)
  const left = (1 - covered) * Number(epochColours)
  const eta = covered >= 1 ? 'done' : perSecond > 0 ? `ETA ${duration((left / perSecond) * 1_000)}` : ''
  return [
    fitLine([style.bold('sgsd demo'), `${nodes.length} nodes on this machine`, duration(elapsedMs), { text: now(snapshot), dropOrder: 1 }], width),
    fitLine(
      [
        'mesh      ',
        `${bar(covered, BAR_COLUMNS)} ${percent(covered).padStart(4)}`,
        { text: `of ${count(Number(epochColours / 1_000_000n))} million colours`, dropOrder: 2 },
        { text: rate(perSecond), dropOrder: 1 },
        eta,
      ],
      width,
    ),
    fitLine(
      [
        'without it',
        `${bar(local.share, BAR_COLUMNS)} ${percent(local.share).padStart(4)}`,
        { text: local.xor === undefined ? '' : `xor ${style.block(bareHex(local.xor))} ${local.xor}`, dropOrder: 1 },
      ],
      width,
    ),
    '',
    ...table(columns(style), nodes, width, (head) => style.dim(head)),
  ]
}

/** One phrase for what the demo is doing. */
export function now(snapshot: Snapshot): string {
  const { nodes, victim } = snapshot
  if (nodes.some(({ phase }) => phase === 'waiting' || phase === 'starting')) return 'starting the nodes'
  if (victim.killedAt === undefined) return isWhole(snapshot) ? 'mining and farming' : 'the nodes are finding each other'
  if (victim.backAfterMs === undefined) return `${victim.name} was killed and starts again`
  return bestCoverage(snapshot) < 1 ? `${victim.name} was killed and is back` : 'agreeing'
}

function columns(style: Style): Column<NodeView>[] {
  const colour = ({ status }: NodeView): string => (status === undefined ? '000000' : peerColour(status.node.peerId))
  return [
    { title: 'NODE', text: ({ name }) => name, paint: (text) => style.bold(text) },
    { title: 'PEER', text: ({ status }) => (status === undefined ? '' : shortPeer(status.node.peerId)), dropOrder: 6 },
    {
      title: 'COLOUR',
      text: (node) => (node.status === undefined ? '' : `[${colour(node)}]`),
      paint: (text, node) => (node.status === undefined ? text : style.block(colour(node))),
      dropOrder: 5,
    },
    {
      title: 'STATE',
      text: ({ phase }) => phase,
      paint: (text, { phase }) => (phase === 'killed' ? style.red(text) : phase === 'back' ? style.yellow(text) : text),
    },
    {
      title: 'RANGE',
      text: ({ range }) => (range === undefined ? '' : `${count(range.start)}–${count(range.start + range.count - 1)}`),
      dropOrder: 3,
    },
    {
      title: 'EPOCH 0',
      text: ({ status }) => (status === undefined ? '' : `${bar(coverageOf(status), NODE_BAR_COLUMNS)} ${percent(coverageOf(status)).padStart(4)}`),
      dropOrder: 2,
    },
    { title: 'RATE', align: 'right', text: ({ status }) => (status === undefined ? '' : rate(status.colours.rateHere)), dropOrder: 4 },
    { title: 'RADICALS', align: 'right', text: ({ status }) => (status === undefined ? '' : String(selfOf(status)?.radicals.length ?? 0)) },
    { title: 'LAYERS', align: 'right', text: ({ status }) => (status === undefined ? '' : String(status.lattice.layers)) },
    { title: 'CONSENSUS', text: (node) => consensusText(node), paint: (text, node) => consensusPaint(text, node, style) },
  ]
}

function consensusText({ status }: NodeView): string {
  const id = status?.consensus.id ?? ''
  return id === '' ? '' : `[${id.slice(0, 6)}] ${id.slice(0, 10)}`
}

function consensusPaint(text: string, { status }: NodeView, style: Style): string {
  const id = status?.consensus.id ?? ''
  return id === '' ? text : style.block(id) + text.slice(8)
}

export interface EndView {
  readonly ok: boolean
  readonly snapshot: Snapshot
  readonly conditions: readonly Condition[]
  /** Data directories of nodes that go on running. */
  readonly kept: readonly string[]
  /** How the command line is called here. */
  readonly program: string
}

/** The summary at the end: what was shown, what it took, where to go next. */
export function endView({ ok, snapshot, conditions, kept, program }: EndView, width: number, style: Style): string[] {
  const marks = conditions.map(({ ok, why }) => truncate(`${ok ? '✓' : '✗'} ${plainText(why)}`, width))
  const statuses = snapshot.nodes.flatMap(({ status }) => status ?? [])
  const memory = Math.max(0, ...statuses.map(({ node }) => node.rssBytes))
  const delay = Math.max(0, ...statuses.map(({ node }) => node.loopDelayP99Ms))
  const xor = epochZeroOf(snapshot.nodes[0]?.status)?.xor
  return [
    '',
    ...marks.map((mark, index) => (conditions[index]!.ok ? style.green(mark) : style.red(mark))),
    '',
    ok ? `All of it held after ${duration(snapshot.elapsedMs)}.` : `Not all of it held after ${duration(snapshot.elapsedMs)}.`,
    fitLine(
      [
        `Each node: at most ${bytes(memory)} of memory, event loop delay p99 ${delay.toFixed(0)} ms.`,
        { text: xor === undefined ? '' : `Epoch ${style.block(bareHex(xor))}`, dropOrder: 1 },
      ],
      width,
    ),
    '',
    ...(kept.length === 0 ? nextSteps(program) : keptSteps(program, kept)),
  ]
}

function nextSteps(program: string): string[] {
  const steps: readonly (readonly [string, string])[] = [
    [`${program} init && ${program} up`, 'a mesh of your own; up prints an invite'],
    [`${program} join '<invite>'`, 'the same on the next machine'],
    [`${program} ask 人工智能正在改变世界`, 'what the lattice makes of a text'],
    ['docs/architecture.md', 'how it works'],
  ]
  const width = Math.max(...steps.map(([words]) => displayWidth(words)))
  return ['Next:', ...steps.map(([words, what]) => `  ${pad(words, width)}  ${what}`)]
}

function keptSteps(program: string, kept: readonly string[]): string[] {
  return [
    'The mesh goes on running. Look at it:',
    `  ${program} status --watch --data-dir ${kept[0] ?? ''}`,
    `  ${program} ask 天地玄黄 --data-dir ${kept[0] ?? ''}`,
    'Stop it:',
    ...kept.map((dir) => `  ${program} down --data-dir ${dir}`),
  ]
}
