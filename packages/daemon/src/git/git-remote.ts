import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { MAX_MEMBERS } from '@sgsd/consensus'
import { parsePeerName } from '@sgsd/wire'
import { GitError } from './git-error.ts'
import { Git, lastLine } from './git-program.ts'
import { listBelow, listTree, type TreeEntry, withFolder, writeFileEntry, writeTree } from './git-tree.ts'
import { CONSENSUS_FOLDER, LAYERS_FOLDER, layerOfName, MAX_REPOSITORY_FILE_BYTES, MEMBERS_FOLDER } from './layout.ts'

/** Fetching and pushing over a slow line. */
const TRANSFER_TIMEOUT_MS = 600_000
/** Bytes that a fetch may bring to disk: the newest layer of a few hundred members. */
const MAX_FETCHED_BYTES = 4 * 2 ** 30
/** Leftovers of a process that was killed go after a day. */
const STALE_MS = 86_400_000
/** Portable layers read of one member: it writes one, and more is somebody's flood. */
const MAX_LAYERS_OF_MEMBER = 4

const REF = 'refs/sgsd/fetched'

/** A file in the repository. */
export interface RepositoryFile {
  readonly name: string
  readonly bytes: Uint8Array
}

/** What a member writes: its own folder, and what it makes of everybody's. */
export interface OwnFiles {
  readonly peer: string
  readonly name: string
  readonly layer: string
  readonly seq: string
  readonly own: readonly RepositoryFile[]
  readonly consensus: readonly RepositoryFile[]
}

/** A portable layer that somebody pushed. Nothing of it has been checked. */
export interface PushedLayer {
  /** Name of the folder, a peer id. */
  readonly member: string
  /** Name of the file, an id. */
  readonly layer: string
  /** Compressed. */
  read(): Promise<Uint8Array>
}

export interface Fetched {
  readonly commit: string
  readonly layers: readonly PushedLayer[]
  /** Entries in the folder of members that are no portable layers of theirs: links, foreign or large files. */
  readonly ignored: number
}

/** One branch of a remote, through a bare repository of our own that is removed afterwards. Nothing is ever checked out. */
export class GitRemote implements AsyncDisposable {
  readonly #dir: string
  readonly #git: Git
  readonly #remote: string
  readonly #branch: string

  private constructor(dir: string, git: Git, remote: string, branch: string) {
    this.#dir = dir
    this.#git = git
    this.#remote = remote
    this.#branch = branch
  }

  /**
   * @param root - the data directory
   * @param remote - a path, or a URL of ssh or https
   * @throws GitError REMOTE_INVALID | GIT_MISSING
   */
  static async open(root: string, remote: string, branch: string, signal: AbortSignal): Promise<GitRemote> {
    if (!/^[^-\u0000-\u001f\u007f][^\u0000-\u001f\u007f]{0,4095}$/.test(remote) || /^[\w+.-]+::/.test(remote))
      throw new GitError('REMOTE_INVALID', 'this is no remote that git could reach: a path, or a URL of ssh or https', 'git@host:me/layers.git')
    if (!/^[A-Za-z0-9][\w./-]{0,127}$/.test(branch) || /\.\.|\/\/|\.lock$|[/.]$/.test(branch))
      throw new GitError('REMOTE_INVALID', 'this is no name of a branch', '--branch main')
    const parent = join(root, 'git')
    await mkdir(parent, { recursive: true, mode: 0o700 })
    await removeStale(parent)
    const dir = await mkdtemp(join(parent, 'remote-'))
    const git = new Git(dir, signal)
    try {
      await git.output(['init', '--quiet', '--bare', '--template='])
      return new GitRemote(dir, git, remote, branch)
    } catch (error) {
      await rm(dir, { recursive: true, force: true })
      throw error
    }
  }

  /** The branch as it is now, or undefined where it does not exist. @throws GitError REMOTE_UNREACHABLE | REPOSITORY_TOO_LARGE */
  async fetch(): Promise<Fetched | undefined> {
    const commit = await this.#fetchCommit()
    if (commit === undefined) return undefined
    const members = await listBelow(this.#git, await listBelow(this.#git, await listTree(this.#git, commit), LAYERS_FOLDER), MEMBERS_FOLDER)
    const layers: PushedLayer[] = []
    let ignored = 0
    for (const { name, type, id } of members) {
      if (type !== 'tree' || parsePeerName(name).type !== 'accept' || layers.length >= MAX_MEMBERS * MAX_LAYERS_OF_MEMBER) {
        ignored += 1
        continue
      }
      const found = this.#layersOf(name, await listTree(this.#git, id))
      layers.push(...found.layers)
      ignored += found.ignored
    }
    return { commit, layers, ignored }
  }

  /**
   * One attempt to push: the branch's newest tree with the own folder and the consensus in it, as a commit on top of it.
   * @returns `lost` when somebody else pushed meanwhile: then fetching and trying again is all there is to do
   * @throws GitError REMOTE_UNREACHABLE | REMOTE_REFUSED | LAYER_TOO_LARGE
   */
  async push(files: OwnFiles): Promise<{ readonly result: 'pushed' | 'same'; readonly commit: string } | { readonly result: 'lost' }> {
    for (const { name, bytes } of files.own) {
      if (bytes.length > MAX_REPOSITORY_FILE_BYTES)
        throw new GitError('LAYER_TOO_LARGE', `${name} has ${bytes.length} bytes; hosts of repositories take up to ${MAX_REPOSITORY_FILE_BYTES}`)
    }
    const parent = await this.#fetchCommit()
    const tree = await this.#treeWith(parent, files)
    if (parent !== undefined && (await this.#git.line(['rev-parse', `${parent}^{tree}`])) === tree) return { result: 'same', commit: parent }
    const commit = await this.#commit(tree, parent, files)
    const refspec = `${commit}:refs/heads/${this.#branch}`
    const { code, out, said } = await this.#git.run(['push', '--porcelain', '--no-verify', '--', this.#remote, refspec], {
      timeoutMs: TRANSFER_TIMEOUT_MS,
    })
    if (code === 0) return { result: 'pushed', commit }
    const line = /^!\t[^\t]*\t(.*)$/m.exec(out.toString('utf8'))?.[1] ?? ''
    if (/^\[rejected\]|cannot lock ref|failed to update ref|incorrect old value|already exists|remote ref updated/.test(line))
      return { result: 'lost' }
    throw new GitError(line === '' ? 'REMOTE_UNREACHABLE' : 'REMOTE_REFUSED', `the remote did not take it: ${line || lastLine(said)}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#dir, { recursive: true, force: true, maxRetries: 3 })
  }

  async #fetchCommit(): Promise<string | undefined> {
    const ref = `refs/heads/${this.#branch}`
    const asked = await this.#git.run(['ls-remote', '--', this.#remote, ref], { timeoutMs: TRANSFER_TIMEOUT_MS })
    if (asked.code !== 0) throw unreachable(asked.said)
    if (!asked.out.toString('utf8').includes(`\t${ref}\n`)) return undefined
    const fetched = await this.#git.run(['fetch', '--quiet', '--no-tags', '--depth=1', '--', this.#remote, `+${ref}:${REF}`], {
      timeoutMs: TRANSFER_TIMEOUT_MS,
      watch: () => this.#tooLarge(),
    })
    if (fetched.code !== 0) throw unreachable(fetched.said)
    return this.#git.line(['rev-parse', '--verify', `${REF}^{commit}`])
  }

  async #tooLarge(): Promise<GitError | undefined> {
    const names = await readdir(this.#dir, { recursive: true }).catch(() => [])
    let size = 0
    for (const name of names) size += (await stat(join(this.#dir, name)).catch(() => undefined))?.size ?? 0
    return size > MAX_FETCHED_BYTES ? new GitError('REPOSITORY_TOO_LARGE', `the remote sends more than ${MAX_FETCHED_BYTES} bytes`) : undefined
  }

  #layersOf(member: string, entries: readonly TreeEntry[]): { readonly layers: PushedLayer[]; readonly ignored: number } {
    const layers: PushedLayer[] = []
    let ignored = 0
    for (const { name, type, mode, id, size } of entries) {
      const layer = layerOfName(name)
      // 120000 is a link; nothing here follows one, and nothing reads its target
      const isFile = type === 'blob' && mode.startsWith('100') && (size ?? Infinity) <= MAX_REPOSITORY_FILE_BYTES
      if (layer !== undefined && isFile && layers.length < MAX_LAYERS_OF_MEMBER) {
        layers.push({ member, layer, read: () => this.#git.output(['cat-file', 'blob', id], { most: MAX_REPOSITORY_FILE_BYTES }) })
      } else if (!/^[0-9a-f]{64}\.pt\.zst$/.test(name) || !isFile) ignored += 1
    }
    return { layers, ignored }
  }

  /** Everything that others wrote stays as it is, by its hash. */
  async #treeWith(parent: string | undefined, { peer, own, consensus }: OwnFiles): Promise<string> {
    const git = this.#git
    const folder = async (files: readonly RepositoryFile[]): Promise<string> => {
      const entries: TreeEntry[] = []
      for (const { name, bytes } of files) entries.push(await writeFileEntry(git, name, bytes))
      return writeTree(git, entries)
    }
    const top = parent === undefined ? [] : await listTree(git, parent)
    const layers = await listBelow(git, top, LAYERS_FOLDER)
    const members = withFolder(await listBelow(git, layers, MEMBERS_FOLDER), peer, await folder(own))
    const below = withFolder(layers, MEMBERS_FOLDER, await writeTree(git, members))
    return writeTree(git, withFolder(top, LAYERS_FOLDER, await writeTree(git, withFolder(below, CONSENSUS_FOLDER, await folder(consensus)))))
  }

  #commit(tree: string, parent: string | undefined, { peer, name, layer, seq }: OwnFiles): Promise<string> {
    const who = { NAME: name, EMAIL: `${peer}@sgsd.invalid` }
    const env = Object.fromEntries(
      ['AUTHOR', 'COMMITTER'].flatMap((role) => Object.entries(who).map(([key, value]) => [`GIT_${role}_${key}`, value])),
    )
    const input = `Layer ${layer.slice(0, 12)} of ${name}, its ${seq}.\n\nSigned-off-by: ${peer}\n`
    return this.#git.line(['commit-tree', tree, ...(parent === undefined ? [] : ['-p', parent]), '-F', '-'], { input, env })
  }
}

function unreachable(said: string): GitError {
  return new GitError('REMOTE_UNREACHABLE', `the remote cannot be read: ${lastLine(said)}`, 'git ls-remote says more')
}

async function removeStale(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const path = join(parent, name)
    const found = await stat(path).catch(() => undefined)
    if (found !== undefined && Date.now() - found.mtimeMs > STALE_MS) await rm(path, { recursive: true, force: true })
  }
}
