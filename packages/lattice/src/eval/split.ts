import { SplitMix32 } from './random.ts'

/** Lines of one poem, letter or chapter, in order. */
export type TextDocument = readonly string[]

/** Documents to learn from and documents to be examined on. */
export interface Split {
  readonly train: readonly TextDocument[]
  readonly test: readonly TextDocument[]
}

/** Of ten documents one is for the examination. */
const TEST_SHARE = 0.1

/** The documents of a text: empty lines stand between them. */
export function documentsOf(lines: readonly string[]): TextDocument[] {
  const documents: string[][] = []
  let open: string[] | undefined
  for (const line of lines) {
    if (line === '') open = undefined
    else if (open === undefined) documents.push((open = [line]))
    else open.push(line)
  }
  return documents
}

/** The lines of documents, an empty line after each. */
export function linesOf(documents: readonly TextDocument[]): string[] {
  return documents.flatMap((document) => [...document, ''])
}

/** Lines shorter than this are common property: refrains and sighs say nothing of a poem's origin. */
const TELLING_CHARACTERS = 4

/**
 * Documents without those that share a line with an earlier one: an anthology prints some poems twice, whole or in variants, and a split by document
 * would then examine what was learned by heart.
 */
export function distinctDocuments(documents: readonly TextDocument[]): TextDocument[] {
  const known = new Set<string>()
  return documents.filter((document) => {
    const telling = document.filter((line) => [...line].length >= TELLING_CHARACTERS)
    if (telling.some((line) => known.has(line))) return false
    for (const line of telling) known.add(line)
    return true
  })
}

/** Shuffles by the seed; the first tenth is the examination. Whole documents: lines of one poem are never on both sides. */
export function splitDocuments(documents: readonly TextDocument[], seed: number): Split {
  const order = new SplitMix32(seed, 1).shuffled(documents)
  const count = Math.round(TEST_SHARE * order.length)
  return { train: order.slice(count), test: order.slice(0, count) }
}

/** Documents in `count` parts that differ by one document at most. */
export function dealt(documents: readonly TextDocument[], count: number): TextDocument[][] {
  return Array.from({ length: count }, (_, part) =>
    documents.slice(Math.floor((part * documents.length) / count), Math.floor(((part + 1) * documents.length) / count)),
  )
}
