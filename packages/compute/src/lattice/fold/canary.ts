import { type FoldKernel, type FoldStatistic, type FoldTask, MAX_ROW_EDGES, REFERENCE_FOLD_KERNEL, type RowSide } from '@sgsd/consensus'

const STATISTICS = ['mean', 'max', 'trimmed', 'median'] as const satisfies readonly FoldStatistic[]

/** Row r has r % MEMBERS + 1 owners. */
const MEMBERS = 7
const ROWS = 84
const COLUMNS = 300

/** Known-answer questions: rows of 0 to 64 edges, with the owners' columns equal and different, and more columns than a row keeps. */
export interface FoldCanary {
  readonly task: FoldTask
  readonly sides: readonly RowSide[]
  readonly weights: Float64Array
  readonly states: readonly Float32Array[]
}

/** The same on every machine: all of it comes from one linear congruential sequence. */
export function makeFoldCanary(): FoldCanary {
  let word = 1
  const next = (below: number): number => {
    word = (Math.imul(word, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((word / 2 ** 32) * below)
  }
  // few levels, so that weights tie; now and then 0
  const value = (): number => Math.fround(next(12) / 11)
  const columnsOf = (edges: number): number[] => {
    const stride = Math.floor(COLUMNS / Math.max(1, edges))
    return Array.from({ length: edges }, (_, at) => at * stride + next(stride))
  }
  const owners = Array.from({ length: ROWS }, (_, row) => {
    const shared = columnsOf((row * 5) % (MAX_ROW_EDGES + 1))
    return Array.from({ length: (row % MEMBERS) + 1 }, (_, member) => ({
      member,
      shape: row % 3 === 2 ? row + 1 : ROWS * (member + 1) + row + 1,
      cols: row % 3 === 0 ? columnsOf(MAX_ROW_EDGES - next(4)) : row % 3 === 1 ? shared.filter(() => next(8) > 0) : shared,
    }))
  })
  const sides = Array.from({ length: MEMBERS }, (_, member) => {
    const own = owners.flatMap((of) => of.filter((owner) => owner.member === member))
    const ptr = new Uint32Array(own.length + 1)
    for (const [i, { cols }] of own.entries()) ptr[i + 1] = ptr[i]! + cols.length
    const side = { ptr, cols: Uint32Array.from(own.flatMap(({ cols }) => cols)), vals: Float32Array.from({ length: ptr[own.length]! }, value) }
    // shapes may be known of some members and not of others
    return member === 4 ? side : { ...side, shapes: Float64Array.from(own, ({ shape }) => shape) }
  })
  const ptr = new Uint32Array(ROWS + 1)
  for (const [row, of] of owners.entries()) ptr[row + 1] = ptr[row]! + of.length
  const places = new Uint32Array(MEMBERS)
  const member = Uint32Array.from(owners.flatMap((of) => of.map((owner) => owner.member)))
  return {
    task: { ptr, member, at: member.map((of) => places[of]!++) },
    sides,
    // the first two count nothing: rows that only they own are folded as if all were equal
    weights: Float64Array.from({ length: MEMBERS }, (_, m) => (m < 2 ? 0 : 1 / m)),
    states: Array.from({ length: MEMBERS }, () => Float32Array.from({ length: COLUMNS }, value)),
  }
}

/** Where a kernel differs from the reference, in words; undefined when it gives the same. */
export function foldCanaryFault(kernel: FoldKernel, { task, sides, weights, states }: FoldCanary = makeFoldCanary()): string | undefined {
  for (const statistic of STATISTICS) {
    const [known, found] = [emptyRows(), emptyRows()]
    REFERENCE_FOLD_KERNEL.rows(statistic, COLUMNS, task, sides, weights, known)
    kernel.rows(statistic, COLUMNS, task, sides, weights, found)
    const end = known.ptr[ROWS]!
    const same =
      sameBytes(known.ptr, found.ptr) &&
      (['cols', 'vals'] as const).every((part) => sameBytes(known[part].subarray(0, end), found[part].subarray(0, end)))
    if (!same) return `its ${statistic} of rows differs from the reference`
    if (statistic === 'max') continue
    const [knownState, foundState] = [new Float32Array(COLUMNS), new Float32Array(COLUMNS)]
    REFERENCE_FOLD_KERNEL.states(statistic, states, weights, knownState)
    kernel.states(statistic, states, weights, foundState)
    if (!sameBytes(knownState, foundState)) return `its ${statistic} of states differs from the reference`
  }
  return undefined
}

function emptyRows(): RowSide {
  const room = ROWS * MAX_ROW_EDGES
  return { ptr: new Uint32Array(ROWS + 1), cols: new Uint32Array(room), vals: new Float32Array(room) }
}

function sameBytes(a: Uint32Array | Float32Array, b: Uint32Array | Float32Array): boolean {
  const bytesOf = ({ buffer, byteOffset, byteLength }: Uint32Array | Float32Array): Uint8Array => new Uint8Array(buffer, byteOffset, byteLength)
  return Buffer.compare(bytesOf(a), bytesOf(b)) === 0
}
