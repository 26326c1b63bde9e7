import type { EngineReport } from './port.ts'
import type { EngineFinding } from './probe.ts'

export interface EngineChoice {
  /** Name of the fastest good engine; undefined when none is good. */
  readonly active: string | undefined
  readonly reports: readonly EngineReport[]
}

/** The fastest engine that answered the canary right does the work; every other one stays on the list, with its reason. */
export function chooseEngine(findings: readonly EngineFinding[]): EngineChoice {
  let best: Extract<EngineFinding, { state: 'good' }> | undefined
  for (const finding of findings) {
    if (finding.state === 'good' && (best === undefined || finding.coloursPerSecond > best.coloursPerSecond)) best = finding
  }
  const reports = findings.map(({ engine, state, why }): EngineReport => {
    if (state !== 'good') return { engine, state, why }
    return { engine, state: engine === best?.engine ? 'active' : 'standby', why }
  })
  return { active: best?.engine, reports }
}
