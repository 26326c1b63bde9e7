import type { HistoryCompute, HistoryMember, LatticeCompute } from '@sgsd/compute'
import type { Logger } from 'pino'
import type { EventBus } from '../event-bus.ts'
import type { AnswersFrom, LayerSwapDocument } from './documents.ts'

const CONSENSUS: AnswersFrom = { kind: 'consensus', id: '', digest: '' }

/** What answers: the consensus, or a layer or consensus of the past in its place. Lasts until it is changed, or the daemon ends. */
export class AnswerSwap {
  readonly #lattice: Pick<LatticeCompute, 'answerFrom'>
  readonly #history: Pick<HistoryCompute, 'lattice'>
  readonly #log: Logger
  readonly #events: EventBus
  #current = CONSENSUS
  #last: Promise<unknown> = Promise.resolve()

  constructor(lattice: Pick<LatticeCompute, 'answerFrom'>, history: Pick<HistoryCompute, 'lattice'>, log: Logger, events: EventBus) {
    this.#lattice = lattice
    this.#history = history
    this.#log = log
    this.#events = events
  }

  get current(): AnswersFrom {
    return this.#current
  }

  /** Back to the running consensus. */
  toConsensus(): Promise<LayerSwapDocument> {
    return this.#inTurn(async () => this.#change(CONSENSUS, 0, () => this.#lattice.answerFrom(undefined)))
  }

  /** The lattice is made in another thread; the running one goes on answering until it is there, and changes over between two questions. */
  to(kind: 'layer' | 'past consensus', id: string, members: readonly HistoryMember[]): Promise<LayerSwapDocument> {
    return this.#inTurn(async () => {
      const began = performance.now()
      const { matrices, state, columns, digest } = await this.#history.lattice(members)
      return this.#change({ kind, id, digest }, performance.now() - began, () => this.#lattice.answerFrom({ matrices, state, columns }))
    })
  }

  async #change(next: AnswersFrom, prepareMs: number, swap: () => Promise<void>): Promise<LayerSwapDocument> {
    const began = performance.now()
    await swap()
    const swapMs = performance.now() - began
    const before = this.#current
    this.#current = next
    this.#log.info({ kind: next.kind, id: next.id.slice(0, 12), prepareMs: Math.round(prepareMs), swapMs: Math.round(swapMs) }, 'answers come from')
    this.#events.emit({ event: 'answers:changed', kind: next.kind, id: next.id })
    return { schema: 'sgsd.layer-swap/1', answersFrom: next, before, prepareMs, swapMs }
  }

  /** One swap at a time, in the order of asking. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work)
    this.#last = turn.catch(() => {})
    return turn
  }
}

/** What people should know of it: nothing while the consensus answers. */
export function swapWarnings({ kind, id }: AnswersFrom): readonly { readonly message: string; readonly hint: string }[] {
  return kind === 'consensus'
    ? []
    : [{ message: `questions are answered from ${kind} ${id.slice(0, 12)}, not from the consensus`, hint: 'sgsd layer swap consensus' }]
}
