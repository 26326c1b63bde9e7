import { type BundleRange, type BundleResult, hex64, POLARITY_NAMES, type SeedBundle, twistSeed } from '@sgsd/color'
import { plainText } from '../text/display-width.ts'
import type { Style } from '../text/style.ts'
import { type Column, table } from '../text/table.ts'

/** Digits in groups of three. */
export function digits(value: bigint): string {
  return String(value).replaceAll(/\B(?=(\d{3})+$)/g, ',')
}

/** `0 … 499,999,999` */
export function indices({ start, count }: { readonly start: bigint; readonly count: bigint }): string {
  return count === 0n ? '–' : `${digits(start)} … ${digits(start + count - 1n)}`
}

export function bundleView(bundle: SeedBundle, width: number, style: Style): string[] {
  const { seed, ranges, total, expectedXor } = bundle
  const expected = expectedXor === undefined ? 'unknown' : `${style.block(hex64(expectedXor).slice(-6))} ${hex64(expectedXor)}`
  return [...rangeTable(ranges, seed, width, style), `seed ${hex64(seed)}  total ${digits(total)}  expected fingerprint ${expected}`]
}

export function rangeTable(ranges: readonly BundleRange[], seed: bigint, width: number, style: Style): string[] {
  const columns: Column<BundleRange>[] = [
    { title: 'HOST', text: ({ host }) => plainText(host), paint: (text) => style.bold(text), min: 8 },
    { title: 'INDICES', text: indices },
    { title: 'COUNT', align: 'right', text: ({ count }) => digits(count) },
    { title: 'POLARITY', text: ({ polarity }) => POLARITY_NAMES[polarity], dropOrder: 1 },
    { title: 'TWISTED SEED', text: ({ polarity }) => hex64(twistSeed(seed, polarity)), dropOrder: 2 },
  ]
  return table(columns, ranges, width, (head) => style.dim(head))
}

export function resultView({ host, ranges }: BundleResult, style: Style): string[] {
  return ranges.map(
    (range) =>
      `${style.block(hex64(range.fingerprint).slice(-6))} ${hex64(range.fingerprint)}  ${plainText(host)}, ${digits(range.count)} colours, indices ${indices(range)}`,
  )
}
