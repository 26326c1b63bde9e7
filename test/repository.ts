import { spawnSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'

/** The checkout's top folder. */
export const ROOT: string = dirname(import.meta.dirname)

/** Folders that are made and never kept; only looked at where there is no git to ask. */
const MADE: ReadonlySet<string> = new Set(['.git', 'node_modules', 'dist', 'coverage'])

/** Paths of the files that belong to the project, relative to ROOT with forward slashes; git says which, or the folders where git cannot. */
export function trackedFiles(): readonly string[] {
  const listed = spawnSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8', maxBuffer: 64 << 20 })
  if (listed.status === 0 && listed.stdout !== '') return listed.stdout.split('\0').filter((path) => path !== '')
  return walk(ROOT)
}

/** Text of a tracked file; undefined for a binary one, or one that is gone from disk. */
export function textOf(path: string): string | undefined {
  let bytes: Buffer
  try {
    bytes = readFileSync(join(ROOT, path))
  } catch {
    return undefined
  }
  return bytes.subarray(0, 8_192).includes(0) ? undefined : bytes.toString('utf8')
}

function walk(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (MADE.has(entry.name)) return []
    const path = join(folder, entry.name)
    return entry.isDirectory() ? walk(path) : [relative(ROOT, path).split(sep).join('/')]
  })
}
