import type { Git } from './git-program.ts'

/** Bytes of one folder's listing: some 50,000 entries. */
const MAX_LISTING_BYTES = 4 * 2 ** 20

/** One entry of a folder. Its name is bytes, each as one character: what others wrote need not be UTF-8, and goes back as it came. */
export interface TreeEntry {
  readonly mode: string
  readonly type: string
  readonly id: string
  readonly name: string
  /** Bytes; undefined for a folder. */
  readonly size: number | undefined
}

/** A name as tree entries hold it. */
export function rawName(name: string): string {
  return Buffer.from(name, 'utf8').toString('latin1')
}

/** The entries of one folder. @param tree - id of a tree or commit @throws GitError REPOSITORY_TOO_LARGE */
export async function listTree(git: Git, tree: string): Promise<readonly TreeEntry[]> {
  const listing = (await git.output(['ls-tree', '-z', '-l', '--full-tree', tree], { most: MAX_LISTING_BYTES })).toString('latin1')
  return listing.split('\0').flatMap((line): TreeEntry[] => {
    const [, mode, type, id, size, name] = /^(\d{6}) ([a-z]+) ([0-9a-f]{40,64}) +(\d+|-)\t(.*)$/s.exec(line) ?? []
    return mode === undefined ? [] : [{ mode, type: type!, id: id!, name: name!, size: size === '-' ? undefined : Number(size) }]
  })
}

/** A folder's entries below another one, or none where there is no such folder. */
export async function listBelow(git: Git, entries: readonly TreeEntry[], name: string): Promise<readonly TreeEntry[]> {
  const found = entries.find((entry) => entry.name === rawName(name))
  return found?.type === 'tree' ? listTree(git, found.id) : []
}

/** Writes a folder. @returns its id */
export function writeTree(git: Git, entries: readonly Omit<TreeEntry, 'size'>[]): Promise<string> {
  const listing = entries.map(({ mode, type, id, name }) => `${mode} ${type} ${id}\t${name}\0`).join('')
  return git.line(['mktree', '-z', '--missing'], { input: Buffer.from(listing, 'latin1') })
}

/** Writes a file's content. @returns an entry for it */
export async function writeFileEntry(git: Git, name: string, bytes: Uint8Array): Promise<TreeEntry> {
  const id = await git.line(['hash-object', '-w', '--stdin'], { input: bytes })
  return { mode: '100644', type: 'blob', id, name: rawName(name), size: bytes.length }
}

/** Entries with one of them replaced, or added; whatever else stood under its name is gone. */
export function withFolder(entries: readonly TreeEntry[], name: string, id: string): readonly TreeEntry[] {
  const raw = rawName(name)
  return [...entries.filter((entry) => entry.name !== raw), { mode: '040000', type: 'tree', id, name: raw, size: undefined }]
}
