import type * as compute from '@sgsd/compute'
import type * as daemon from '@sgsd/daemon'

export type { ControlClient, Membership, PartialConfig, RunningDaemon } from '@sgsd/daemon'

/** What the command line needs of the daemon package. */
export type DaemonEdge = Pick<
  typeof daemon,
  | 'checkProofFile'
  | 'bundleName'
  | 'configSchema'
  | 'consensusNames'
  | 'dataDir'
  | 'defaultDataDir'
  | 'GitRemote'
  | 'ensureApiToken'
  | 'initDataDir'
  | 'jobLines'
  | 'joinMesh'
  | 'MAX_REPOSITORY_FILE_BYTES'
  | 'openControl'
  | 'openOfflineStore'
  | 'readDefaultCorpus'
  | 'readConfig'
  | 'readRawConfig'
  | 'rotateApiToken'
  | 'startDaemon'
  | 'tensorName'
  | 'writeConfig'
>

/** What the commands reach outside of this process with; tests hand in their own. Loaded on first use: `sgsd --help` needs none of it. */
export interface Edges {
  daemon(): Promise<DaemonEdge>
  colours(options?: compute.ColourOptions): Promise<compute.ColourCompute>
  games(options?: compute.GameOptions): Promise<compute.GameCompute>
  joins(options?: compute.JoinOptions): Promise<compute.JoinCompute>
  lattice(options?: compute.LatticeOptions): Promise<compute.LatticeCompute>
}

export const edges: Edges = {
  daemon: () => import('@sgsd/daemon'),
  colours: async (options) => (await import('@sgsd/compute')).openColourCompute(options),
  games: async (options) => (await import('@sgsd/compute')).openGameCompute(options),
  joins: async (options) => (await import('@sgsd/compute')).openJoinCompute(options),
  lattice: async (options) => (await import('@sgsd/compute')).openLatticeCompute(options),
}
