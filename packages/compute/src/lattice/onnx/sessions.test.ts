import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { InferenceSession } from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { thisMachine } from '../../machine.ts'
import { loadOrt, type Ort } from '../../onnx/ort.ts'
import { makeCanary } from '../canary.ts'
import { STABLE_PROFILE } from '../step-engine.ts'
import { OnnxStepEngine } from './onnx-step-engine.ts'

const here = thisMachine()
const hasOnnx = here.ortFolder !== undefined && here.exists(here.ortFolder)

/** What a hundred sessions of 1.5 MB each leave behind when they are released: allocators keep some. Unreleased they take several hundred. */
const MOST_GROWTH_MB = 90

test.runIf(hasOnnx)('a hundred lattices one after the other leave no memory behind', { timeout: 60_000 }, async () => {
  const child = fork(new URL('./sessions.child.ts', import.meta.url), [], {
    execArgv: ['--conditions=sgsd-source', '--disable-warning=ExperimentalWarning'],
  })
  const [grown] = (await once(child, 'message', { signal: AbortSignal.timeout(50_000) })) as [number]
  expect(grown).toBeLessThan(MOST_GROWTH_MB)
})

test.runIf(hasOnnx)('an engine holds one session at a time, and none after its release', async () => {
  const real = await loadOrt()
  const open = new Set<InferenceSession>()
  let most = 0
  const counting: Ort = {
    ...real,
    Tensor: real.Tensor,
    InferenceSession: {
      ...real.InferenceSession,
      async create(...args: Parameters<typeof real.InferenceSession.create>) {
        const session = await real.InferenceSession.create(...args)
        open.add(session)
        most = Math.max(most, open.size)
        const release = session.release.bind(session)
        session.release = () => {
          open.delete(session)
          return release()
        }
        return session
      },
    } as unknown as Ort['InferenceSession'],
  }
  const engine = new OnnxStepEngine(counting, 'cpu', STABLE_PROFILE)
  const { matrices, cover, teacher } = makeCanary(500)
  await engine.load(matrices)
  await engine.load(makeCanary(600).matrices)
  await engine.load(matrices)
  // the first learned row asks for a larger graph
  engine.setRow(3, { tauCols: Uint32Array.of(1), tauVals: Float32Array.of(1), rhoCols: new Uint32Array(0), rhoVals: new Float32Array(0) })
  await engine.converge(cover, teacher)
  expect({ most, open: open.size }).toEqual({ most: 1, open: 1 })
  await engine.release()
  await engine.release()
  expect(open.size).toBe(0)
})
