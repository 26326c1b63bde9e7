import type { PublishedScale, ScaleInputs, ScalePrediction, SimulationReport } from '@sgsd/consensus'
import { bytes, count, duration, rate } from '../text/figures.ts'
import type { Style } from '../text/style.ts'
import { type Column, table } from '../text/table.ts'

export type ScaleRow = ScalePrediction & { readonly published: PublishedScale | null }

export interface ScaleDocument {
  readonly schema: 'sgsd.scale/1'
  readonly kernel: 'spi64'
  readonly inputs: ScaleInputs
  /** Where the rate comes from. */
  readonly rateOrigin: string
  readonly rows: readonly ScaleRow[]
}

/** Down to fractions of a millisecond: an epoch of fixed size is that short for very many machines. */
function epochText(seconds: number): string {
  return seconds >= 10 ? duration(seconds * 1_000) : seconds >= 1 ? `${seconds.toFixed(1)}s` : `${Number((seconds * 1_000).toPrecision(2))}ms`
}

/** `3.4/s`, `0.012/s` */
function perSecond(value: number): string {
  return value === 0 ? '0' : value < 10 ? `${value.toPrecision(2)}/s` : rate(value)
}

export function scaleView({ inputs, rateOrigin, rows }: ScaleDocument, width: number, style: Style): string[] {
  const columns: Column<ScaleRow>[] = [
    {
      title: 'MACHINES',
      align: 'right',
      text: ({ machines, admitted }) => `${count(machines)}${admitted ? '' : '!'}`,
      paint: (text) => style.bold(text),
    },
    { title: 'COLOURS', align: 'right', text: ({ coloursPerSecond }) => rate(coloursPerSecond) },
    {
      title: 'PUBLISHED',
      align: 'right',
      text: ({ published }) => (published === null ? '' : `${published.coloursPerSecond / 1e9} G/s ${published.what}`),
      paint: (text) => style.dim(text),
    },
    {
      title: 'EPOCH',
      align: 'right',
      text: ({ epochSeconds }) => epochText(epochSeconds),
    },
    { title: 'CLAIMS', align: 'right', text: ({ claimsPerSecond }) => perSecond(claimsPerSecond), dropOrder: 3 },
    { title: 'SENDS', align: 'right', text: ({ sendsPerSecond }) => perSecond(sendsPerSecond), dropOrder: 2 },
    { title: 'HEARD EACH', align: 'right', text: ({ messagesPerMachine }) => perSecond(messagesPerMachine) },
    { title: 'GOSSIP EACH', align: 'right', text: ({ gossipBytesPerMachine }) => `${bytes(gossipBytesPerMachine)}/s` },
    { title: 'LEAVES EACH', align: 'right', text: ({ leafBytesPerMachine }) => `${bytes(leafBytesPerMachine)}/s`, dropOrder: 1 },
    { title: 'HOPS', align: 'right', text: ({ hops }) => String(hops), dropOrder: 4 },
    {
      title: 'TREE',
      align: 'right',
      text: ({ treeMessagesPerEpoch, treeDepth }) => `${count(treeMessagesPerEpoch)} deep ${treeDepth}`,
      dropOrder: 5,
    },
  ]
  const { claimBytes, beatBytes, fanOut, claimSeconds } = inputs
  return [
    ...table(columns, rows, width, (head) => style.dim(head)),
    '',
    `One machine: ${rate(inputs.rate)} of spi64, ${rateOrigin}. Mining itself sends nothing; a member claims every ${claimSeconds} s of work and beats every 5 s.`,
    `A claim is ${claimBytes} bytes on a link, a beat ${beatBytes}; gossip forwards to ${fanOut} peers; LEAVES are the chunk values of everybody's claims.`,
    'TREE is the least that an epoch could do with: messages if claims were added up a tree and the sum sent down, and its depth. PUBLISHED figures are as their authors gave them, of turbo32; none is measured here.',
    ...(rows.some(({ epochSeconds }) => epochSeconds < 5)
      ? ['An epoch that is shorter than a beat makes many small claims: a larger one (sgsd init --epoch-colours, here --epoch-colours) makes fewer.']
      : []),
    ...(rows.some(({ admitted }) => !admitted) ? ['! more than the 4,096 members that a mesh admits: what the same rules would cost'] : []),
  ]
}

export type SimulationDocument = Omit<SimulationReport, 'seed'> & { readonly seed: string; readonly ok: boolean; readonly durationMs: number }

export function simulationView({ machines, chunks, fanOut, claims, checks, tree, gossip, durationMs }: SimulationDocument, style: Style): string[] {
  const seconds = durationMs < 10_000 ? `${(durationMs / 1_000).toFixed(1)} s` : duration(durationMs)
  return [
    `${count(machines)} machines, ${count(chunks)} chunks, ${count(claims)} claims, simulated in ${seconds}`,
    `tree    ${count(tree.messagesUp)} messages up, ${count(tree.messagesDown)} down, depth ${tree.depth}, fan-out ${tree.degree} of ${fanOut}`,
    `gossip  ${count(gossip.sendsEach)} copies of a message, ${gossip.hops} hops`,
    ...checks.map(({ name, ok, detail }) => `${ok ? style.green('✓') : style.red('✗')} ${name}  ${style.dim(detail)}`),
  ]
}
