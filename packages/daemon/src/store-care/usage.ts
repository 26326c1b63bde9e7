import { type Dirent, lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { BlockId } from '@sgsd/consensus'
import type { BlockStore } from '@sgsd/store'
import type { StoreUsageDocument } from './documents.ts'
import type { BlockKind, Marks } from './mark.ts'

type Kind = BlockKind | 'unreferenced'
type KindUsage = { -readonly [Name in keyof StoreUsageDocument['kinds'][number]]: StoreUsageDocument['kinds'][number][Name] }

/** Where the bytes of the blocks are. */
export async function usageOfBlocks(
  blocks: Pick<BlockStore, 'entries'>,
  marks: Marks,
  signal?: AbortSignal,
): Promise<Pick<StoreUsageDocument, 'kinds' | 'total'> & { readonly layerBytes: { readonly unsharedBytes: number; readonly bytes: number } }> {
  const kinds = new Map<Kind, KindUsage>()
  const total = { blocks: 0, bytes: 0 }
  const layerBytes = { unsharedBytes: 0, bytes: 0 }
  for await (const { id, bytes } of blocks.entries() as AsyncIterable<{ id: BlockId; bytes: number }>) {
    signal?.throwIfAborted()
    const mark = marks.blocks.get(id)
    const kind = mark?.kind ?? 'unreferenced'
    const usage = kinds.get(kind) ?? { kind, blocks: 0, bytes: 0, ownBytes: 0, othersBytes: 0, sharedBytes: 0 }
    kinds.set(kind, usage)
    for (const sum of [usage, total]) {
      sum.blocks += 1
      sum.bytes += bytes
    }
    if (mark === undefined) continue
    usage[mark.own && mark.others ? 'sharedBytes' : mark.own ? 'ownBytes' : 'othersBytes'] += bytes
    layerBytes.unsharedBytes += mark.layers * bytes
    if (mark.layers > 0) layerBytes.bytes += bytes
  }
  return { kinds: [...kinds.values()].sort((a, b) => b.bytes - a.bytes), total, layerBytes }
}

/** Sizes of what lies in a data directory beside `blocks/`, largest first. */
export function otherFiles(root: string): StoreUsageDocument['files'] {
  return entriesOf(root)
    .filter(({ name }) => name !== 'blocks')
    .map((entry) => ({ name: entry.isDirectory() ? `${entry.name}/` : entry.name, bytes: sizeOf(root, entry) }))
    .filter(({ bytes }) => bytes > 0)
    .sort((a, b) => b.bytes - a.bytes)
}

function sizeOf(dir: string, entry: Dirent): number {
  const path = join(dir, entry.name)
  if (entry.isDirectory()) return entriesOf(path).reduce((sum, inner) => sum + sizeOf(path, inner), 0)
  return entry.isFile() ? (lstatSync(path, { throwIfNoEntry: false })?.size ?? 0) : 0
}

/** None where the folder is gone or may not be read. */
function entriesOf(dir: string): Dirent[] {
  try {
    return readdirSync(dir, { withFileTypes: true })
  } catch {
    return []
  }
}
