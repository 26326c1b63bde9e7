import { randomBytes } from 'node:crypto'
import { readFile, rm, stat } from 'node:fs/promises'
import type { FoldId, Genesis, MeshId, PeerName } from '@sgsd/consensus'
import { HANZI_KERNEL_ID } from '@sgsd/lattice'
import { createIdentity, fetchGenesis, type Identity, isMeshError, MeshError, openIdentity, redeemInvite } from '@sgsd/mesh'
import { ensureDataDir, readSecretFile, StoreError, writeFileDurably, writeSecretFile } from '@sgsd/store'
import { encodeGenesis, type Invite, meshIdOf, parseGenesis, parseInvite } from '@sgsd/wire'
import { type Config, MESH_PORT } from './config.ts'
import { mergeConfig, type PartialConfig, readRawConfig, writeConfig } from './config-file.ts'
import { DaemonError } from './daemon-error.ts'
import { type DataDir, dataDir, hostLabel } from './data-dir.ts'
import { markUnused } from './trust/first-sync.ts'

/** Seed of the published colour figures, the default of a new mesh. */
const DEFAULT_SEED = 7_202_985n
/** 2^40 colours: about two minutes at 10 G colours/s. */
const DEFAULT_EPOCH_COLOURS = 1n << 40n
/** Time to reach the inviter and to fetch what it hands over. */
export const JOIN_TIMEOUT_MS = 10_000

export interface NodeOptions {
  /** Display name of the node; default the host's name. */
  readonly name?: string
  readonly port?: number
  readonly listen?: readonly string[]
  readonly config?: PartialConfig
}

export interface InitOptions extends NodeOptions {
  readonly meshName?: string
  /** Anybody who knows the mesh may join; default: a mesh key is made. */
  readonly open?: boolean
  /** Beside the key, newcomers show that they compute and are voted in. */
  readonly vote?: boolean
  readonly epochColours?: bigint
  readonly seed?: bigint
  /** How the mesh learns and folds: `evidence/1` unless said. */
  readonly fold?: FoldId
}

export interface Membership {
  readonly peerId: PeerName
  readonly meshId: MeshId
  readonly meshName: string
  readonly admission: Genesis['admission']
  readonly dataDir: string
}

/** What a data directory says of this node and its mesh. */
export interface Credentials {
  readonly identity: Identity
  readonly genesis: Genesis
  readonly genesisBytes: Uint8Array
  readonly meshId: MeshId
  readonly meshKey: Uint8Array | undefined
}

/**
 * Founds a mesh: identity, genesis, mesh key and configuration in an empty (or not yet existing) data directory.
 * @throws DaemonError ALREADY_INITIALISED | NOT_WRITABLE | CONFIG_INVALID
 */
export async function initDataDir(root: string, options: InitOptions = {}): Promise<Membership> {
  const files = dataDir(root)
  if (await exists(files.genesis)) {
    throw new DaemonError(
      'ALREADY_INITIALISED',
      `${root} already belongs to a mesh`,
      `sgsd up --data-dir ${root} starts it; choose another --data-dir for a second node`,
    )
  }
  const keyed: Genesis = {
    version: 1,
    name: options.meshName ?? 'grove',
    colourSeed: options.seed ?? DEFAULT_SEED,
    colourKernel: 'spi64',
    epochColours: options.epochColours ?? DEFAULT_EPOCH_COLOURS,
    latticeKernel: HANZI_KERNEL_ID,
    foldId: options.fold ?? 'evidence/1',
    admission: options.open === true ? 'open' : 'key',
    nonce: randomBytes(16).toString('hex'),
  }
  const checked = parseGenesis(encodeGenesis(keyed))
  if (checked.type !== 'accept') throw new DaemonError('CONFIG_INVALID', `these values make no mesh: ${checked.reason}`)
  const meshKey = keyed.admission === 'key' ? randomBytes(32) : undefined
  return guardWrites(root, async () => {
    const identity = await ensureIdentity(files)
    const genesis: Genesis = options.vote === true ? { ...keyed, version: 2, admission: 'vote', founder: identity.peer } : keyed
    const bytes = encodeGenesis(genesis)
    await writeMembership(files, bytes, meshKey, nodeConfig(options))
    return { peerId: identity.peer, meshId: meshIdOf(bytes), meshName: genesis.name, admission: genesis.admission, dataDir: root }
  })
}

export interface JoinResult extends Membership {
  /** The member that let us in. */
  readonly via: PeerName
}

/**
 * Makes a data directory a member of an existing mesh: reaches the inviter, fetches the genesis document, keeps both.
 * Joining the same mesh again only adds the address.
 * @throws DaemonError INVITE_INVALID | INVITE_REFUSED | JOIN_UNREACHABLE | JOIN_TIMEOUT | JOIN_WRONG_KEY | JOIN_KEY_REQUIRED | JOIN_PEER_MISMATCH | OTHER_MESH | NOT_WRITABLE
 */
export async function joinMesh(root: string, invite: string, options: NodeOptions = {}, signal?: AbortSignal): Promise<JoinResult> {
  const files = dataDir(root)
  const parsed = parseInvite(invite.trim())
  if (parsed.type !== 'accept') {
    throw new DaemonError(
      'INVITE_INVALID',
      parsed.reason,
      'an invite looks like /ip4/192.168.1.12/tcp/42069/p2p/12D3Koo…#secret; sgsd invite prints one on a member',
    )
  }
  const { address } = parsed.value
  return guardWrites(root, async () => {
    const identity = await ensureIdentity(files)
    const deadline = AbortSignal.any([AbortSignal.timeout(JOIN_TIMEOUT_MS), ...(signal === undefined ? [] : [signal])])
    const known = (await exists(files.meshKey)) ? await readMeshKey(files) : undefined
    const isMember = await exists(files.genesis)
    const found = await enter(identity, parsed.value, known, deadline, isMember).catch((error: unknown) => {
      throw joinError(error, address)
    })
    const { meshKey } = found
    const genesis = parseGenesis(found.genesis)
    if (genesis.type !== 'accept') throw new DaemonError('JOIN_FAILED', `${address} sent no valid genesis document: ${genesis.reason}`)
    if (genesis.value.admission !== 'open' && meshKey === undefined) throw joinError(new MeshError('KEY_REQUIRED', { to: address }), address)
    if (genesis.value.latticeKernel !== HANZI_KERNEL_ID) {
      throw new DaemonError(
        'KERNEL_MISMATCH',
        `mesh ${genesis.value.name} stands on another hanzi table than this version of sgsd`,
        'install the version that the mesh uses',
      )
    }
    const meshId = meshIdOf(found.genesis)
    if (await exists(files.genesis)) await refuseOtherMesh(files, meshId)
    const before = await readRawConfig(files.config)
    const bootstrap = [...new Set([...(before.bootstrap ?? []), address])]
    const config = mergeConfig(mergeConfig(nodeConfig(options), before), { bootstrap })
    await writeMembership(files, found.genesis, genesis.value.admission === 'open' ? undefined : meshKey, config)
    return { peerId: identity.peer, meshId, meshName: genesis.value.name, admission: genesis.value.admission, dataDir: root, via: found.peer }
  })
}

/** What makes a node a member. */
interface Entry {
  readonly genesis: Uint8Array
  readonly meshKey: Uint8Array | undefined
  readonly peer: PeerName
}

/**
 * Gets the founding document, with the key that the invite is, that it leads to, or that is here already. A node that has a key tries that before it uses up a
 * one-time invite: it may be in that mesh; and a member of another one leaves the invite to others.
 * @throws MeshError
 */
async function enter(
  identity: Identity,
  { address, kind, secret }: Invite,
  known: Uint8Array | undefined,
  signal: AbortSignal,
  isMember: boolean,
): Promise<Entry> {
  const withKey = async (meshKey: Uint8Array | undefined): Promise<Entry> => {
    const found = await fetchGenesis({ identity, address, ...(meshKey === undefined ? {} : { meshKey }) }, signal)
    return { ...found, meshKey }
  }
  if (kind !== 'one-time' || secret === undefined) return withKey(secret ?? known)
  if (known !== undefined) {
    try {
      return await withKey(known)
    } catch (error) {
      if (!isMeshError(error, 'KEY_MISMATCH')) throw error
      if (isMember)
        throw new DaemonError('OTHER_MESH', `${address} belongs to another mesh than this node`, 'choose another --data-dir', { cause: error })
    }
  }
  return redeemInvite({ identity, address, secret }, signal)
}

/** @throws DaemonError NOT_INITIALISED | IDENTITY_DAMAGED | GENESIS_DAMAGED | KEY_DAMAGED | KERNEL_MISMATCH */
export async function readCredentials(root: string): Promise<Credentials> {
  const files = dataDir(root)
  if (!(await exists(files.genesis))) {
    throw new DaemonError(
      'NOT_INITIALISED',
      `${root} belongs to no mesh yet`,
      `sgsd init --data-dir ${root} founds one; sgsd join <invite> --data-dir ${root} joins one`,
    )
  }
  const genesisBytes = new Uint8Array(await readFile(files.genesis))
  const genesis = parseGenesis(genesisBytes)
  if (genesis.type !== 'accept') {
    throw new DaemonError(
      'GENESIS_DAMAGED',
      `${files.genesis} is damaged: ${genesis.reason}`,
      'move it away and join again: sgsd join <invite> (layers and identity stay)',
    )
  }
  if (genesis.value.latticeKernel !== HANZI_KERNEL_ID) {
    throw new DaemonError(
      'KERNEL_MISMATCH',
      `mesh ${genesis.value.name} stands on another hanzi table than this version of sgsd`,
      'install the version that the mesh uses',
    )
  }
  const identity = await readIdentity(files)
  const meshKey = genesis.value.admission === 'open' ? undefined : await readMeshKey(files)
  return { identity, genesis: genesis.value, genesisBytes, meshId: meshIdOf(genesisBytes), meshKey }
}

function nodeConfig(options: NodeOptions): PartialConfig {
  const listen: Config['listen'] = options.listen ?? [`/ip4/0.0.0.0/tcp/${options.port ?? MESH_PORT}`]
  return mergeConfig({ name: options.name ?? hostLabel(), listen }, options.config ?? {})
}

/** Genesis last: a directory without it counts as not initialised, so that a crash half-way is simply done again. */
async function writeMembership(files: DataDir, genesis: Uint8Array, meshKey: Uint8Array | undefined, config: PartialConfig): Promise<void> {
  await writeConfig(files.config, config)
  if (meshKey !== undefined && !(await exists(files.genesis))) {
    await rm(files.meshKey, { force: true })
    await writeSecretFile(files.meshKey, Buffer.from(`${Buffer.from(meshKey).toString('hex')}\n`))
  }
  if (!(await exists(files.genesis))) await writeFileDurably(files.genesis, genesis)
}

async function ensureIdentity(files: DataDir): Promise<Identity> {
  await ensureDataDir(files.root)
  if (await exists(files.identity)) return readIdentity(files)
  await markUnused(files)
  await writeSecretFile(files.identity, await createIdentity())
  return readIdentity(files)
}

async function readIdentity(files: DataDir): Promise<Identity> {
  try {
    return openIdentity(await readSecretFile(files.identity))
  } catch (error) {
    throw new DaemonError(
      'IDENTITY_DAMAGED',
      `cannot use ${files.identity}: ${(error as Error).message}`,
      'restore it from a backup; without it this node is another member',
      { cause: error },
    )
  }
}

async function readMeshKey(files: DataDir): Promise<Uint8Array> {
  try {
    const text = Buffer.from(await readSecretFile(files.meshKey))
      .toString('utf8')
      .trim()
    if (!/^[0-9a-f]{64}$/.test(text)) throw new Error('it must hold 64 hex digits')
    return new Uint8Array(Buffer.from(text, 'hex'))
  } catch (error) {
    throw new DaemonError(
      'KEY_DAMAGED',
      `cannot use ${files.meshKey}: ${(error as Error).message}`,
      'move genesis.bin away and join again with an invite',
      { cause: error },
    )
  }
}

async function refuseOtherMesh(files: DataDir, meshId: MeshId): Promise<void> {
  const mine = meshIdOf(new Uint8Array(await readFile(files.genesis)))
  if (mine !== meshId) {
    throw new DaemonError(
      'OTHER_MESH',
      `${files.root} belongs to mesh ${mine.slice(0, 8)}, the invite leads to mesh ${meshId.slice(0, 8)}`,
      'choose another --data-dir, or sgsd leave first',
    )
  }
}

/** Why a join failed, for people. */
export function joinError(error: unknown, address: string): DaemonError {
  if (error instanceof DaemonError) return error
  const code = error instanceof MeshError ? error.code : ''
  const options = { cause: error }
  switch (code) {
    case 'KEY_REQUIRED':
      return new DaemonError(
        'JOIN_KEY_REQUIRED',
        `${address} belongs to a mesh with a key, and the address alone does not hold it`,
        'ask a member for the whole line that sgsd invite prints (with #…)',
        options,
      )
    case 'KEY_MISMATCH':
      return new DaemonError(
        'JOIN_WRONG_KEY',
        `${address} refused the key of this invite`,
        'ask for a fresh invite: it may belong to another mesh',
        options,
      )
    case 'INVITE_REFUSED':
      return inviteRefused((error as MeshError<'INVITE_REFUSED'>).data, address, options)
    case 'PEER_BUSY':
      return new DaemonError('JOIN_FAILED', `${address} answers other invites just now`, 'try again in a minute', options)
    case 'PEER_MISMATCH':
      return new DaemonError(
        'JOIN_PEER_MISMATCH',
        `another node than the invite names answers at ${address}`,
        'the machine may have a new identity: ask for a fresh invite',
        options,
      )
    case 'ADDRESS_INVALID':
      return new DaemonError('INVITE_INVALID', (error as Error).message, '', options)
    case 'DIAL_TIMEOUT':
      return new DaemonError(
        'JOIN_TIMEOUT',
        `nobody answered at ${address} within ${JOIN_TIMEOUT_MS / 1_000} s`,
        'is the daemon running there, and is the port open in its firewall?',
        options,
      )
    default: {
      const timedOut = error instanceof Error && error.name === 'TimeoutError'
      return new DaemonError(
        timedOut ? 'JOIN_TIMEOUT' : 'JOIN_UNREACHABLE',
        `cannot reach ${address}: ${(error as Error).message}`,
        'is the daemon running there, and is the port open in its firewall?',
        options,
      )
    }
  }
}

/** Why an invite is no longer good, by who made it. */
function inviteRefused({ why, agoMs }: MeshError<'INVITE_REFUSED'>['data'], address: string, options: ErrorOptions): DaemonError {
  const again = 'ask for a new one: sgsd invite'
  switch (why) {
    case 'expired':
      return new DaemonError('INVITE_REFUSED', `this invite expired ${ago(agoMs)}`, again, options)
    case 'used':
      return new DaemonError('INVITE_REFUSED', `this invite has been used up, ${ago(agoMs)}`, again, options)
    case 'revoked':
      return new DaemonError('INVITE_REFUSED', `this invite was taken back ${ago(agoMs)}`, again, options)
    case 'excluded':
      return new DaemonError(
        'INVITE_REFUSED',
        'a member has revoked this node: no invite lets it in',
        'ask for it to be readmitted: sgsd peer readmit',
        options,
      )
    case 'unknown':
      return new DaemonError('INVITE_REFUSED', `the node at ${address} did not make this invite, or has forgotten it`, again, options)
  }
}

/** `just now`, `5 min ago`, `3 h ago`, `2 days ago`. */
function ago(ms: number): string {
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 1) return 'just now'
  if (minutes < 60) return `${minutes} min ago`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h ago` : `${Math.floor(hours / 24)} days ago`
}

/** Turns file-system refusals into one sentence. */
async function guardWrites<T>(root: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof DaemonError) throw error
    const code = error instanceof StoreError ? error.code : (error as NodeJS.ErrnoException).code
    if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM' || code === 'ENOTDIR' || code === 'EEXIST' || code === 'NOT_WRITABLE') {
      throw new DaemonError(
        'NOT_WRITABLE',
        `cannot write to ${root}: ${(error as Error).message}`,
        'choose another --data-dir, or mend its owner and mode',
        { cause: error },
      )
    }
    if (code === 'ENOSPC' || code === 'DISK_FULL')
      throw new DaemonError('DISK_FULL', `no space left for ${root}`, 'free some space and try again', { cause: error })
    throw error
  }
}

async function exists(file: string): Promise<boolean> {
  try {
    await stat(file)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return false
    throw error
  }
}
