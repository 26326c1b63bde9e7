import { lineRows } from '../evidence/adjacent-lines.ts'
import type { HanziKernel } from '../hanzi-kernel.ts'
import { SplitMix32 } from './random.ts'
import type { TextDocument, Split } from './split.ts'

/** Lines among which the true next line has to be found, itself included. */
export const CANDIDATES = 500

/** Guesses at the characters of the next line. */
export const GUESSES = 20

/** A line and its next line. */
export interface TaskPair {
  /** Index of the document among those of the examination: what is resampled. */
  readonly document: number
  /** Indices into `lines`. */
  readonly line: number
  readonly next: number
  /** 499 lines of the examination with as many characters as `line`, drawn with replacement: indices into `lines`. */
  readonly others: Uint32Array
}

/** What every model is asked, the same of each. */
export interface Tasks {
  /** Lines of the examination as lattice rows, distinct, ascending; of characters that the training text has. */
  readonly lines: readonly Uint32Array[]
  readonly pairs: readonly TaskPair[]
  /** Documents of the examination. */
  readonly documents: number
  /** Occurrences of each row in the training text. */
  readonly occurrences: Float64Array
}

/**
 * The tasks of a split: (a) find the true next line among 500 of the same length, (b) guess the characters of the next line.
 * @param limit - pairs, at most, drawn at random; all without it
 */
export function tasksOf(kernel: HanziKernel, { train, test }: Split, seed: number, limit: number = Infinity): Tasks {
  const occurrences = new Float64Array(kernel.definedCount)
  for (const document of train) {
    for (const line of document) {
      for (const character of line) {
        const row = kernel.rowOf(character)
        if (row !== undefined && row < occurrences.length) occurrences[row]!++
      }
    }
  }
  const texts = test.flat()
  const lines = texts.map((text) =>
    lineRows(kernel, text)
      .filter((row) => occurrences[row]! > 0)
      .sort(),
  )
  const random = new SplitMix32(seed, 2)
  const asked = random.shuffled(adjacentOf(test)).slice(0, limit)
  const pools = poolsOf(texts)
  const pairs = asked.map((pair) => {
    const pool = pools.get(lengthOf(texts[pair.line]!))!
    return { ...pair, others: Uint32Array.from({ length: CANDIDATES - 1 }, () => pool[random.below(pool.length)]!) }
  })
  return { lines, pairs, documents: test.length, occurrences }
}

function adjacentOf(documents: readonly TextDocument[]): Omit<TaskPair, 'others'>[] {
  const pairs: Omit<TaskPair, 'others'>[] = []
  let first = 0
  for (const [document, { length }] of documents.entries()) {
    for (let i = 0; i + 1 < length; i++) pairs.push({ document, line: first + i, next: first + i + 1 })
    first += length
  }
  return pairs
}

/** Lines by their number of characters. */
function poolsOf(texts: readonly string[]): Map<number, number[]> {
  const pools = new Map<number, number[]>()
  for (const [at, text] of texts.entries()) {
    const length = lengthOf(text)
    const pool = pools.get(length)
    if (pool === undefined) pools.set(length, [at])
    else pool.push(at)
  }
  return pools
}

function lengthOf(text: string): number {
  let length = 0
  for (const _ of text) length++
  return length
}
