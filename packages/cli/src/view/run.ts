import type { RunLine } from '@sgsd/daemon'
import type { ProgramOp } from '@sgsd/lattice'
import { pad, plainText, truncate } from '../text/display-width.ts'
import type { Style } from '../text/style.ts'
import { nearestTable } from './ask.ts'

type Line<E extends RunLine['event']> = Extract<RunLine, { event: E }>

/** Hex digits of a SHA-256 that people compare. */
const SHORT_SHA = 12

/** What runs over what. */
export function startView({ name, profile, ops, over, consensus, digest }: Line<'started'>, file: string, width: number, style: Style): string[] {
  const title = truncate(`${plainText(name === '' ? file : name)}: ${ops} ops, ${profile} profile`, width)
  const ground =
    over !== ''
      ? `layer ${over}, alone`
      : consensus === ''
        ? 'the kernel alone: there is no consensus yet'
        : `consensus ${style.block(consensus)} ${consensus.slice(0, SHORT_SHA)}, digest ${digest.slice(0, SHORT_SHA)}`
  return [style.bold(title), `over ${ground}`, '']
}

/** One op: its line in the source, what it set and to what, and what it brought to mind; energies stand below. */
export function opView(report: Line<'op'>, op: ProgramOp | undefined, width: number, style: Style): string[] {
  const line = op?.at?.line
  const head = [
    pad(line === undefined ? '' : String(line), 5, 'right'),
    pad(report.op, 14),
    pad(report.sets.join(', '), 14),
    pad(report.sha256.slice(0, SHORT_SHA), SHORT_SHA),
  ].join('  ')
  const top = report.top.map(({ character }) => character).join('')
  const below = detailsOf(report).map((detail) => style.dim(`${' '.repeat(7)}${truncate(plainText(detail), width - 7)}`))
  return [truncate(`${head}  ${plainText(top)}`, width).trimEnd(), ...below]
}

function detailsOf({ converge, particles, unknown }: Line<'op'>): string[] {
  const details: string[] = []
  if (unknown !== undefined && unknown.length > 0) details.push(`unknown: ${unknown.join(' ')}`)
  for (const { particle, weight, likeness } of particles ?? []) {
    details.push(
      `particle ${particle === 'consensus' ? pad(particle, SHORT_SHA) : particle.slice(0, SHORT_SHA)}  weight ${weight.toFixed(3)}  likeness ${likeness.toFixed(3)}`,
    )
  }
  if (converge === undefined) return details
  const { steps, converged, moved, energy, energyFalls } = converge
  details.push(`${steps} ${steps === 1 ? 'step' : 'steps'}, ${converged ? 'settled' : 'not settled'}: the last moved ${moved.toExponential(1)}`)
  if (energy !== undefined) {
    details.push(`energy ${energySteps(energy)}${energyFalls === true ? ', which no step can raise' : ''}`)
  }
  return details
}

/** The first energies, and the last. */
function energySteps(energy: readonly number[]): string {
  const written = energy.map((value) => value.toPrecision(5))
  return written.length <= 6 ? written.join(' → ') : [...written.slice(0, 4), '…', written.at(-1)!].join(' → ')
}

/** The final state, as `sgsd ask` shows an answer. */
export function endView({ steps, sha256, top }: Line<'end'>, width: number, style: Style): string[] {
  return ['', ...nearestTable(top, width, style), '', `steps   ${steps}`, `sha256  ${sha256}`]
}
