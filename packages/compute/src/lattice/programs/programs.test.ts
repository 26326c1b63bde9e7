import { createHash } from 'node:crypto'
import type { LayerId, PeerName } from '@sgsd/consensus'
import { converge, type Csr, type HanziKernel, parseProgram, type Program, STABLE } from '@sgsd/lattice'
import { encodeStateBlock } from '@sgsd/wire'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ComputeError } from '../../compute-error.ts'
import { openLatticeCompute } from '../open-lattice-compute.ts'
import type { LatticeCompute, LayerContent } from '../port.ts'
import { MAX_PROGRAMS, type OpReport, type Particle, type ProgramEvent, type ProgramInput } from './port.ts'
import { type ProgramLattice, ProgramRun } from './program-run.ts'

const CHARACTERS = Array.from('天地日月山水人火')
const LAYER = 'a'.repeat(64) as LayerId
const OTHER = 'b'.repeat(64) as LayerId

/** Eight characters, no more than what a program looks at. */
const kernel = {
  definedCount: CHARACTERS.length,
  rowOf: (character: string) => (CHARACTERS.includes(character) ? CHARACTERS.indexOf(character) : undefined),
  characterAt: (row: number) => CHARACTERS[row]!,
  definitionOf: (row: number) => `meaning of ${CHARACTERS[row]!}`,
} as HanziKernel

/** Each character leads to the next one and shuts out the one after. */
const lattice: ProgramLattice = {
  matrices: { tau: ring(1), rho: ring(2) },
  state: Float32Array.from(CHARACTERS, (_, row) => row / 10),
}

function ring(distance: number): Csr {
  const rows = CHARACTERS.length
  const cols = Uint32Array.from(CHARACTERS, (_, row) => (row + distance) % rows)
  return { rows, ptr: Uint32Array.from({ length: rows + 1 }, (_, row) => row), cols, vals: new Float32Array(rows).fill(1) }
}

function programOf(source: string): Program {
  const parsed = parseProgram(`version: 1\n${source}`)
  if ('faults' in parsed) throw new Error(parsed.faults[0]!.message)
  return parsed.program
}

/** All events of a run that is cut into slices of one step. */
function eventsOf(source: string, particles: readonly { particle: Particle; state: Float32Array }[] = []): ProgramEvent[] {
  const program = programOf(source)
  const indices = [...program.ops.entries()].filter(([, { op }]) => op === 'load_particles').map(([index]) => index)
  const run = new ProgramRun(kernel, lattice, program, new Map(indices.map((index) => [index, particles])))
  const events: ProgramEvent[] = []
  for (;;) {
    const slice = run.advance(() => true)
    expect(slice.events.length).toBeLessThanOrEqual(1)
    events.push(...slice.events)
    if (slice.done) return events
  }
}

const opsOf = (events: readonly ProgramEvent[]): OpReport[] => events.filter((event) => event.event === 'op')
const sha = (state: Float32Array): string => createHash('sha256').update(encodeStateBlock(state)).digest('hex')
const at = (...characters: string[]): Float32Array => Float32Array.from(CHARACTERS, (character) => (characters.includes(character) ? 1 : 0))
const settled = (start: Float32Array, teacher: Float32Array | undefined): Float32Array =>
  converge(lattice.matrices, start, { rule: { profile: 'stable', params: STABLE }, ...(teacher === undefined ? {} : { teacher }) }).s

describe('ops', () => {
  test('a text is its own teacher, and the result is what converge of the lattice package gives', () => {
    const events = eventsOf('program: [reset, cover: 天x, converge]')
    const [reset, cover, result] = opsOf(events)
    expect(reset).toMatchObject({ op: 'reset', sets: ['start'], sha256: sha(at()), top: [] })
    expect(cover).toMatchObject({ op: 'cover', sha256: sha(at('天')), unknown: ['x'], top: [{ character: '天', value: 1 }] })
    const s = settled(at('天'), at('天'))
    expect(result).toMatchObject({ op: 'converge', sets: ['result'], sha256: sha(s) })
    expect(events.at(-1)).toMatchObject({ event: 'end', sha256: sha(s), steps: result!.converge!.steps })
    expect(result!.converge!.energy).toHaveLength(result!.converge!.steps + 1)
    expect(result!.converge!.moves).toHaveLength(result!.converge!.steps)
  })

  test('without a teacher the state decays; with one it goes there', () => {
    const results = opsOf(eventsOf('program: [cover: 天, teacher: none, converge, teacher: 山, converge]')).filter(({ op }) => op === 'converge')
    expect(results.map(({ sha256 }) => sha256)).toEqual([sha(settled(at('天'), undefined)), sha(settled(at('天'), at('山')))])
  })

  test('a converge leaves the start where it is; feedback moves start, teacher, or both', () => {
    const reports = opsOf(
      eventsOf('program: [cover: 天, converge, converge, feedback, converge, feedback: teacher, converge, feedback: both, converge]'),
    )
    const results = reports.filter(({ op }) => op === 'converge').map(({ sha256 }) => sha256)
    const one = settled(at('天'), at('天'))
    const two = settled(one, one)
    const three = settled(one, two)
    expect(results).toEqual([sha(one), sha(one), sha(two), sha(three), sha(settled(three, three))])
    expect(reports.filter(({ op }) => op === 'feedback').map(({ sets }) => sets)).toEqual([['start'], ['teacher'], ['start', 'teacher']])
  })

  test('reset forgets teacher, cover and result', () => {
    const [first, , , , last] = opsOf(eventsOf('program: [cover: 天, teacher: 山, reset, cover: 天, converge]'))
    expect(last!.sha256).toBe(sha(settled(at('天'), at('天'))))
    expect(first!.sha256).toBe(sha(at('天')))
  })

  test('the published profile starts at 0.5 and has no teacher of its own', () => {
    const [reset, result] = opsOf(eventsOf('parameters: {profile: published, max_steps: 3}\nprogram: [reset, converge]'))
    const half = new Float32Array(CHARACTERS.length).fill(0.5)
    expect(reset!.sha256).toBe(sha(half))
    expect(result!.sha256).toBe(sha(converge(lattice.matrices, half, { rule: { profile: 'published' }, maxSteps: 3 }).s))
  })

  test('particles: their mean, equally or by likeness, as start or as teacher', () => {
    const particles = [
      { particle: LAYER, state: at('天', '地') },
      { particle: 'consensus' as const, state: at('火') },
    ]
    const source = 'program: [cover: 天, load_particles: {layers: [own], weigh: likeness, into: teacher}, load_particles: [own], converge]'
    const [, likened, equal, result] = opsOf(eventsOf(source, particles))
    expect(likened).toMatchObject({ sets: ['teacher'], sha256: sha(at('天', '地')), particles: [{ weight: 1 }, { weight: 0, likeness: 0 }] })
    expect(likened!.particles![0]!.likeness).toBeCloseTo(Math.SQRT1_2, 12)
    const mean = Float32Array.from(at('天', '地', '火'), (value) => value / 2)
    expect(equal).toMatchObject({
      sets: ['start'],
      sha256: sha(mean),
      particles: [
        { particle: LAYER, weight: 0.5 },
        { particle: 'consensus', weight: 0.5 },
      ],
    })
    expect(result!.sha256).toBe(sha(settled(mean, at('天', '地'))))
  })

  test('particles that are like nothing count equally', () => {
    const [likened] = opsOf(
      eventsOf('program: [load_particles: {layers: [own], weigh: likeness}]', [
        { particle: LAYER, state: at('天') },
        { particle: OTHER, state: at() },
      ]),
    )
    expect(likened!.particles!.map(({ weight }) => weight)).toEqual([0.5, 0.5])
  })

  test('outputs: how many characters, the covered ones among them or not, and energies of the ends', () => {
    const [, result] = opsOf(eventsOf('outputs: {top: 2, include_cover: true, energy: ends}\nprogram: [cover: 天, converge]'))
    expect(result!.top).toHaveLength(2)
    expect(result!.top[0]!.character).toBe('天')
    expect(result!.converge!.energy).toHaveLength(2)
    expect(result!.converge!.moves).toBeUndefined()
    const [, other] = opsOf(eventsOf('outputs: {energy: none}\nprogram: [cover: 天, converge]'))
    expect(other!.top.map(({ character }) => character)).not.toContain('天')
    expect(other!.converge!.energy).toBeUndefined()
    const all = opsOf(eventsOf('program: [cover: 天, converge]'))[1]!.converge!
    expect(result!.converge!.energy![0]).toBe(all.energy![0])
    expect(result!.converge!.energy![1]).toBe(all.energy!.at(-1))
  })
})

describe('bounds', () => {
  test('a text without a known character is found before the first step', () => {
    const events = eventsOf('program: [cover: 天, converge, teacher: hello]')
    expect(events).toEqual([{ event: 'failed', index: 2, code: 'TEXT_UNKNOWN', message: 'teacher: the lattice knows no character of "hello"' }])
  })

  test('a program takes no more steps than it may, and says how far it is on the way', () => {
    const converges = Array.from({ length: 11 }, () => 'converge').join(', ')
    const events = eventsOf(`parameters: {tolerance: 0, max_steps: 10000}\noutputs: {energy: none}\nprogram: [cover: 天, ${converges}]`)
    expect(events.at(-1)).toMatchObject({ event: 'failed', index: 11, code: 'TOO_MANY_STEPS' })
    expect(events.find(({ event }) => event === 'progress')).toEqual({ event: 'progress', index: 1, steps: 256, moved: 0 })
  })
})

describe('in the lattice worker', () => {
  const RADICALS = Array.from({ length: 214 }, (_, index) => index + 1)
  const TEXT = ['天地玄黄', '宇宙洪荒', '日月盈昃', '辰宿列张', '寒来暑往', '秋收冬藏']
  const PEER = '12D3KooWMember' as PeerName
  let compute: LatticeCompute
  let content: LayerContent

  beforeAll(async () => {
    compute = await openLatticeCompute({ provider: 'wasm' })
    await compute.setOwned(RADICALS)
    await compute.farm(TEXT)
    const draft = await compute.commit()
    content = { layer: LAYER, radicals: draft.radicals.map(({ radical, bytes }) => ({ radical, bytes })), state: draft.state }
    await compute.load(content)
  })

  afterAll(async () => {
    await compute.close()
  })

  const inputOf = (source: string, over?: LayerContent): ProgramInput => {
    const program = programOf(source)
    const ops = [...program.ops.entries()].filter(([, { op }]) => op === 'load_particles').map(([op]) => op)
    return { program, particles: ops.map((op) => ({ op, particles: [LAYER, 'consensus'] })), states: [{ layer: LAYER, state: content.state }], over }
  }

  async function runOf(input: ProgramInput): Promise<ProgramEvent[]> {
    const id = await compute.openProgram(input)
    const events: ProgramEvent[] = []
    for (let done = false; !done;) {
      const slice = await compute.advanceProgram(id)
      events.push(...slice.events)
      done = slice.done
    }
    await compute.closeProgram(id)
    return events
  }

  const SOURCE = 'program: [cover: 天地, converge, feedback: both, converge, load_particles: [own], converge]'
  const head = { peer: PEER, seq: 1n, layer: LAYER, weight: 1 }

  test('equal program and consensus give equal states on wasm and on the reference, and the running lattice stays as it is', async () => {
    const folded = await compute.fold([head])
    const before = await compute.ask('天地', 20)
    const events = await runOf(inputOf(SOURCE))
    expect(await compute.ask('天地', 20)).toEqual(before)
    expect((await compute.fold([head])).digest).toBe(folded.digest)
    await using reference = await openLatticeCompute({ provider: 'reference' })
    await reference.load(content)
    await reference.fold([head])
    const id = await reference.openProgram(inputOf(SOURCE))
    const there: ProgramEvent[] = []
    for (let done = false; !done;) {
      const slice = await reference.advanceProgram(id)
      there.push(...slice.events)
      done = slice.done
    }
    expect(there).toEqual(events)
    expect(opsOf(events)).toHaveLength(6)
  })

  test('what was learned since the last fold is not in it, and the consensus of one layer is that of a mesh with this layer alone', async () => {
    await compute.fold([])
    const kernelAlone = await runOf(inputOf('program: [cover: 天地, converge]'))
    const over = await runOf(inputOf('program: [cover: 天地, converge]', content))
    await compute.load(content)
    await compute.fold([head])
    const consensus = await runOf(inputOf('program: [cover: 天地, converge]'))
    expect(over).toEqual(consensus)
    expect(over.at(-1)).not.toEqual(kernelAlone.at(-1))
  })

  test('no more programs than may run at once; a closed one is CLOSED; a bad layer is refused', async () => {
    const open = await Promise.all(Array.from({ length: MAX_PROGRAMS }, () => compute.openProgram(inputOf(SOURCE))))
    await expect(compute.openProgram(inputOf(SOURCE))).rejects.toMatchObject({ code: 'BUSY' })
    await Promise.all(open.map((id) => compute.closeProgram(id)))
    await expect(compute.advanceProgram(open[0]!)).rejects.toBeInstanceOf(ComputeError)
    const bad = { ...content, state: content.state.slice(0, 100) }
    await expect(compute.openProgram(inputOf(SOURCE, bad))).rejects.toMatchObject({ code: 'LAYER_REFUSED' })
    await expect(compute.openProgram({ ...inputOf(SOURCE), states: [{ layer: LAYER, state: Uint8Array.of(1) }] })).rejects.toMatchObject({
      code: 'LAYER_REFUSED',
    })
    await expect(compute.openProgram({ ...inputOf(SOURCE), states: [] })).rejects.toMatchObject({ code: 'LAYER_REFUSED' })
  })
})
