import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { addLeaf, optionsOf, printJson, wholeNumber } from '../leaf.ts'
import { openProgress } from '../progress.ts'
import { computeFigures, PUBLISHED_SEED } from '../published.ts'
import { rate } from '../text/figures.ts'

export function addVerify(program: Command, context: Context): void {
  addLeaf(program, {
    name: 'verify',
    nodeless: true,
    summary: 'reproduce the published figures on this machine',
    details: `All for seed ${PUBLISHED_SEED}. Needs no daemon and no network. Exit 7 when a figure differs.`,
    examples: ['sgsd verify', 'sgsd verify --threads 1 --json'],
  })
    .option('--threads <count>', 'worker threads (default: half the cores)', wholeNumber(1, 1_024))
    .action(async (_flags, command: Command) => {
      const flags = optionsOf<{ threads?: number }>(command)
      await using compute = await context.edges.colours(flags.threads === undefined ? {} : { threads: flags.threads })
      const started = performance.now()
      const progress = openProgress(context.terminal, 'turbo32, 5·10^8 colours', 1, (perSecond) => rate(perSecond * 5e8))
      const figures = await computeFigures(compute, context.signal, (done, total) => progress.update(Number(done) / Number(total))).finally(() =>
        progress.end(),
      )
      const ok = figures.every((figure) => figure.ok)
      if (!ok) context.exitCode = EXIT.disagreement
      if (flags.json === true) {
        const { engine, threads } = compute
        return printJson(context, { schema: 'sgsd.verify/1', ok, engine, threads, durationMs: Math.round(performance.now() - started), figures })
      }
      const { out } = context.terminal
      for (const { name, what, expected, got, ok } of figures) {
        const mark = ok ? out.green('✓') : out.red('✗')
        context.terminal.print(`${mark} ${name.padEnd(18)} ${got.padEnd(18)}  ${ok ? '' : `expected ${expected}  `}${out.dim(what)}`)
      }
    })
}
