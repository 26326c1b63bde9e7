// Thread of the history: layers of the past, read and folded apart from the running lattice, behind the calls of history-calls.ts.
import { parentPort, workerData } from 'node:worker_threads'
import { type AnyBlock, diffRows, edgeOf, type Folded, ruleOf, TopChanges } from '@sgsd/consensus'
import { buildLattice, columnsOfLattice } from '@sgsd/lattice'
import { ComputeError } from '../compute-error.ts'
import { Answering } from '../lattice/answering.ts'
import { readTable } from '../lattice/hanzi-table.ts'
import { serveCalls } from '../worker/worker-host.ts'
import { foldDigest } from './fold-digest.ts'
import type { HistoryCalls, HistoryWorkerData } from './history-calls.ts'
import { openBook } from './layer-book.ts'
import { scoreLines } from './score-lines.ts'
import { shared } from './shared-arrays.ts'
import type { CharacterRow } from './port.ts'

const { foldId, stop } = workerData as HistoryWorkerData

const kernel = readTable()
const base = buildLattice(kernel)
const book = openBook(foldId, { kernel, base })
const answering = new Answering(kernel, foldId)

const calls: HistoryCalls = {
  check: async (content) => book.check(content),
  fold: async (members) => {
    const began = performance.now()
    const folded = book.fold(members)
    return { digest: digestOf(folded), rows: folded.rows, nnz: folded.nnz, ms: performance.now() - began }
  },
  lattice: async (members) => {
    const folded = book.fold(members)
    const { matrices, state, rows, nnz } = folded
    const columns = ruleOf(foldId) === 'evidence' ? columnsOfLattice(matrices) : undefined
    return { digest: digestOf(folded), rows, nnz, ...shared({ matrices, state, columns }) }
  },
  score: async (members, lines) => scoreLines(kernel, await answering.over(book.fold(members), 'wasm'), lines),
  merge: async (members) => book.merge(members),
  pairwise: async (a, b) => book.pairwise(a, b),
  diff: async (blocks, most) => {
    const top = new TopChanges(most)
    const radicals = blocks.map(({ radical, before, after }) => diffRows(radical, parsed(before), parsed(after), top.offer))
    return {
      radicals,
      top: top.changes.map((change) => ({
        ...change,
        rowCharacter: kernel.characterAt(change.row),
        columnCharacter: kernel.characterAt(change.column),
      })),
    }
  },
  edge: async (block, row, column) => edgeOf(parsed(block), row, column),
  rowsOf: async (text) => [...text].map((character) => kernel.rowOf(character)).flatMap((row) => (row === undefined ? [] : describe(row))),
  characters: async (rows) => rows.flatMap(describe),
}

if (parentPort === null) throw new Error('the history worker was started outside a worker thread')
serveCalls(parentPort, calls, stop, () => answering.release())

function digestOf(folded: Folded): string {
  return foldDigest(kernel.id, foldId, folded)
}

function describe(row: number): CharacterRow[] {
  return row < kernel.definedCount ? [{ character: kernel.characterAt(row), row, radical: kernel.radicals[row]! }] : []
}

function parsed(bytes: Uint8Array): AnyBlock
function parsed(bytes: Uint8Array | undefined): AnyBlock | undefined
function parsed(bytes: Uint8Array | undefined): AnyBlock | undefined {
  if (bytes === undefined) return undefined
  const block = book.parse(bytes)
  if (block.type !== 'accept') throw new ComputeError('LAYER_REFUSED', { layer: 'a block', detail: block.reason })
  return block.value
}
