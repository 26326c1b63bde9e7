import type { EngineBench } from '@sgsd/compute'
import { count, duration, rate } from '../text/figures.ts'
import type { Style } from '../text/style.ts'
import { type Column, table } from '../text/table.ts'

import { digits } from './bundle.ts'

/** One strategy's run. */
export interface ProfileRun {
  readonly profile: string
  readonly seed: string
  /** Colours asked for, and computed: a strategy drops what does not fill its lanes. */
  readonly asked: string
  readonly count: string
  readonly dropped: string
  readonly engine: string
  readonly threads: number
  readonly durationMs: number
  readonly coloursPerSecond: number
  /** seed ^ XOR of each part. */
  readonly fingerprints: readonly string[]
  /** XOR of the fingerprints. */
  readonly fingerprint: string
  /** The fastest of this run. */
  readonly best: boolean
}

/** `12.41`, in billions. */
function giga(perSecond: number): string {
  const value = perSecond / 1e9
  return value >= 100 ? count(value) : value.toFixed(value >= 10 ? 1 : 3)
}

export function engineView(rows: readonly EngineBench[], width: number, style: Style): string[] {
  const columns: Column<EngineBench>[] = [
    { title: 'ENGINE', text: ({ engine }) => engine, paint: (text) => style.bold(text) },
    { title: 'KERNEL', text: ({ kernel }) => kernel },
    { title: 'THREADS', align: 'right', text: ({ threads }) => String(threads) },
    { title: 'G COLOURS/S', align: 'right', text: ({ coloursPerSecond }) => giga(coloursPerSecond) },
    { title: 'RATIO', align: 'right', text: ({ ratioToFastest }) => ratioToFastest.toFixed(2), dropOrder: 2 },
    {
      title: 'COLOUR',
      text: ({ fingerprint }) => (fingerprint === '' ? '' : `[${fingerprint.slice(-6)}]`),
      paint: (text, { fingerprint }) => (fingerprint === '' ? text : style.block(fingerprint.slice(-6))),
      dropOrder: 1,
    },
    { title: 'FINGERPRINT', text: ({ fingerprint }) => (fingerprint === '' ? '–' : fingerprint) },
    { title: 'OK', text: ({ ok }) => (ok ? '✓' : '✗'), paint: (text, { ok }) => (ok ? style.green(text) : style.red(text)) },
  ]
  return table(columns, rows, width, (head) => style.dim(head))
}

export function profileView(runs: readonly ProfileRun[], width: number, style: Style): string[] {
  const columns: Column<ProfileRun>[] = [
    { title: 'PROFILE', text: ({ profile }) => profile, paint: (text) => style.bold(text) },
    { title: 'COLOURS', align: 'right', text: ({ count }) => digits(BigInt(count)) },
    { title: 'DROPPED', align: 'right', text: ({ dropped }) => digits(BigInt(dropped)), dropOrder: 2 },
    { title: 'TIME', align: 'right', text: ({ durationMs }) => (durationMs < 10_000 ? `${Math.round(durationMs)} ms` : duration(durationMs)) },
    { title: 'RATE', align: 'right', text: ({ coloursPerSecond }) => rate(coloursPerSecond) },
    {
      title: 'COLOUR',
      text: ({ fingerprint }) => `[${fingerprint.slice(-6)}]`,
      paint: (_, { fingerprint }) => style.block(fingerprint.slice(-6)),
      dropOrder: 1,
    },
    { title: 'FINGERPRINT', text: ({ fingerprint }) => fingerprint },
    { title: '', text: ({ best }) => (best ? 'BEST' : ''), paint: (text) => style.green(text) },
  ]
  return table(columns, runs, width, (head) => style.dim(head))
}
