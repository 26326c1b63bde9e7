// Thread of the games: the pure functions of the colour and consensus packages behind the calls of game-calls.ts.
import { parentPort, workerData } from 'node:worker_threads'
import { condenseChain, furthestColour, nearFixedPoints, rangeXor, walkCycle } from '@sgsd/color'
import { simulateScale, STAGES } from '@sgsd/consensus'
import { ComputeError } from '../compute-error.ts'
import { serveCalls } from '../worker/worker-host.ts'
import { STOP_CELL } from '../worker/worker-messages.ts'
import type { GameCalls, GameWorkerData } from './game-calls.ts'

const { progress, stop } = workerData as GameWorkerData

const calls: GameCalls = {
  furthest: furthestColour,
  nearFixedPoints,
  walkCycle,
  chain: condenseChain,
  partXor: ({ kernel, seed, start, stride, count }) => rangeXor(kernel, seed, start, count, stride),
  simulate: (simulation) =>
    simulateScale(simulation, (stage, share) => {
      if (Atomics.load(stop, STOP_CELL) === 1) throw new ComputeError('CANCELLED', { call: 'simulate' })
      progress[0] = STAGES.indexOf(stage)
      progress[1] = share
    }),
}

if (parentPort === null) throw new Error('the game worker was started outside a worker thread')
serveCalls(parentPort, calls, stop, async () => {})
