// Builds W in a process of its own, so that the memory it takes is seen apart from the bench's: prints a BuildReport as JSON.
import { readFileSync } from 'node:fs'
import { zstdDecompressSync } from 'node:zlib'
import { buildLattice, type HanziKernel, parseHanziTable } from '../packages/lattice/src/index.ts'

/** Builds one after another; the first one runs on code that is not compiled yet. */
export const BUILDS = 5

/** Times in milliseconds, memory in bytes. */
export interface BuildReport {
  readonly parseMs: number
  readonly firstMs: number
  readonly bestMs: number
  readonly edges: number
  /** Resident memory when the process was ready to begin, and at its peak. */
  readonly startRss: number
  readonly peakRss: number
}

/** Reads and parses the shipped table. */
export function readKernel(): HanziKernel {
  const kernel = parseHanziTable(zstdDecompressSync(readFileSync(new URL('../packages/lattice/data/hanzi.bin.zst', import.meta.url))))
  if ('error' in kernel) throw new Error(kernel.error)
  return kernel
}

function build(): BuildReport {
  const startRss = process.memoryUsage().rss
  const began = performance.now()
  const kernel = readKernel()
  const parseMs = performance.now() - began
  const times: number[] = []
  let edges = 0
  for (let round = 0; round < BUILDS; round++) {
    const start = performance.now()
    edges = buildLattice(kernel).tau.cols.length
    times.push(performance.now() - start)
  }
  const [firstMs = Number.NaN] = times
  return { parseMs, firstMs, bestMs: Math.min(...times), edges, startRss, peakRss: process.resourceUsage().maxRSS * 1_024 }
}

if (import.meta.main) process.stdout.write(JSON.stringify(build()))
