import type { ProgramFault } from './fault.ts'
import type { Position } from './program.ts'

/** A document before it means anything: what YAML and JSON have in common, with the place of each part. */
export type DocumentNode = { readonly at: Position | undefined } & (
  | { readonly kind: 'text'; readonly value: string }
  /** `source` is how it was written: a layer id of digits only is still a layer id. */
  | { readonly kind: 'number'; readonly value: number; readonly source: string }
  | { readonly kind: 'truth'; readonly value: boolean }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'list'; readonly items: readonly DocumentNode[] }
  | { readonly kind: 'map'; readonly entries: readonly DocumentEntry[] }
)

/** Keys are distinct within a map. */
export interface DocumentEntry {
  readonly key: string
  /** Place of the key. */
  readonly at: Position | undefined
  readonly value: DocumentNode
}

export type DocumentResult = { readonly document: DocumentNode } | { readonly faults: readonly ProgramFault[] }

/** Levels of lists and maps within one another: a program needs six. */
export const MAX_DEPTH = 32

/** Parts of a document: MAX_OPS ops with every field they can have. */
export const MAX_NODES = 300_000

/** A value as `JSON.parse` gives it; it has no positions. */
export function documentOfJson(value: unknown): DocumentResult {
  let left = MAX_NODES
  let fault: ProgramFault | undefined
  const refuse = (message: string): DocumentNode => {
    fault ??= { at: undefined, path: '', message }
    return { at: undefined, kind: 'nothing' }
  }
  const convert = (part: unknown, depth: number): DocumentNode => {
    if (fault !== undefined) return { at: undefined, kind: 'nothing' }
    if (depth > MAX_DEPTH) return refuse(`the document is nested more than ${MAX_DEPTH} deep`)
    if (--left < 0) return refuse(`the document has more than ${MAX_NODES} parts`)
    if (typeof part === 'string') return { at: undefined, kind: 'text', value: part }
    if (typeof part === 'number') return { at: undefined, kind: 'number', value: part, source: String(part) }
    if (typeof part === 'boolean') return { at: undefined, kind: 'truth', value: part }
    if (part === null || part === undefined) return { at: undefined, kind: 'nothing' }
    if (Array.isArray(part)) return { at: undefined, kind: 'list', items: part.map((item) => convert(item, depth + 1)) }
    const entries = Object.entries(part).map(([key, each]) => ({ key, at: undefined, value: convert(each, depth + 1) }))
    return { at: undefined, kind: 'map', entries }
  }
  const document = convert(value, 0)
  return fault === undefined ? { document } : { faults: [fault] }
}

/**
 * The document as `JSON.stringify` takes it. A number in a list is written as text, as it stood: the only scalars that a program has in lists are names, and the
 * layer id `1234e5` must not become 123400000.
 */
export function jsonOfDocument(node: DocumentNode, inList = false): unknown {
  switch (node.kind) {
    case 'text':
    case 'truth':
      return node.value
    case 'number':
      return inList ? node.source : node.value
    case 'nothing':
      return null
    case 'list':
      return node.items.map((item) => jsonOfDocument(item, true))
    case 'map':
      return Object.fromEntries(node.entries.map(({ key, value }) => [key, jsonOfDocument(value)]))
  }
}
