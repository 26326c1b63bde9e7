import { setTimeout as pause } from 'node:timers/promises'
import type { StatusDocument } from '@sgsd/daemon'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { healthOf } from '../health.ts'
import { addLeaf, controlOf, optionsOf, printJson } from '../leaf.ts'
import { openLiveRegion } from '../text/live-region.ts'
import { statusView } from '../view/status.ts'

const WATCH_INTERVAL_MS = 1_000

export function addStatus(program: Command, context: Context): void {
  addLeaf(program, {
    name: 'status',
    summary: 'peers, ranges, radicals, rates, consensus, and who agrees',
    examples: ['sgsd status', 'sgsd status --watch', 'sgsd status --check && echo fine', 'sgsd status --json | jq .consensus.id'],
  })
    .option('--watch', 'draw it again every second; with --json one document a line')
    .option('--check', 'exit 4 when the mesh is degraded')
    .action(async (_flags, command: Command) => {
      const flags = optionsOf<{ watch?: boolean; check?: boolean }>(command)
      const control = await controlOf(context, flags)
      const read = (): Promise<StatusDocument> => control.get<StatusDocument>('/v1/status', context.signal)
      const view = (status: StatusDocument): string[] =>
        statusView(status, healthOf(status), Math.max(70, context.terminal.columns()), context.terminal.out)
      if (flags.watch === true) return watch(context, read, view, flags.json === true)
      const status = await read()
      if (flags.json === true) printJson(context, status)
      else for (const line of view(status)) context.terminal.print(line)
      if (flags.check === true && healthOf(status).state === 'degraded') context.exitCode = EXIT.degraded
    })
}

async function watch(
  context: Context,
  read: () => Promise<StatusDocument>,
  view: (status: StatusDocument) => string[],
  json: boolean,
): Promise<void> {
  const { terminal, signal } = context
  const region = openLiveRegion(
    (text) => terminal.writeOut(text),
    () => terminal.rows(),
  )
  try {
    for (;;) {
      const status = await read()
      if (json) printJson(context, status)
      else if (terminal.outLive) region.draw(view(status))
      else for (const line of [...view(status), '']) terminal.print(line)
      await pause(WATCH_INTERVAL_MS, undefined, { signal })
    }
  } finally {
    region.end()
  }
}
