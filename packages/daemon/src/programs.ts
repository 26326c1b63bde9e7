import { ComputeError, type LatticeCompute, MAX_PROGRAM_LAYERS, type Particle, type ProgramInput } from '@sgsd/compute'
import type { LayerId } from '@sgsd/consensus'
import { parseProgramJson, type ParticleName, type Program, renderFault } from '@sgsd/lattice'
import type { RunLine } from './control/api.ts'
import { DaemonError } from './daemon-error.ts'
import { LayerFinder, LayerNotFound } from './layer-finder.ts'
import type { DaemonParts } from './parts.ts'

/** Longest run, ms: a program of the most steps takes a few minutes on a slow machine. */
const MAX_RUN_MS = 15 * 60_000

/** A program as it came over the control socket. */
export interface RunRequest {
  /** The document of docs/trajectories.md, as JSON. */
  readonly program: unknown
  /** Beginning of the id of the layer to run for: its consensus alone is stepped, and it is what `own` names. */
  readonly layer: string | undefined
}

type RunParts = Pick<DaemonParts, 'core' | 'merging'> & {
  readonly lattice: Pick<LatticeCompute, 'openProgram' | 'advanceProgram' | 'closeProgram'>
  readonly store: { readonly blocks: Pick<DaemonParts['store']['blocks'], 'get'> }
}

/**
 * Checks a program, finds its layers and opens it; the lines that come back run it as they are read, and close it when nobody reads on.
 * @throws DaemonError PROGRAM_INVALID | LAYER_UNKNOWN | LAYER_AMBIGUOUS | LAYER_INCOMPLETE | BUSY; what an op cannot find is a `failed` line
 */
export async function startRun(parts: RunParts, request: RunRequest, signal: AbortSignal): Promise<AsyncIterable<RunLine>> {
  const checked = parseProgramJson(request.program)
  if ('faults' in checked) {
    const [first, ...rest] = checked.faults
    const more = rest.length === 0 ? '' : ` (and ${rest.length} more)`
    throw new DaemonError('PROGRAM_INVALID', `${renderFault(first!, 'the program')}${more}`, 'docs/trajectories.md describes the language')
  }
  const finder = new LayerFinder(parts.core, parts.store.blocks)
  try {
    const over = request.layer === undefined ? undefined : await finder.find(request.layer)
    const found = await findParticles(finder, checked.program, over, (parts.merging.current?.heads ?? 0) > 0)
    if ('event' in found) return once(found)
    const input: ProgramInput = { ...found, program: checked.program, over: over === undefined ? undefined : await finder.content(over) }
    return lines(parts, input, await parts.lattice.openProgram(input), signal)
  } catch (error) {
    if (error instanceof LayerNotFound) throw new DaemonError(error.code, error.message, "sgsd status names this node's layer", { cause: error })
    if (error instanceof ComputeError && error.code === 'BUSY') {
      throw new DaemonError('BUSY', 'as many programs run on this node as may', 'try again when one has ended', { cause: error })
    }
    throw error
  }
}

async function* lines({ lattice, merging }: RunParts, input: ProgramInput, id: number, signal: AbortSignal): AsyncGenerator<RunLine> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(MAX_RUN_MS)])
  let index = 0
  try {
    const { program, over } = input
    // the lattice worker answers in order: a fold before `openProgram` is known here by now, and one after it is not
    const { id: consensus = '', fold } = merging.current ?? {}
    const { name, profile, ops } = program
    yield { event: 'started', schema: 'sgsd.run/1', name, profile, ops: ops.length, over: over?.layer ?? '', consensus, digest: fold?.digest ?? '' }
    for (;;) {
      const slice = await lattice.advanceProgram(id)
      for (const event of slice.events) {
        if ('index' in event) index = event.index
        yield event
      }
      if (slice.done) return
      if (deadline.aborted) {
        const message = signal.aborted ? 'the daemon stops' : `the program has run for ${MAX_RUN_MS / 60_000} minutes; it may not run longer`
        return yield { event: 'failed', index, code: 'TOO_LONG', message }
      }
    }
  } finally {
    await lattice.closeProgram(id).catch(() => {})
  }
}

type Found = Pick<ProgramInput, 'particles' | 'states'>

/** What the names of all load_particles stand for, or the op whose names stand for nothing. */
async function findParticles(
  finder: LayerFinder,
  program: Program,
  over: LayerId | undefined,
  consensus: boolean,
): Promise<Found | Extract<RunLine, { event: 'failed' }>> {
  const particles: { op: number; particles: readonly Particle[] }[] = []
  const states = new Map<LayerId, Uint8Array>()
  const resolved = new Map<string, readonly Particle[]>()
  for (const [index, op] of program.ops.entries()) {
    if (op.op !== 'load_particles') continue
    try {
      const found = new Set<Particle>()
      for (const name of op.layers) {
        const key = JSON.stringify(name)
        const meant = resolved.get(key) ?? (await particlesOf(finder, name, over, consensus))
        resolved.set(key, meant)
        for (const particle of meant) found.add(particle)
      }
      if (found.size === 0) throw new LayerNotFound('LAYER_UNKNOWN', 'the layer has no ancestor here')
      for (const particle of found) {
        if (particle === 'consensus' || states.has(particle)) continue
        if (states.size === MAX_PROGRAM_LAYERS) throw new LayerNotFound('LAYER_UNKNOWN', `a program names ${MAX_PROGRAM_LAYERS} layers at most`)
        states.set(particle, await finder.state(particle))
      }
      particles.push({ op: index, particles: [...found] })
    } catch (error) {
      if (!(error instanceof LayerNotFound)) throw error
      return { event: 'failed', index, code: error.code, message: `load_particles: ${error.message}` }
    }
  }
  return { particles, states: [...states].map(([layer, state]) => ({ layer, state })) }
}

async function particlesOf(finder: LayerFinder, name: ParticleName, over: LayerId | undefined, consensus: boolean): Promise<readonly Particle[]> {
  if (name.kind === 'layer') return [await finder.find(name.prefix)]
  if (name.kind === 'consensus') {
    if (!consensus) throw new LayerNotFound('LAYER_UNKNOWN', 'the mesh has no layer yet, so there is no consensus')
    return ['consensus']
  }
  const own = over ?? finder.head
  if (own === undefined) throw new LayerNotFound('LAYER_UNKNOWN', 'this node has no layer yet: own and parents mean nothing')
  return name.kind === 'own' ? [own] : finder.ancestors(own, name.count)
}

async function* once(line: RunLine): AsyncGenerator<RunLine> {
  yield await Promise.resolve(line)
}
