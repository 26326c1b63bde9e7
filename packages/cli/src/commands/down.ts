import { setTimeout as pause } from 'node:timers/promises'
import type { Done, StatusDocument } from '@sgsd/daemon'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { CliError, describeFailure } from '../failure.ts'
import { addLeaf, controlOf, optionsOf, printJson } from '../leaf.ts'

/** A graceful stop takes 5 s at most; twice that is a daemon that hangs. */
const STOP_DEADLINE_MS = 10_000
const POLL_MS = 50

export function addDown(program: Command, context: Context): void {
  addLeaf(program, {
    name: 'down',
    summary: 'stop the daemon and wait until it is gone',
    examples: ['sgsd down', 'sgsd down --data-dir ./a'],
  }).action(async (_flags, command: Command) => {
    const flags = optionsOf(command)
    const control = await controlOf(context, flags)
    const { node } = await control.get<StatusDocument>('/v1/status', context.signal)
    const started = performance.now()
    await control.post<Done>('/v1/stop', undefined, context.signal)
    while (isAlive(node.pid)) {
      if (performance.now() - started > STOP_DEADLINE_MS) {
        throw new CliError(
          'TIMEOUT',
          `process ${node.pid} still runs ${STOP_DEADLINE_MS / 1_000} s after it was told to stop`,
          EXIT.timeout,
          `kill ${node.pid}`,
        )
      }
      await pause(POLL_MS, undefined, { signal: context.signal })
    }
    if (flags.json === true) printJson(context, { schema: 'sgsd.down/1', pid: node.pid, ms: Math.round(performance.now() - started) })
    else context.terminal.print(`${node.name} stopped`)
  })
}

/** Signal 0 only asks; a process of somebody else is alive too. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return describeFailure(error).code === 'EPERM'
  }
}
