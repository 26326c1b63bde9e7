import type { EngineReport } from './port.ts'
import type { EngineFinding } from './probe.ts'

export interface EngineChoice {
  /** Name of the fastest good engine; undefined when none is good. */
  readonly active: string | undefined
  /** Threads that the active engine takes. */
  readonly threads: number
  /** What the other threads work with; undefined when there are none, or nothing for them. */
  readonly beside: string | undefined
  readonly reports: readonly EngineReport[]
}

type Good = Extract<EngineFinding, { state: 'good' }>

/**
 * The fastest engine that answered the canary right does the work; every other one stays on the list, with its reason. Speed is that
 * of all the threads it may use: a GPU that one thread feeds is measured against all cores, and its other threads work beside it.
 */
export function chooseEngine(findings: readonly EngineFinding[], threads = 1): EngineChoice {
  const good = findings.filter((finding) => finding.state === 'good')
  const used = (finding: Good): number => Math.min(threads, finding.threads ?? threads)
  const best = fastest(good, (finding) => finding.coloursPerSecond * used(finding))
  const spare = best === undefined ? 0 : threads - used(best)
  const beside =
    spare === 0
      ? undefined
      : fastest(
          good.filter((finding) => finding.threads === undefined),
          (finding) => finding.coloursPerSecond,
        )
  const reports = findings.map(({ engine, state, why }): EngineReport => {
    if (state !== 'good') return { engine, state, why }
    if (engine === beside?.engine) return { engine, state: 'standby', why: `${why}, on ${spare} threads beside ${best?.engine}` }
    return { engine, state: engine === best?.engine ? 'active' : 'standby', why }
  })
  return { active: best?.engine, threads: threads - spare, beside: beside?.engine, reports }
}

function fastest(findings: readonly Good[], speed: (finding: Good) => number): Good | undefined {
  let best: Good | undefined
  for (const finding of findings) if (best === undefined || speed(finding) > speed(best)) best = finding
  return best
}
