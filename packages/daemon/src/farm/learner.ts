import type { LatticeCompute } from '@sgsd/compute'
import type { Host, HostItem } from '../hosts/port.ts'
import type { LedgerText } from './ledger.ts'
import type { LineWindow } from './text-reader.ts'

/** Lines that the built-in host takes in one call: a status request waits no longer than these take. */
const NEXT_LINE_LINES = 64
/** Characters of s(t+1) that a host gets to see. */
const NEAREST = 32

/** What came of one host call. */
export interface Learned {
  /** Lines that taught something. */
  readonly graded: number
  /** Lines that are not empty and have no character that the lattice knows. */
  readonly unknown: number
}

/** Learns from lines, one host call at a time. */
export interface Learner {
  readonly kind: string
  /** Lines that one call may hold. */
  readonly lines: number
  /** Lines of a call that are not learned for themselves but with their successor: such a line is learned again when it gets another one. */
  readonly overlap: 0 | 1
  /** @throws HostError with nothing learned; any other error leaves what was learned uncertain */
  learn(text: LedgerText, window: LineWindow, signal: AbortSignal): Promise<Learned>
}

/** The host that is built into the lattice: each line is graded by the one that follows. */
export class NextLineLearner implements Learner {
  readonly kind: string = 'next-line'
  readonly lines: number = NEXT_LINE_LINES
  readonly overlap = 1
  readonly #lattice: Pick<LatticeCompute, 'farm'>

  constructor(lattice: Pick<LatticeCompute, 'farm'>) {
    this.#lattice = lattice
  }

  async learn(text: LedgerText, { lines, successor, context }: LineWindow): Promise<Learned> {
    const pairs = successor === undefined ? lines : [...lines, successor]
    if (pairs.length < 2) return { graded: 0, unknown: 0 }
    const { graded, skipped } = await this.#lattice.farm(pairs, { shared: text.shared, context })
    return { graded, unknown: skipped }
  }
}

/** A host outside of the lattice: it grades what the lattice predicts, and its grades and revisions are what is learned. */
export class HostLearner implements Learner {
  readonly kind: string
  readonly lines: number
  readonly overlap = 0
  readonly #lattice: Pick<LatticeCompute, 'predict' | 'learn'>
  readonly #host: Host
  readonly #layer: () => string

  /** @param layer - own head now, or '' before the first */
  constructor(lattice: Pick<LatticeCompute, 'predict' | 'learn'>, host: Host, layer: () => string) {
    this.kind = host.kind
    this.lines = host.batch
    this.#lattice = lattice
    this.#host = host
    this.#layer = layer
  }

  async learn(_text: LedgerText, window: LineWindow, signal: AbortSignal): Promise<Learned> {
    const places = [...window.lines.keys()].filter((i) => window.lines[i] !== '')
    if (places.length === 0) return { graded: 0, unknown: 0 }
    const predicted = await this.#lattice.predict(
      places.map((i) => window.lines[i]!),
      NEAREST,
    )
    const layer = this.#layer()
    const items = places.flatMap((i, at): HostItem[] => {
      const { nearest } = predicted[at]!
      const next = (i + 1 < window.lines.length ? window.lines[i + 1] : window.successor) || undefined
      return nearest.length === 0 ? [] : [{ line: window.lines[i]!, next, nearest, layer }]
    })
    const unknown = places.length - items.length
    if (items.length === 0) return { graded: 0, unknown }
    const grades = await this.#host.grade(items, signal)
    const graded = items.flatMap(({ line }, i) => {
      const grade = grades[i]
      return grade === undefined ? [] : [{ line, score: grade.score, revision: grade.revision }]
    })
    if (graded.length > 0) await this.#lattice.learn(graded)
    return { graded: graded.length, unknown }
  }
}
