import { setImmediate as breath } from 'node:timers/promises'
import type { LatticeCompute } from '@sgsd/compute'
import {
  adjacentCounts,
  answersOf,
  type Answers,
  Bootstrap,
  CANDIDATES,
  dealt,
  distinctDocuments,
  documentsOf,
  examineGuesses,
  examineRetrieval,
  type Figure,
  greatest,
  GUESSES,
  latticeAnswers,
  logPrior,
  lsaScorer,
  naiveBayesOf,
  type PerDocument,
  pmiOf,
  type RetrievalSums,
  type Split,
  splitDocuments,
  type Tasks,
  tasksOf,
  type TextDocument,
  tfIdfScorer,
} from '@sgsd/lattice'
import type { EvaluationDocument, Foreteller, Ranker } from './document.ts'
import { type HebbRun, learnByHebb } from './hebb.ts'
import type { Materials } from './materials.ts'
import { consensusOf } from './members.ts'

/** Members that share the text. */
export const MEMBERS = 3

export interface EvaluationOptions {
  readonly seed: number
  /** Takes only the first so many poems of the corpus; all without it. */
  readonly poems?: number
  /** Leaves out poems that share a line with an earlier one. */
  readonly distinct?: boolean
  /** Pairs asked about, at most; all without it. */
  readonly pairs?: number
  /** Learns by the Hebb rule from so many lines, beside the rest; none without it. */
  readonly hebb?: { readonly lines: number; readonly open: () => Promise<LatticeCompute> }
  readonly signal: AbortSignal
  /** Told before each step: what comes, which of how many. */
  readonly onStep: (label: string, done: number, total: number) => void
}

/** What was measured, and the split that real nodes can farm too. */
export interface Evaluation {
  readonly document: EvaluationDocument
  readonly split: Split
}

interface Model {
  readonly name: Ranker | Foreteller
  readonly label: string
  readonly open: () => Answers | Promise<Answers>
}

/** Learns from nine tenths of a corpus in every way and examines each on the last. Pure but for the Hebb runs' worker: equal seeds give equal figures. */
export async function evaluate(materials: Materials, options: EvaluationOptions): Promise<Evaluation> {
  const began = performance.now()
  const { kernel, base, corpus, lines } = materials
  const { seed, signal, onStep, hebb } = options
  const poems = documentsOf(lines).slice(0, options.poems)
  const documents = options.distinct === true ? distinctDocuments(poems) : poems
  const split = splitDocuments(documents, seed)
  const tasks = tasksOf(kernel, split, seed, options.pairs)
  const digests = { oneNode: '', consensus3: '' }
  const lattice = (name: 'oneNode' | 'consensus3', members: number) => (): Answers => {
    const { folded, digest } = consensusOf(materials, dealt(split.train, members))
    digests[name] = digest
    return latticeAnswers(folded, tasks.lines)
  }
  const state = new Float32Array(kernel.definedCount)
  const hebbRuns: { published?: HebbRun; taught?: HebbRun } = {}
  const hebbian = (name: 'published' | 'taught', limit: number, open: () => Promise<LatticeCompute>) => async (): Promise<Answers> => {
    await using compute = await open()
    const run = await learnByHebb(materials, compute, split.train, limit, name === 'taught', signal)
    hebbRuns[name] = run
    return latticeAnswers({ matrices: run.matrices, state }, tasks.lines)
  }
  const models: readonly Model[] = [
    ...baselines(materials, split, tasks, seed),
    { name: 'untouched', label: 'untouched lattice', open: () => latticeAnswers({ matrices: base, state }, tasks.lines) },
    { name: 'oneNode', label: 'one node', open: lattice('oneNode', 1) },
    { name: 'consensus3', label: 'consensus of three', open: lattice('consensus3', MEMBERS) },
    ...(hebb === undefined
      ? []
      : ([
          { name: 'hebb', label: 'Hebb, as published', open: hebbian('published', hebb.lines, hebb.open) },
          { name: 'hebbTaught', label: 'Hebb, taught', open: hebbian('taught', hebb.lines, hebb.open) },
        ] as const)),
  ]
  const ranked = new Map<Ranker, RetrievalSums>()
  const guessed = new Map<Foreteller, PerDocument>()
  for (const [done, { name, label, open }] of models.entries()) {
    onStep(label, done, models.length + 1)
    // Ctrl-C and the picture get their turn
    await breath()
    signal.throwIfAborted()
    const { scorer, guesser } = await open()
    if (scorer !== undefined) ranked.set(name as Ranker, examineRetrieval(tasks, scorer))
    if (guesser !== undefined) guessed.set(name as Foreteller, examineGuesses(tasks, guesser))
  }
  onStep('confidence intervals', models.length, models.length + 1)
  const figures = figuresOf(ranked, guessed, new Bootstrap(tasks.documents, seed))
  const document: EvaluationDocument = {
    schema: 'sgsd.eval/1',
    corpus: { name: corpus.title, sha256: corpus.sha256, documents: documents.length, lines: lengthOf(documents) },
    split: {
      by: 'poem',
      distinct: options.distinct === true,
      train: split.train.length,
      test: split.test.length,
      trainLines: lengthOf(split.train),
      pairs: tasks.pairs.length,
      candidates: CANDIDATES,
      guesses: GUESSES,
    },
    seeds: [seed],
    ...figures,
    consensus: { ...digests, equal: digests.oneNode === digests.consensus3 },
    ...(hebbRuns.published === undefined || hebbRuns.taught === undefined
      ? {}
      : { hebb: { published: summary(hebbRuns.published), taught: summary(hebbRuns.taught) } }),
    durationMs: Math.round(performance.now() - began),
  }
  return { document, split }
}

/** Lines of documents. */
function lengthOf(documents: readonly TextDocument[]): number {
  return documents.reduce((sum, { length }) => sum + length, 0)
}

function baselines({ kernel }: Materials, { train }: Split, tasks: Tasks, seed: number): readonly Model[] {
  const { lines, occurrences } = tasks
  const prior = logPrior(occurrences)
  const counts = adjacentCounts(kernel, train)
  return [
    { name: 'tfidf', label: 'TF-IDF', open: () => ({ scorer: tfIdfScorer(kernel, train, lines) }) },
    {
      name: 'frequency',
      label: 'frequency',
      open: () => {
        const most = greatest(occurrences, GUESSES)
        return { guesser: () => most }
      },
    },
    { name: 'pmi', label: 'PMI', open: () => answersOf(pmiOf(counts), lines) },
    {
      name: 'naiveBayes',
      label: 'naive Bayes',
      open: () => {
        const { guesser } = answersOf(naiveBayesOf(counts), lines, prior)
        return guesser === undefined ? {} : { guesser }
      },
    },
    { name: 'lsa', label: 'LSA-128', open: () => ({ scorer: lsaScorer(kernel, train, lines, seed) }) },
  ]
}

type Figures = Pick<EvaluationDocument, 'retrieval' | 'characters' | 'ratios' | 'ci95'>

function figuresOf(ranked: ReadonlyMap<Ranker, RetrievalSums>, guessed: ReadonlyMap<Foreteller, PerDocument>, bootstrap: Bootstrap): Figures {
  const mrr = [...ranked].map(([name, sums]) => [name, bootstrap.share(sums.mrr)] as const)
  const r10 = [...ranked].map(([name, sums]) => [name, bootstrap.share(sums.r10)] as const)
  const recall20 = [...guessed].map(([name, sums]) => [name, bootstrap.share(sums)] as const)
  const mrrToPmi = bootstrap.ratio(ranked.get('consensus3')!.mrr, ranked.get('pmi')!.mrr)
  const recall20ToFrequency = bootstrap.ratio(guessed.get('consensus3')!, guessed.get('frequency')!)
  return {
    retrieval: { mrr: valuesOf(mrr), r10: valuesOf(r10) },
    characters: { recall20: valuesOf(recall20) },
    ratios: { mrrToPmi: rounded(mrrToPmi.value), recall20ToFrequency: rounded(recall20ToFrequency.value) },
    ci95: {
      retrieval: { mrr: intervalsOf(mrr), r10: intervalsOf(r10) },
      characters: { recall20: intervalsOf(recall20) },
      ratios: { mrrToPmi: intervalOf(mrrToPmi), recall20ToFrequency: intervalOf(recall20ToFrequency) },
    },
  }
}

type Named<N extends string> = readonly (readonly [N, Figure])[]

function valuesOf<N extends string>(figures: Named<N>): Partial<Record<N, number>> {
  return Object.fromEntries(figures.map(([name, { value }]) => [name, rounded(value)])) as Partial<Record<N, number>>
}

function intervalsOf<N extends string>(figures: Named<N>): Partial<Record<N, Figure['ci95']>> {
  return Object.fromEntries(figures.map(([name, figure]) => [name, intervalOf(figure)])) as Partial<Record<N, Figure['ci95']>>
}

function intervalOf({ ci95: [low, high] }: Figure): Figure['ci95'] {
  return [rounded(low), rounded(high)]
}

/** Five digits: more than the intervals leave meaning to. */
function rounded(value: number): number {
  return Math.round(value * 1e5) / 1e5
}

function summary({ lines, meanScores }: HebbRun): { readonly lines: number; readonly meanScores: readonly number[] } {
  return { lines, meanScores: meanScores.map(rounded) }
}
