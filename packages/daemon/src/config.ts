import { MAX_GRACE_MS } from '@sgsd/store'
import { ENGINE_NAMES, type EngineName } from '@sgsd/compute'
import { z } from 'zod'
import { parseListenAddress } from './api/listen-address.ts'
import { type HostConfig, hostSchema } from './hosts/host-config.ts'

/** `<data-dir>/config.json`. Every field has a default; unknown fields are refused by name. */
export interface Config {
  /** Display name of this node, `^[a-z0-9-]{1,32}$`; default the host name made to fit. */
  readonly name: string
  /** Listen multiaddrs. */
  readonly listen: readonly string[]
  /** Multiaddrs (with or without /p2p) that are dialled until they answer. */
  readonly bootstrap: readonly string[]
  readonly mdns: boolean
  readonly tailscale: boolean
  /** Hear and answer the older, unauthenticated UDP messages on port 42069. */
  readonly observer: boolean
  readonly mine: {
    /** Mine as soon as the daemon runs. */
    readonly auto: boolean
    /** Worker threads; 0 = half the cores. */
    readonly threads: number
    /** Share of the time that a thread works, (0, 1]. */
    readonly duty: number
    /** Niceness of the mining threads, 0 (as everything else) … 19 (only when nothing else runs); per thread on Linux only. */
    readonly nice: number
    /** Stop after this many epochs (counted from 0); 0 = go on for ever. */
    readonly epochs: number
  }
  readonly farm: {
    /** Farm the corpus once, as soon as the daemon runs. */
    readonly auto: boolean
    /** Host calls per committed layer; the built-in host takes 64 lines a call. */
    readonly callsPerLayer: number
    /** A folder whose text files are farmed as they come and grow; '' = none. Relative paths begin in the data directory. */
    readonly dir: string
    /** Keep texts on disk when they are farmed: they say where a weight comes from. */
    readonly keepText: boolean
    /** What grades the lines. */
    readonly host: HostConfig
  }
  readonly store: {
    /** Of every member's head, the layers kept whole, the head included; pinned layers are kept besides. */
    readonly keepLayers: number
    /** Of every member's head, the ancestors of which manifest and lineage are kept: about 8 kB each. */
    readonly keepHistory: number
    /** Blocks that nothing names are deleted when they are older than this. */
    readonly graceMinutes: number
    /** Between two readings of every block; 0 = none unasked. */
    readonly scrubDays: number
  }
  readonly api: {
    /** Where programs on this machine reach the OpenAI-compatible API: a loopback address with a port, such as 127.0.0.1:42070, or `off`. */
    readonly listen: string
  }
  readonly lattice: {
    /** What steps the lattice: `auto` is the fastest that answers right here, any other name is taken or the daemon does not start. */
    readonly provider: 'auto' | EngineName
  }
  readonly history: {
    /** Changes of the consensus that this node remembers: what it folded, from which heads. */
    readonly keep: number
  }
  readonly log: { readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' }
}

/** The port of the API. */
const API_PORT = 42_070

/** The port a mesh is found at over Tailscale. */
export const MESH_PORT = 42_069

export const configSchema: z.ZodType<Config> = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9-]{1,32}$/)
    .default('node'),
  listen: z
    .array(z.string().max(256))
    .max(16)
    .default([`/ip4/0.0.0.0/tcp/${MESH_PORT}`]),
  bootstrap: z.array(z.string().max(512)).max(64).default([]),
  mdns: z.boolean().default(true),
  tailscale: z.boolean().default(true),
  observer: z.boolean().default(false),
  mine: z
    .strictObject({
      auto: z.boolean().default(true),
      threads: z.int().min(0).max(1024).default(0),
      duty: z.number().min(0.01).max(1).default(1),
      nice: z.int().min(0).max(19).default(10),
      epochs: z.int().min(0).default(0),
    })
    .prefault({}),
  farm: z
    .strictObject({
      auto: z.boolean().default(true),
      callsPerLayer: z.int().min(1).max(1_000_000).default(100),
      dir: z.string().max(4_096).default(''),
      keepText: z.boolean().default(true),
      host: hostSchema,
    })
    .prefault({ host: undefined }),
  store: z
    .strictObject({
      keepLayers: z.int().min(1).max(1_024).default(2),
      keepHistory: z.int().min(1).max(1_000_000).default(4_096),
      graceMinutes: z
        .int()
        .min(0)
        .max(MAX_GRACE_MS / 60_000)
        .default(10),
      scrubDays: z.int().min(0).max(3_650).default(7),
    })
    .prefault({}),
  api: z
    .strictObject({
      listen: z
        .string()
        .max(64)
        .superRefine((text, context) => {
          const parsed = parseListenAddress(text)
          if (parsed !== undefined && 'fault' in parsed) context.addIssue({ code: 'custom', message: parsed.fault })
        })
        .default(`127.0.0.1:${API_PORT}`),
    })
    .prefault({}),
  lattice: z.strictObject({ provider: z.enum(['auto', ...ENGINE_NAMES]).default('auto') }).prefault({}),
  history: z.strictObject({ keep: z.int().min(1).max(100_000).default(1_024) }).prefault({}),
  log: z.strictObject({ level: z.enum(['trace', 'debug', 'info', 'warn', 'error']).default('info') }).prefault({}),
})
