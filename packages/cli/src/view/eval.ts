import type { EvaluationDocument, Foreteller, Ranker } from '../eval/document.ts'
import { count, duration } from '../text/figures.ts'
import type { Style } from '../text/style.ts'
import { type Column, table } from '../text/table.ts'

const MODELS: readonly (readonly [name: Ranker | Foreteller, title: string])[] = [
  ['frequency', 'frequency of characters'],
  ['tfidf', 'TF-IDF'],
  ['lsa', 'LSA-128'],
  ['pmi', 'PMI of adjacent lines'],
  ['naiveBayes', 'naive Bayes'],
  ['untouched', 'lattice, untouched'],
  ['hebb', 'lattice, Hebb as published'],
  ['hebbTaught', 'lattice, Hebb with the next line as teacher'],
  ['oneNode', 'lattice, one node'],
  ['consensus3', 'lattice, consensus of three'],
]

interface Row {
  readonly title: string
  readonly ours: boolean
  readonly mrr: string
  readonly r10: string
  readonly recall20: string
}

export function evalView(document: EvaluationDocument, width: number, style: Style): string[] {
  const { corpus, split, seeds, retrieval, characters, ci95, ratios, consensus, durationMs } = document
  const rows = MODELS.flatMap(([name, title]): Row[] => {
    const mrr = cell(retrieval.mrr[name as Ranker], ci95.retrieval.mrr[name as Ranker])
    const r10 = cell(retrieval.r10[name as Ranker], undefined)
    const recall20 = cell(characters.recall20[name as Foreteller], ci95.characters.recall20[name as Foreteller])
    return mrr === '' && recall20 === '' ? [] : [{ title, ours: name === 'consensus3', mrr, r10, recall20 }]
  })
  const columns: Column<Row>[] = [
    { title: 'MODEL', text: ({ title }) => title, paint: (text, { ours }) => (ours ? style.bold(text) : text), min: 12 },
    { title: 'MRR', text: ({ mrr }) => mrr, paint: (text, { ours }) => (ours ? style.bold(text) : text) },
    { title: 'R@10', text: ({ r10 }) => r10, dropOrder: 1 },
    { title: 'RECALL@20', text: ({ recall20 }) => recall20, paint: (text, { ours }) => (ours ? style.bold(text) : text) },
  ]
  const [pmi, frequency] = [ci95.ratios.mrrToPmi, ci95.ratios.recall20ToFrequency]
  return [
    style.dim(
      `${corpus.name}: ${count(split.train)} poems to learn from, ${count(split.test)} to be examined on, ${count(split.pairs)} pairs of lines, seed ${seeds.join(', ')}`,
    ),
    ...table(columns, rows, width, (head) => style.dim(head)),
    `retrieval ${ratios.mrrToPmi.toFixed(3)} × PMI [${interval(pmi, 3)}], characters ${ratios.recall20ToFrequency.toFixed(3)} × frequency [${interval(frequency, 3)}]`,
    ...consensusLines(consensus, style),
    style.dim(`in ${duration(durationMs)}`),
  ]
}

function consensusLines({ equal, oneNode, consensus3, nodes }: EvaluationDocument['consensus'], style: Style): string[] {
  const mark = (ok: boolean): string => (ok ? style.green('✓') : style.red('✗'))
  const short = (digest: string): string => digest.slice(0, 12)
  const lines = [
    equal
      ? `${mark(true)} three thirds fold to the bytes of one node: ${short(oneNode)}`
      : `${mark(false)} three thirds fold to ${short(consensus3)}, one node to ${short(oneNode)}`,
  ]
  if (nodes === undefined) return lines
  const same = nodes.three.every((digest) => digest === oneNode) && nodes.one === oneNode
  return [
    ...lines,
    same
      ? `${mark(true)} three daemons and one hold the same: ${short(nodes.one)}, farmed in ${duration(nodes.farmMs)}`
      : `${mark(false)} three daemons hold ${nodes.three.map(short).join(', ')}, one holds ${short(nodes.one)}`,
  ]
}

function cell(value: number | undefined, ci: readonly [number, number] | undefined): string {
  if (value === undefined) return ''
  return ci === undefined ? value.toFixed(3) : `${value.toFixed(4)} [${interval(ci, 4)}]`
}

function interval([low, high]: readonly [number, number], digits: number): string {
  return `${low.toFixed(digits)}, ${high.toFixed(digits)}`
}
