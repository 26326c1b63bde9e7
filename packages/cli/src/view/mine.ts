import type { StatusDocument } from '@sgsd/daemon'
import { plainText, truncate } from '../text/display-width.ts'
import { bar, bareHex, count, duration, percent, rate } from '../text/figures.ts'
import type { Style } from '../text/style.ts'

const BAR_COLUMNS = 30

/** Mining in detail: epoch, rates, engines, the newest closed epochs. */
export function mineView(colours: StatusDocument['colours'], width: number, style: Style): string[] {
  const eta = colours.etaMs === null || colours.state !== 'mining' ? '' : `  ETA ${duration(colours.etaMs)}`
  return [
    `${colours.state}  ${plainText(colours.kernel)}, seed ${colours.seed}`,
    `epoch ${BigInt(colours.epoch)}  ${bar(colours.coverage, BAR_COLUMNS)} ${percent(colours.coverage)}  ${count(colours.chunksCovered)} of ${count(colours.chunks)} chunks${eta}`,
    `rate  ${rate(colours.rateHere)} here on ${colours.threads} ${colours.threads === 1 ? 'thread' : 'threads'} (${plainText(colours.engine)}), ${rate(colours.rateMesh)} mesh`,
    `xor   ${style.block(bareHex(colours.xor))} ${colours.xor}`,
    ...colours.engines.map(({ engine, state, why }) => truncate(plainText(`engine ${engine}: ${state}: ${why}`), width)),
    ...colours.closed.map(({ epoch, xor, how }) => `epoch ${BigInt(epoch)} closed, ${how}  ${style.block(bareHex(xor))} ${xor}`),
  ]
}
