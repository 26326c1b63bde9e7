import { homedir, hostname } from 'node:os'
import { join } from 'node:path'

/** Longest path that a unix socket may have on every platform (macOS: 104 bytes with the final zero). */
export const MAX_SOCKET_PATH_BYTES = 103

/** Files of a data directory. */
export interface DataDir {
  readonly root: string
  readonly config: string
  /** Ed25519 private key, 0600. */
  readonly identity: string
  /** Empty; here as long as nothing was ever signed with the key. */
  readonly unused: string
  /** Genesis bytes; their SHA-256 is the mesh id. */
  readonly genesis: string
  /** 32 bytes in hex, 0600; absent in an open mesh. */
  readonly meshKey: string
  readonly socket: string
  /** What requests to the API must bear, 0600. */
  readonly apiToken: string
  /** SQLite: texts, their segments and how far they are farmed. */
  readonly farm: string
  /** libp2p's peer store. */
  readonly peers: string
}

export function dataDir(root: string): DataDir {
  return {
    root,
    config: join(root, 'config.json'),
    identity: join(root, 'identity.key'),
    unused: join(root, 'identity.unused'),
    genesis: join(root, 'genesis.bin'),
    meshKey: join(root, 'mesh.key'),
    socket: join(root, 'control.sock'),
    apiToken: join(root, 'api.token'),
    farm: join(root, 'farm.db'),
    peers: join(root, 'peers'),
  }
}

/** `SGSD_DATA_DIR`, else systemd's state directory, else the user's data home. */
export function defaultDataDir(env: NodeJS.ProcessEnv): string {
  const set = env['SGSD_DATA_DIR'] ?? env['STATE_DIRECTORY']
  if (set !== undefined && set !== '') return set
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'sgsd')
  const home = env['XDG_DATA_HOME']
  return join(home !== undefined && home !== '' ? home : join(homedir(), '.local', 'share'), 'sgsd')
}

/** The host's name made to fit `^[a-z0-9-]{1,32}$`. */
export function hostLabel(): string {
  const label = hostname()
    .toLowerCase()
    .split('.')[0]!
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 32)
  return label === '' ? 'node' : label
}
