import { setTimeout as pause } from 'node:timers/promises'
import type { HeadsDocument, LayerTaken } from '@sgsd/daemon'
import { layerTensors, MAX_BUNDLE_BYTES, onlyTensors, splitLayerBundle, TENSOR, type TensorFile } from '@sgsd/interop'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import type { ControlClient, DaemonEdge } from '../edges.ts'
import { EXIT } from '../exit-code.ts'
import { CliError, describeFailure } from '../failure.ts'
import { must, readConsensus } from '../layer-file/consensus.ts'
import { compressed, encodeTensors, uncompressed } from '../layer-file/formats.ts'
import { addGroup, addLeaf, type CommonOptions, controlOf, dataDirOf, optionsOf, printJson } from '../leaf.ts'
import { gitPullView, gitPushView } from '../view/git.ts'

const DEFAULT_BRANCH = 'main'
/** Pushes that are tried while others push too. */
const PUSH_ATTEMPTS = 12
/** Before the next attempt, at most, for each attempt made: those who collided then come one by one. */
const PUSH_PAUSE_MS = 200

interface GitFlags extends CommonOptions {
  readonly branch?: string
}

/** `sgsd git push --json` */
export interface GitPushDocument {
  readonly schema: 'sgsd.git-push/1'
  readonly remote: string
  readonly branch: string
  /** `same`: the remote held all of it. */
  readonly result: 'pushed' | 'same'
  readonly commit: string
  readonly layer: string
  readonly consensus: string
  readonly attempts: number
  /** Files of the consensus that are too large for a repository. */
  readonly leftOut: readonly string[]
}

/** `sgsd git pull --json` */
export interface GitPullDocument {
  readonly schema: 'sgsd.git-pull/1'
  readonly remote: string
  readonly branch: string
  readonly commit: string
  readonly layers: readonly {
    readonly member: string
    readonly layer: string
    readonly result: LayerTaken['result'] | 'refused'
    /** '' unless it was refused. */
    readonly reason: string
  }[]
  /** Files of others that are no layers. */
  readonly ignored: number
}

export function addGit(program: Command, context: Context): void {
  const git = addGroup(program, 'git', 'exchange layers through any git remote: for members that never meet, and for a record')
  addLeaf(git, {
    name: 'push',
    arguments: [['<remote>', 'a path, or a URL of ssh or https']],
    summary: 'push the newest layer of this node, and the consensus',
    details:
      'Everybody writes a folder of its own, so nothing ever conflicts; who loses a race builds on what won it. The commit is signed off by the peer id.\n' +
      'Credentials come from git’s own helpers and ssh agents: nothing is ever asked.',
    examples: ['sgsd git push git@example.org:me/layers.git', 'sgsd git push /mnt/share/layers.git --branch poems'],
  })
    .option('--branch <branch>', `branch of the remote (default: ${DEFAULT_BRANCH})`)
    .action(async (remote: string, _flags, command: Command) => {
      const flags = optionsOf<GitFlags>(command)
      const document = await push(context, flags, remote, flags.branch ?? DEFAULT_BRANCH)
      if (flags.json === true) return printJson(context, document)
      for (const line of gitPushView(document)) context.terminal.print(line)
    })
  addLeaf(git, {
    name: 'pull',
    arguments: [['<remote>', 'a path, or a URL of ssh or https']],
    summary: 'take in what other members pushed',
    details: 'Hashes and signatures are checked as if a peer had sent it; files that are no layers are passed over. The consensus is folded here.',
    examples: ['sgsd git pull git@example.org:me/layers.git', 'sgsd git pull /mnt/share/layers.git --json'],
  })
    .option('--branch <branch>', `branch of the remote (default: ${DEFAULT_BRANCH})`)
    .action(async (remote: string, _flags, command: Command) => {
      const flags = optionsOf<GitFlags>(command)
      const document = await pull(context, flags, remote, flags.branch ?? DEFAULT_BRANCH)
      if (document.layers.some(({ result }) => result === 'refused')) context.exitCode = EXIT.disagreement
      if (flags.json === true) return printJson(context, document)
      for (const line of gitPullView(document, context.terminal.columns(), context.terminal.out)) context.terminal.print(line)
    })
}

async function push(context: Context, flags: GitFlags, remote: string, branch: string): Promise<GitPushDocument> {
  const { signal } = context
  const control = await controlOf(context, flags)
  const daemon = await context.edges.daemon()
  const portable = await control.bytes('/v1/layers/own/bundle', MAX_BUNDLE_BYTES, signal)
  const bundle = must(splitLayerBundle(portable))
  const { heads, file } = await readConsensus(control, signal)
  const consensus = await consensusFiles(daemon, heads, file)
  const own = [
    { name: daemon.tensorName(bundle.layer), bytes: await compressed(encodeTensors('pt', must(layerTensors(bundle)))) },
    { name: daemon.bundleName(bundle.layer), bytes: await compressed(portable) },
  ]
  await using opened = await daemon.GitRemote.open(await dataDirOf(context, flags), remote, branch, signal)
  const fits = consensus.filter(({ bytes }) => bytes.length <= daemon.MAX_REPOSITORY_FILE_BYTES)
  const files = { peer: heads.self, name: heads.name, layer: bundle.layer, seq: String(bundle.manifest.seq), own, consensus: fits }
  for (let attempt = 1; attempt <= PUSH_ATTEMPTS; attempt++) {
    const pushed = await opened.push(files)
    if (pushed.result !== 'lost') {
      const leftOut = consensus.filter((each) => !fits.includes(each)).map(({ name }) => name)
      return { schema: 'sgsd.git-push/1', remote, branch, ...pushed, layer: bundle.layer, consensus: heads.consensus, attempts: attempt, leftOut }
    }
    await pause(Math.random() * PUSH_PAUSE_MS * attempt, undefined, { signal })
  }
  throw new CliError('RACE_LOST', `others pushed first ${PUSH_ATTEMPTS} times in a row`, EXIT.failure, 'try again in a moment')
}

async function consensusFiles(daemon: DaemonEdge, { foldId }: HeadsDocument, file: TensorFile): Promise<{ name: string; bytes: Uint8Array }[]> {
  const names = daemon.consensusNames(foldId)
  const parts: [string, readonly string[]][] = [
    [names.tau, [TENSOR.tau, TENSOR.state]],
    [names.rho, [TENSOR.rho]],
  ]
  if (file.tensors.has(TENSOR.counts)) parts.push([names.counts, [TENSOR.counts]])
  const files: { name: string; bytes: Uint8Array }[] = []
  for (const [name, tensors] of parts) files.push({ name, bytes: await compressed(encodeTensors('pt', onlyTensors(file, tensors))) })
  return files
}

async function pull(context: Context, flags: GitFlags, remote: string, branch: string): Promise<GitPullDocument> {
  const { signal } = context
  const control = await controlOf(context, flags)
  const { self, heads } = await control.get<HeadsDocument>('/v1/heads', signal)
  const { GitRemote } = await context.edges.daemon()
  await using opened = await GitRemote.open(await dataDirOf(context, flags), remote, branch, signal)
  const fetched = await opened.fetch()
  if (fetched === undefined) throw new CliError('BRANCH_UNKNOWN', `the remote has no branch ${branch}`, EXIT.failure, 'sgsd git push begins it')
  const known = new Set(heads.map(({ author, layer }) => `${author}/${layer}`))
  const layers: GitPullDocument['layers'][number][] = []
  for (const { member, layer, read } of fetched.layers) {
    if (member === self) continue
    if (known.has(`${member}/${layer}`)) layers.push({ member, layer, result: 'known', reason: '' })
    else layers.push({ member, layer, ...(await take(control, member, layer, read, signal)) })
  }
  return { schema: 'sgsd.git-pull/1', remote, branch, commit: fetched.commit, layers, ignored: fetched.ignored }
}

type Taken = Pick<GitPullDocument['layers'][number], 'result' | 'reason'>

/** One layer; what is wrong with it is told and stops nothing else. */
async function take(control: ControlClient, member: string, layer: string, read: () => Promise<Uint8Array>, signal: AbortSignal): Promise<Taken> {
  try {
    const content = await uncompressed(layer.slice(0, 12), await read(), MAX_BUNDLE_BYTES)
    const bundle = splitLayerBundle(content)
    if (bundle.type !== 'accept') return { result: 'refused', reason: bundle.reason }
    if (bundle.value.layer !== layer || bundle.value.manifest.author !== member)
      return { result: 'refused', reason: 'it is another layer than its name says' }
    const body = async function* (): AsyncGenerator<Uint8Array> {
      yield content
    }
    const { result } = await control.sendBytes<LayerTaken>('/v1/layers/import', body(), signal)
    return { result, reason: '' }
  } catch (error) {
    const { code, message } = describeFailure(error)
    if (code !== 'IMPORT_REFUSED' && code !== 'FILE_INVALID') throw error
    return { result: 'refused', reason: message }
  }
}
