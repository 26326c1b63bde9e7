import type { ColourEngine } from './engine.ts'

/** The engine, but it forgets the last colour of each run. */
export function careless(engine: ColourEngine): ColourEngine {
  return { ...engine, name: 'careless', xorRuns: (kernel, seed, start, length, out) => engine.xorRuns(kernel, seed, start, length - 1, out) }
}
