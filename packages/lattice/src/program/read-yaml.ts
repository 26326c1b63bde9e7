import { utf8ToBytes } from '@noble/hashes/utils.js'
import { Composer, type CST, type Document, isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, type Node, Parser } from 'yaml'
import { type DocumentEntry, type DocumentNode, type DocumentResult, MAX_DEPTH } from './document.ts'
import { type ProgramFault, quoted } from './fault.ts'
import { MAX_PROGRAM_BYTES, type Position } from './program.ts'

/** Lexical pieces of a source: MAX_OPS ops with every field they can have take about 550,000. Each costs some hundred bytes while it is read. */
const MAX_LEXEMES = 600_000

/**
 * YAML 1.2 (core schema) as a document. One document of lists, maps with text keys, and scalars; anchors, aliases, tags and directives are no part of a program,
 * so nothing can expand. Memory is bounded by the bounds on size, pieces and depth, which are held before anything is built.
 */
export function readYaml(source: string): DocumentResult {
  // a code unit takes at least one byte
  if (source.length > MAX_PROGRAM_BYTES || utf8ToBytes(source).length > MAX_PROGRAM_BYTES) {
    return { faults: [whole(`the program is larger than ${MAX_PROGRAM_BYTES / 2 ** 20} MiB`)] }
  }
  const lines = new LineCounter()
  try {
    return compose(source, lines)
  } catch (error) {
    if (error instanceof Refusal) return { faults: [{ at: placeOf(lines, error.offset), path: '', message: error.message }] }
    throw error
  }
}

/** The source goes too far to be read on. */
class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly offset: number

  constructor(message: string, offset: number) {
    super(message)
    this.offset = offset
  }
}

function compose(source: string, lines: LineCounter): DocumentResult {
  // duplicate keys are found below: the composer compares every key with every other
  const composer = new Composer({ schema: 'core', version: '1.2', merge: false, uniqueKeys: false, stringKeys: true, prettyErrors: false })
  let document: DocumentNode | undefined
  for (const parsed of composer.compose(tokensOf(source, lines))) {
    if (document !== undefined) throw new Refusal('a file holds one program; here a second document begins', startOf(parsed.contents))
    const [error] = [...parsed.errors, ...parsed.warnings]
    if (error !== undefined) throw new Refusal(`this is not YAML: ${oneLine(error.message)}`, error.pos[0])
    refuseDirectives(parsed)
    document = nodeOf(parsed.contents, lines)
  }
  return { document: document ?? NOTHING }
}

const NOTHING: DocumentNode = { at: undefined, kind: 'nothing' }

/** Parser tokens, with depth and number held while they come. */
function* tokensOf(source: string, lines: LineCounter): Generator<CST.Token, void> {
  const parser = new Parser(lines.addNewLine)
  lines.addNewLine(0)
  let pieces = 0
  for (const lexeme of new Lexer().lex(source)) {
    if (++pieces > MAX_LEXEMES) throw new Refusal(`the program has more than ${MAX_LEXEMES} words and signs`, parser.offset)
    for (const token of parser.next(lexeme)) yield unlessError(token)
    if (parser.stack.length > MAX_DEPTH) throw new Refusal(`the program is nested more than ${MAX_DEPTH} deep`, parser.offset)
  }
  for (const token of parser.end()) yield unlessError(token)
}

/** The first error ends the reading: what follows it is guesswork. */
function unlessError(token: CST.Token): CST.Token {
  if (token.type === 'error') throw new Refusal(`this is not YAML: ${oneLine(token.message)}`, token.offset)
  return token
}

function refuseDirectives({ directives }: Document.Parsed): void {
  const tags = Object.keys(directives.tags)
  if (directives.yaml.explicit === true || tags.length > 1) throw new Refusal('directives (%YAML, %TAG) are no part of a program', 0)
}

function nodeOf(node: Node | null | undefined, lines: LineCounter): DocumentNode {
  if (node === null || node === undefined) return NOTHING
  const at = placeOf(lines, startOf(node))
  if (isAlias(node)) throw new Refusal(`*${node.source}: anchors and aliases are no part of a program`, startOf(node))
  if (node.anchor !== undefined) throw new Refusal(`&${node.anchor}: anchors and aliases are no part of a program`, startOf(node))
  if (isScalar(node)) {
    if (node.tag !== undefined) throw new Refusal('tags (!…) are no part of a program; quote what must be text', startOf(node))
    const { value, source } = node
    if (typeof value === 'string') return { at, kind: 'text', value }
    if (typeof value === 'number') return { at, kind: 'number', value, source: source ?? String(value) }
    if (typeof value === 'boolean') return { at, kind: 'truth', value }
    return { at, kind: 'nothing' }
  }
  if (node.tag !== undefined && !node.tag.startsWith(CORE_TAG)) throw new Refusal('tags (!…) are no part of a program', startOf(node))
  if (isSeq(node)) return { at, kind: 'list', items: node.items.map((item) => nodeOf(item as Node | null, lines)) }
  if (isMap(node)) return { at, kind: 'map', entries: entriesOf(node, lines) }
  throw new Refusal('a list, a map or a scalar is expected', startOf(node))
}

const CORE_TAG = 'tag:yaml.org,2002:'

function entriesOf(map: { readonly items: readonly { readonly key: unknown; readonly value: unknown }[] }, lines: LineCounter): DocumentEntry[] {
  const first = new Map<string, Position | undefined>()
  return map.items.map(({ key, value }) => {
    const node = key as Node | null
    if (!isScalar(node) || typeof node.value !== 'string') throw new Refusal('a key must be text', startOf(node))
    if (node.anchor !== undefined || node.tag !== undefined) throw new Refusal('anchors and tags are no part of a program', startOf(node))
    const at = placeOf(lines, startOf(node))
    if (first.has(node.value)) {
      throw new Refusal(`${quoted(node.value)} is here a second time; the first is on line ${first.get(node.value)?.line ?? 0}`, startOf(node))
    }
    first.set(node.value, at)
    return { key: node.value, at, value: nodeOf(value as Node | null, lines) }
  })
}

function startOf(node: Node | null | undefined): number {
  return node?.range?.[0] ?? 0
}

function placeOf(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset)
  return { line: Math.max(1, line), column: Math.max(1, col) }
}

function whole(message: string): ProgramFault {
  return { at: undefined, path: '', message }
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n[\s\S]*/g, '').trim()
}
