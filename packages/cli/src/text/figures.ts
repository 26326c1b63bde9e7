/** `31s`, `12m04s`, `3h07m`, `3d 04:11`. @param ms - milliseconds, negative counts as 0 */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000))
  if (seconds < 60) return `${seconds}s`
  const two = (value: number): string => String(value).padStart(2, '0')
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes}m${two(seconds % 60)}s`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return `${hours}h${two(minutes % 60)}m`
  return `${Math.floor(hours / 24)}d ${two(hours % 24)}:${two(minutes % 60)}`
}

/** How long ago: `now` below two seconds, else as `duration`; `never` for null. */
export function ago(ms: number | null): string {
  return ms === null ? 'never' : ms < 2_000 ? 'now' : duration(ms)
}

const METRIC = ['', 'k', 'M', 'G', 'T', 'P'] as const
const BINARY = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** Colours per second: `8.1 G/s`, `0`. */
export function rate(perSecond: number): string {
  return perSecond > 0 ? `${scaled(perSecond, 1_000, METRIC)}/s` : '0'
}

/** `1.4 GiB` */
export function bytes(count: number): string {
  return scaled(Math.max(0, count), 1_024, BINARY)
}

/** `3,912` */
export function count(value: number): string {
  return String(Math.trunc(value)).replaceAll(/\B(?=(\d{3})+$)/g, ',')
}

/** A share in [0, 1] as `78%`; only a whole is `100%`, and only nothing `0%`. */
export function percent(share: number): string {
  if (!(share > 0)) return '0%'
  return share >= 1 ? '100%' : `${Math.min(99, Math.max(1, Math.round(share * 100)))}%`
}

/** `████████····` of `width` columns. @param share - clamped to [0, 1]; the last cell is filled only by a whole */
export function bar(share: number, width: number): string {
  const full = share >= 1 ? width : Math.max(0, Math.min(width - 1, Math.floor((share > 0 ? share : 0) * width)))
  return '█'.repeat(full) + '·'.repeat(width - full)
}

/** A peer id for people: `12D3Koo…x7Qp`. */
export function shortPeer(peerId: string): string {
  return peerId.length <= 12 ? peerId : `${peerId.slice(0, 7)}…${peerId.slice(-4)}`
}

/** A u64 or u32 as `0x` and 16 (or `digits`) hex digits. */
export function hex(value: bigint, digits = 16): string {
  return `0x${value.toString(16).padStart(digits, '0')}`
}

/** Hex digits without their `0x`. */
export function bareHex(text: string): string {
  return text.startsWith('0x') ? text.slice(2) : text
}

function scaled(value: number, base: number, units: readonly string[]): string {
  let unit = 0
  let rest = value
  // the next unit already from 999.5 on, so that rounding never prints four digits
  while (rest >= base - 0.5 && unit < units.length - 1) {
    rest /= base
    unit += 1
  }
  const digits = unit === 0 || rest >= 99.95 ? 0 : 1
  return `${rest.toFixed(digits)} ${units[unit]!}`.trimEnd()
}
