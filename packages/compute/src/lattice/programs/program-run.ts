import {
  type Converged,
  cover,
  energyForm,
  type EnergyForm,
  fieldOf,
  type HanziKernel,
  type LatticeMatrices,
  MAX_PROGRAM_STEPS,
  nearest,
  type Program,
  type ProgramOp,
  type ProgramRule,
  type RowScales,
  rowScales,
  trace,
  type TraceStep,
} from '@sgsd/lattice'
import { weigh, weightedMean } from './particle-mean.ts'
import type { ConvergeReport, OpReport, Particle, ProgramEvent, ProgramFailure, ProgramSlice, TopEntry } from './port.ts'
import { Registers, stateDigest } from './registers.ts'

/** Events that a slice brings at most. */
const MAX_SLICE_EVENTS = 64
/** Characters of an unknown text that a failure repeats. */
const MAX_ECHO = 32

/** What a program runs over: a lattice and its state, neither changed while it is held. */
export interface ProgramLattice {
  readonly matrices: LatticeMatrices
  readonly state: Float32Array
}

/** One run of a program. The same program over the same lattice and particles gives the same events on every machine, but for `progress`. */
export class ProgramRun {
  readonly #kernel: HanziKernel
  readonly #lattice: ProgramLattice
  readonly #program: Program
  /** States of the particles of each load_particles, by the op's index. */
  readonly #particles: ReadonlyMap<number, readonly { readonly particle: Particle; readonly state: Float32Array }[]>
  readonly #registers: Registers
  readonly #forms = new Map<string, { readonly scales: RowScales | undefined; readonly energy: EnergyForm }>()
  readonly #events: Generator<ProgramEvent | undefined, void>
  #steps = 0

  constructor(
    kernel: HanziKernel,
    lattice: ProgramLattice,
    program: Program,
    particles: ReadonlyMap<number, readonly { readonly particle: Particle; readonly state: Float32Array }[]>,
  ) {
    this.#kernel = kernel
    this.#lattice = lattice
    this.#program = program
    this.#particles = particles
    this.#registers = new Registers(kernel, program.profile)
    this.#events = this.#run()
  }

  /** Runs on until `late` says so, looking after every step. */
  advance(late: () => boolean): ProgramSlice {
    const events: ProgramEvent[] = []
    do {
      const next = this.#events.next()
      if (next.done === true) return { events, done: true }
      if (next.value !== undefined) events.push(next.value)
    } while (events.length < MAX_SLICE_EVENTS && !late())
    return { events, done: false }
  }

  /** Yields undefined between two steps. */
  *#run(): Generator<ProgramEvent | undefined, void> {
    const unknown = this.#unknownText()
    if (unknown !== undefined) return yield unknown
    for (const [index, op] of this.#program.ops.entries()) {
      const outcome = op.op === 'converge' ? yield* this.#converge(index, op) : this.#perform(index, op)
      yield outcome
      if (outcome.event === 'failed') return
    }
    yield this.#end()
  }

  /** A text without a known character is found before the first step, not after an hour. */
  #unknownText(): ProgramFailure | undefined {
    for (const [index, op] of this.#program.ops.entries()) {
      if ((op.op !== 'cover' && op.op !== 'teacher') || op.text === undefined || cover(this.#kernel, op.text).rows.length > 0) continue
      const characters = [...op.text.slice(0, 4 * MAX_ECHO)]
      const echo = characters.length > MAX_ECHO ? `${characters.slice(0, MAX_ECHO).join('')}…` : op.text
      return { event: 'failed', index, code: 'TEXT_UNKNOWN', message: `${op.op}: the lattice knows no character of ${JSON.stringify(echo)}` }
    }
    return undefined
  }

  #perform(index: number, op: Exclude<ProgramOp, { op: 'converge' }>): OpReport {
    const registers = this.#registers
    const base = { event: 'op', index, op: op.op } as const
    switch (op.op) {
      case 'reset':
        registers.reset()
        return { ...base, sets: ['start'], sha256: stateDigest(registers.start), top: [] }
      case 'cover': {
        const { state, rows, unknown } = registers.textState(op.text)
        registers.start = state
        registers.covered = rows
        return { ...base, sets: ['start'], sha256: stateDigest(state), top: this.#top(state, true), unknown }
      }
      case 'teacher': {
        if (op.text === undefined) {
          registers.teach(undefined)
          return { ...base, sets: [], sha256: '', top: [] }
        }
        const { state, unknown } = registers.textState(op.text)
        registers.teach(state)
        return { ...base, sets: ['teacher'], sha256: stateDigest(state), top: this.#top(state, true), unknown }
      }
      case 'feedback': {
        // the grammar lets no feedback stand before a converge
        const result = registers.result ?? registers.start
        if (op.into !== 'teacher') registers.start = result
        if (op.into !== 'start') registers.teach(result)
        const sets = op.into === 'both' ? (['start', 'teacher'] as const) : ([op.into] as const)
        return { ...base, sets, sha256: stateDigest(result), top: this.#top(result) }
      }
      case 'load_particles': {
        const loaded = this.#particles.get(index) ?? []
        const states = loaded.map(({ state }) => state)
        const { weights, likeness } = weigh(states, op.weigh, registers.result ?? registers.start)
        const mean = weightedMean(states, weights)
        if (op.into === 'start') registers.start = mean
        else registers.teach(mean)
        const particles = loaded.map(({ particle }, i) => ({ particle, weight: weights[i]!, likeness: likeness[i]! }))
        return { ...base, sets: [op.into], sha256: stateDigest(mean), top: this.#top(mean), particles }
      }
    }
  }

  *#converge(index: number, op: Extract<ProgramOp, { op: 'converge' }>): Generator<ProgramEvent | undefined, OpReport | ProgramFailure> {
    const { start, teacher } = this.#registers
    const mode = this.#program.outputs.energy
    const { scales, energy } = this.#formOf(op.rule)
    const walk = trace(this.#lattice.matrices, start, {
      rule: op.rule,
      teacher,
      maxSteps: op.maxSteps,
      tolerance: op.tolerance,
      ...(scales === undefined ? {} : { scales }),
      energy: mode === 'steps' ? energy : undefined,
    })
    const seen: TraceStep[] = []
    let step = walk.next()
    while (step.done !== true) {
      if (step.value.step > 0) this.#steps++
      if (this.#steps > MAX_PROGRAM_STEPS) {
        const message = `converge: the program has taken ${MAX_PROGRAM_STEPS} steps; it may not take more`
        return { event: 'failed', index, code: 'TOO_MANY_STEPS', message }
      }
      seen.push(step.value)
      // one line of progress for what takes about a second
      yield step.value.step > 0 && step.value.step % 256 === 0
        ? { event: 'progress', index, steps: step.value.step, moved: step.value.moved }
        : undefined
      step = walk.next()
    }
    this.#registers.result = step.value.s
    const converge = this.#convergeReport(op.rule, step.value, seen, { start, teacher, energy })
    return {
      event: 'op',
      index,
      op: 'converge',
      sets: ['result'],
      sha256: stateDigest(step.value.s),
      top: this.#top(step.value.s),
      converge,
    }
  }

  #convergeReport(
    rule: ProgramRule,
    { s, steps, converged }: Converged,
    seen: readonly TraceStep[],
    { start, teacher, energy }: { start: Float32Array; teacher: Float32Array | undefined; energy: EnergyForm },
  ): ConvergeReport {
    const report = { steps, converged, moved: seen.at(-1)?.moved ?? 0 }
    switch (this.#program.outputs.energy) {
      case 'none':
        return report
      case 'ends': {
        const field = fieldOf(this.#lattice.matrices, rule, teacher)
        return { ...report, energy: [energy.of(start, field), energy.of(s, field)], energyFalls: energy.falls }
      }
      case 'steps':
        return {
          ...report,
          energy: seen.map((each) => each.energy ?? 0),
          energyFalls: energy.falls,
          moves: seen.slice(1).map((each) => each.greatestMove),
        }
    }
  }

  #end(): ProgramEvent {
    const state = this.#registers.result ?? this.#registers.start
    const top = this.#top(state).map(({ character, value }) => ({ character, value, definition: this.#definitionOf(character) }))
    return { event: 'end', steps: this.#steps, sha256: stateDigest(state), top }
  }

  #definitionOf(character: string): string {
    const row = this.#kernel.rowOf(character)
    return row === undefined ? '' : this.#kernel.definitionOf(row)
  }

  /** @param whole - the covered characters too, whatever the program says */
  #top(state: Float32Array, whole = false): TopEntry[] {
    const { top, includeCover } = this.#program.outputs
    if (top === 0) return []
    const passed = whole || includeCover ? [] : this.#registers.covered
    return nearest(state, passed, top).map(({ row, value }) => ({ character: this.#kernel.characterAt(row), value }))
  }

  /** Made once for each set of parameters. */
  #formOf(rule: ProgramRule): { readonly scales: RowScales | undefined; readonly energy: EnergyForm } {
    const key = JSON.stringify(rule)
    const have = this.#forms.get(key)
    if (have !== undefined) return have
    const { matrices } = this.#lattice
    const scales = rule.profile === 'stable' ? rowScales(matrices, rule.params) : undefined
    const made = { scales, energy: energyForm(matrices, rule, scales) }
    // a program may have another rule for each of its ops: only the newest is kept
    this.#forms.clear()
    this.#forms.set(key, made)
    return made
  }
}
