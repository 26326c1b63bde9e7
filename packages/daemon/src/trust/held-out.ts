import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { LayerId } from '@sgsd/consensus'

/** Lines of a sample, each but the last scored by its successor. */
const SAMPLE_LINES = 65

/** The Analects (論語), public domain, 2,995 lines: shipped, and never farmed unless a person gives them. */
export async function readHeldOut(): Promise<readonly string[]> {
  const file = fileURLToPath(import.meta.resolve('@sgsd/lattice/data/corpus/lunyu.txt'))
  return (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '')
}

/** Consecutive lines that nobody knew when the layer was made. @param beacon - of the current epoch */
export function sampleFor(lines: readonly string[], beacon: string, layer: LayerId): readonly string[] {
  const start = createHash('sha256').update(beacon).update(layer).digest().readUInt32LE(0) % Math.max(1, lines.length - SAMPLE_LINES + 1)
  return lines.slice(start, start + SAMPLE_LINES)
}
