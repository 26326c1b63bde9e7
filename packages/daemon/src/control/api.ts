/**
 * The control API: HTTP/JSON on the unix socket `<data-dir>/control.sock`. 64-bit numbers are `0x` strings (16 digits);
 * schemas are only ever added to. Errors are `{ "error": { "code", "message", "hint"? } }` with a 4xx or 5xx status.
 */
export type * from '../admission/documents.ts'
export type * from '../trust/documents.ts'
import type { PeerStanding } from '../admission/documents.ts'
import type { EngineReport, ProgramEvent, ProgramFailure, ProviderReport } from '@sgsd/compute'
import type { DiscoveryReport } from '@sgsd/mesh'
import type { TrustStatus } from '../trust/documents.ts'
import type { AnswersFrom } from '../history/documents.ts'

/** GET /v1/status */
export interface StatusDocument {
  readonly schema: 'sgsd.status/1'
  readonly node: {
    readonly peerId: string
    readonly name: string
    readonly version: string
    readonly pid: number
    readonly uptimeMs: number
    readonly multiaddrs: readonly string[]
    readonly dataDir: string
    readonly rssBytes: number
    /** 99th percentile of the event loop's delay since start, milliseconds. */
    readonly loopDelayP99Ms: number
  }
  readonly mesh: {
    readonly id: string
    readonly name: string
    readonly admission: 'open' | 'key' | 'vote'
    readonly rosterHash: string
    /** Connected members, without this node. */
    readonly connected: number
    /** Members, this node included. */
    readonly members: number
    /** Members (this node included) whose newest beat names our consensus id and digest. */
    readonly agreeing: number
    readonly discovery: readonly DiscoveryReport[]
    /** Machines heard over the older UDP protocol (off by default): unauthenticated, never trusted. */
    readonly unauthenticated: readonly { readonly address: string; readonly host: string; readonly kind: string; readonly seenMsAgo: number }[]
  }
  readonly consensus: {
    /** 64 hex digits, or '' before the first fold. */
    readonly id: string
    readonly digest: string
    readonly heads: number
    readonly foldId: string
    readonly changedMsAgo: number
    readonly rows: number
    readonly edges: number
  }
  readonly colours: {
    readonly kernel: string
    readonly seed: string
    readonly epoch: string
    /** 0 … 1 */
    readonly coverage: number
    readonly chunks: number
    readonly chunksCovered: number
    /** XOR over the covered chunks so far. */
    readonly xor: string
    readonly state: 'mining' | 'paused' | 'done'
    /** Colours per second: measured here while mining, and the sum of the members' beats. */
    readonly rateHere: number
    readonly rateMesh: number
    readonly etaMs: number | null
    readonly engine: string
    readonly threads: number
    readonly engines: readonly EngineReport[]
    /** Newest first, at most 16. */
    readonly closed: readonly { readonly epoch: string; readonly xor: string; readonly how: 'computed' | 'adopted' }[]
  }
  readonly lattice: {
    readonly kernel: string
    readonly rows: number
    readonly provider: string
    readonly providers: readonly ProviderReport[]
    /** What folds rows; none where counts are summed. */
    readonly folds: readonly ProviderReport[]
    /** `waiting`: the host does not answer; `why` says more, and is '' in the other states. */
    readonly farm: {
      readonly state: 'idle' | 'farming' | 'done' | 'paused' | 'waiting'
      readonly why: string
      readonly lines: number
      readonly total: number
      readonly meanScore: number
    }
    readonly layers: number
    /** Own head, or ''. */
    readonly layer: string
    /** What `ask` answers from; its id is '' while that is the consensus. `sgsd layer swap` changes it. */
    readonly answersFrom: AnswersFrom
  }
  /** The OpenAI-compatible API. `failed`: the daemon goes on without it, and `why` says what to do. */
  readonly api: {
    readonly state: 'on' | 'off' | 'failed'
    /** `http://127.0.0.1:42070`, or '' where it does not listen. */
    readonly url: string
    /** Where the token is kept, or ''. */
    readonly tokenFile: string
    readonly why: string
  }
  readonly store: { readonly blocks: number; readonly bytes: number; readonly freeBytes: number }
  readonly trust: TrustStatus
  readonly peers: readonly PeerStatus[]
  /** Things a person should know, each with what to do next. */
  readonly warnings: readonly { readonly message: string; readonly hint: string }[]
}

export interface PeerStatus {
  readonly peerId: string
  readonly name: string
  readonly self: boolean
  /** `self`, `loopback 127.0.0.1:4001`, `lan …`, `tailscale …`, `direct …` or `offline`. */
  readonly link: string
  readonly rttMs: number | null
  /** Kangxi radicals of its shard. */
  readonly radicals: readonly number[]
  /** Share of the lattice's rows in its shard, 0 … 1. */
  readonly rowShare: number
  /** Chunks of the current epoch. */
  readonly range: { readonly start: number; readonly count: number; readonly done: number }
  readonly rate: number
  readonly seenMsAgo: number | null
  /** null: nothing heard yet. */
  readonly agrees: boolean | null
  readonly layers: number
  readonly head: string
  readonly version: string
  /** Whether it takes part. */
  readonly standing: PeerStanding
}

/** GET /v1/epochs?epoch=0 */
export interface EpochDocument {
  readonly schema: 'sgsd.epoch/1'
  readonly epoch: string
  readonly closed: boolean
  readonly xor: string
  readonly how: 'computed' | 'adopted' | null
}

/** POST /v1/ask {text, k} */
export interface AskDocument {
  readonly schema: 'sgsd.ask/1'
  readonly text: string
  readonly nearest: readonly { readonly character: string; readonly value: number; readonly definition: string }[]
  readonly known: readonly string[]
  readonly unknown: readonly string[]
  readonly steps: number
  readonly converged: boolean
  readonly provider: string
  /** Own head at the time, or '' before the first commit. */
  readonly layer: string
  readonly consensus: string
  /** What answered, where it was not the consensus: `sgsd layer swap consensus` ends it. */
  readonly answersFrom: AnswersFrom
}

/** POST /v1/similar {texts, model?}: 2 to 64 texts; model is sgs (the running consensus) unless said. */
export interface SimilarDocument {
  readonly schema: 'sgsd.similar/1'
  /** `sgs:<id>` of the consensus or layer that compared them. */
  readonly model: string
  readonly texts: readonly string[]
  /** Cosines of texts i and j: 1 for a text with itself, about 0 for two that have nothing in common. */
  readonly cosines: readonly (readonly number[])[]
}

/** POST /v1/farm?name=…&shared=1&again=1, the text as body (text/plain, UTF-8, of any size): what was taken, once it is on disk. */
export interface FarmAccepted {
  readonly schema: 'sgsd.farm/1'
  readonly name: string
  /** Lines of the text. */
  readonly lines: number
  /** Of these, lines that are new, and those that were given before. */
  readonly taken: number
  readonly known: number
  /** Its place in the queue. */
  readonly turn: number
}

/** GET /v1/farm?turn=7. POST /v1/farm/action {action: 'pause' | 'resume'} answers `{ "ok": true }`. */
export interface FarmDocument {
  readonly schema: 'sgsd.farm-status/1'
  readonly state: StatusDocument['lattice']['farm']['state']
  readonly why: string
  /** What grades: `next-line`, `http`, … */
  readonly host: string
  /** Until a host that failed is asked again. */
  readonly retryMs: number | null
  /** Lines farmed, those of all texts ever given, and those that can be farmed now. */
  readonly lines: number
  readonly total: number
  readonly left: number
  /** Up to the given place in the queue: lines left, and lines learned that no layer holds yet. */
  readonly leftUpTo: number
  readonly uncommittedUpTo: number
  readonly linesPerSecond: number
  readonly etaMs: number | null
  readonly meanScore: number
  readonly layers: number
  /** What is still to do, then what is done, newest first; at most 50. */
  readonly texts: readonly {
    readonly name: string
    /** `broken off`: its stream ended early; given again, it goes on. `unreadable`: its bytes are gone from the disk. */
    readonly state: 'coming in' | 'broken off' | 'waiting' | 'farming' | 'done' | 'unreadable'
    readonly lines: number
    readonly farmed: number
    /** Lines without a character that the lattice knows. */
    readonly unknown: number
    readonly bytes: number
    readonly shared: boolean
  }[]
  /** The watched folder, if there is one. */
  readonly dir: {
    readonly path: string
    /** Text files in it, and those of them that are not taken yet. */
    readonly files: number
    readonly waiting: number
    readonly errors: readonly { readonly file: string; readonly message: string; readonly hint: string }[]
  } | null
}

/**
 * POST /v1/run {program, layer?}: a trajectory program as JSON (docs/trajectories.md); answered by one JSON object a line while it runs: `started`, then an `op`
 * for each op, `progress` in between, and last `end` or `failed`. A program that is at fault, or a layer that is not here, is an error as elsewhere.
 */
export type RunLine =
  | {
      readonly event: 'started'
      readonly schema: 'sgsd.run/1'
      readonly name: string
      readonly profile: 'stable' | 'published'
      readonly ops: number
      /** The layer whose consensus is stepped, or '' for the mesh's. */
      readonly over: string
      /** The mesh's consensus and its digest when the program began, or '' before the first fold. */
      readonly consensus: string
      readonly digest: string
    }
  | ProgramEvent
  | (Omit<ProgramFailure, 'code'> & { readonly code: 'LAYER_UNKNOWN' | 'LAYER_AMBIGUOUS' | 'LAYER_INCOMPLETE' | 'TOO_LONG' })

/** POST /v1/join {invite} while the daemon runs */
export interface JoinDocument {
  readonly schema: 'sgsd.join/1'
  readonly meshId: string
  readonly meshName: string
  readonly peer: string
}

/** GET /v1/events: one JSON object a line, until the client goes. */
export type DaemonEvent = { readonly at: string } & (
  | { readonly event: 'peer:connected'; readonly peer: string; readonly link: string }
  | { readonly event: 'peer:disconnected'; readonly peer: string }
  | {
      readonly event: 'claim:accepted'
      readonly peer: string
      readonly epoch: string
      readonly start: number
      readonly count: number
      readonly coverage: number
    }
  | { readonly event: 'epoch:closed'; readonly epoch: string; readonly xor: string; readonly how: 'computed' | 'adopted' }
  | { readonly event: 'layer:committed'; readonly layer: string; readonly radicals: number; readonly rows: number; readonly meanScore: number }
  | { readonly event: 'layer:received'; readonly peer: string; readonly layer: string }
  | { readonly event: 'layer:refused'; readonly peer: string; readonly layer: string; readonly reason: string }
  | { readonly event: 'consensus:changed'; readonly id: string; readonly digest: string; readonly heads: number }
  | { readonly event: 'answers:changed'; readonly kind: AnswersFrom['kind']; readonly id: string }
  | { readonly event: 'warning'; readonly message: string }
)

/** POST /v1/mine {action: 'start' | 'pause'} and POST /v1/stop answer `{ "ok": true }`. */
export interface Done {
  readonly ok: true
}
