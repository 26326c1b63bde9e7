import { once } from 'node:events'
import { cpus, totalmem } from 'node:os'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { openClaimCompute, openColourCompute, openHistoryCompute, openLatticeCompute } from '@sgsd/compute'
import { revokedPeers } from '@sgsd/consensus'
import { OBSERVER_PORT, openMesh, openObserver, verifySignature } from '@sgsd/mesh'
import { lockDataDir, openStore } from '@sgsd/store'
import { inviteOfStart } from './admission/control.ts'
import { InviteBook } from './admission/invite-book.ts'
import { ProbeDesk } from './admission/probe-desk.ts'
import { Voter } from './admission/voter.ts'
import { apiTarget } from './api/api-target.ts'
import { Embeddings } from './api/embeddings.ts'
import { openApi } from './api/open-api.ts'
import { askLattice } from './ask.ts'
import { BlockFetcher } from './block-fetcher.ts'
import { type Config, MESH_PORT } from './config.ts'
import { type PartialConfig, readConfig } from './config-file.ts'
import type { AskDocument } from './control/api.ts'
import { openControlServer } from './control/server.ts'
import { controlTarget } from './control-target.ts'
import { Core, monotonicNow } from './core.ts'
import { guardLattice } from './crash-guard.ts'
import { DaemonError } from './daemon-error.ts'
import { type DataDir, dataDir, MAX_SOCKET_PATH_BYTES } from './data-dir.ts'
import { EventBus } from './event-bus.ts'
import { openFarm } from './farm/open-farm.ts'
import { restoreThenFarm } from './farm/restore-then-farm.ts'
import { meshHandlers } from './gossip.ts'
import { History } from './history/history.ts'
import { addHistoryRoutes } from './history/routes.ts'
import { watchUncaught } from './last-resort.ts'
import { LayerFinder } from './layer-finder.ts'
import { openLog } from './log.ts'
import { BeatLoop } from './loops/beat.ts'
import { ContentLoop } from './loops/content.ts'
import { forgetLeaves } from './loops/leaves.ts'
import { MergeLoop } from './loops/merge.ts'
import { MineLoop } from './loops/mine.ts'
import { SyncLoop } from './loops/sync.ts'
import { AuditLoop } from './trust/audit-loop.ts'
import { compareLeaves } from './trust/check.ts'
import { ownPastKnown } from './trust/first-sync.ts'
import { readGoodEpochs } from './trust/good-epochs.ts'
import { readHeldOut } from './trust/held-out.ts'
import { Judge } from './trust/judge.ts'
import { ReceiptLoop } from './trust/receipt-loop.ts'
import { Referee } from './trust/referee.ts'
import { sealEpoch } from './trust/seal-epoch.ts'
import { type Credentials, readCredentials } from './membership.ts'
import { startupError } from './startup-error.ts'
import type { DaemonParts } from './parts.ts'
import { pause } from './pause.ts'
import { RosterWatch } from './roster-watch.ts'
import { openCare } from './store-care/open-care.ts'
import { VERSION } from './version.ts'

/** A stop that takes longer is cut short: supervisors allow about this much. */
const STOP_TIMEOUT_MS = 4_500
/** Timing of the colour engine at start. */
const MEASURE_MS = 200

export interface StartOptions {
  readonly config?: PartialConfig
  /** Plain log lines instead of JSON. */
  readonly humanLog?: boolean
  /** Opens the engines that compute colours; default `openColourCompute`. For programs that bring engines of their own. */
  readonly openColours?: typeof openColourCompute
}

export interface RunningDaemon {
  readonly peerId: string
  readonly meshId: string
  readonly meshName: string
  readonly multiaddrs: readonly string[]
  /** Makes lines that let one other node join, within a day; in the place of those that an earlier start made and nobody used. */
  invite(): readonly string[]
  /** Resolves with the exit code once everything is closed. */
  readonly closed: Promise<number>
  stop(): Promise<void>
}

/**
 * Runs the daemon of a data directory in this process.
 * @throws DaemonError ALREADY_RUNNING | NOT_INITIALISED | *_DAMAGED | CONFIG_INVALID | LISTEN_FAILED | NOT_WRITABLE | …
 */
export async function startDaemon(root: string, options: StartOptions = {}): Promise<RunningDaemon> {
  const files = dataDir(root)
  const stopping = new AbortController()
  const stack = new AsyncDisposableStack()
  try {
    if (Buffer.byteLength(files.socket) > MAX_SOCKET_PATH_BYTES) {
      throw new DaemonError(
        'SOCKET_PATH_TOO_LONG',
        `${files.socket} is too long for a unix socket (${MAX_SOCKET_PATH_BYTES} bytes at most)`,
        'choose a shorter --data-dir',
      )
    }
    const credentials = await readCredentials(root)
    stack.use(await lockDataDir(root))
    const config = await readConfig(files.config, options.config)
    const { parts, closed } = await assemble({ files, config, credentials, stack, stopping, options })
    const { genesis, identity, meshId } = credentials
    const multiaddrs = parts.mesh.multiaddrs()
    return {
      peerId: identity.peer,
      meshId,
      meshName: genesis.name,
      multiaddrs,
      invite: () => inviteOfStart(parts),
      closed,
      stop: async () => {
        parts.requestStop(0)
        await closed
      },
    }
  } catch (error) {
    stopping.abort()
    await stack.disposeAsync().catch(() => {})
    throw startupError(error, root)
  }
}

interface Assembly {
  readonly files: DataDir
  readonly config: Config
  readonly credentials: Credentials
  readonly stack: AsyncDisposableStack
  readonly stopping: AbortController
  readonly options: StartOptions
}

/** Opens the edges, loads the state, starts the loops; the stack closes all of it in reverse. */
async function assemble({
  files,
  config,
  credentials,
  stack,
  stopping,
  options,
}: Assembly): Promise<{ parts: DaemonParts; closed: Promise<number> }> {
  const { humanLog = false, openColours = openColourCompute } = options
  const { signal } = stopping
  const startedAt = performance.now()
  const log = openLog(config.log.level, humanLog)
  const events = new EventBus()
  const delay = monitorEventLoopDelay({ resolution: 10 })
  delay.enable()
  stack.defer(() => void delay.disable())
  let exitCode = 0
  const requestStop = (code: number): void => {
    exitCode = Math.max(exitCode, code)
    stopping.abort()
  }
  stack.defer(watchUncaught(log, requestStop))
  const store = stack.use(await openStore(files.root))
  const [colours, rawLattice] = await Promise.all([
    openColours({
      ...(config.mine.threads === 0 ? {} : { threads: config.mine.threads }),
      duty: config.mine.duty,
      niceness: config.mine.nice,
    }).then((opened) => stack.use(opened)),
    openLatticeCompute({ fold: credentials.genesis.foldId, self: credentials.identity.peer, provider: config.lattice.provider }).then((opened) =>
      stack.use(opened),
    ),
  ])
  const claims = stack.use(openClaimCompute())
  const lattice = guardLattice(rawLattice, (error) => {
    log.fatal({ error: error.message }, 'the lattice worker died; ending so that a supervisor starts anew')
    requestStop(1)
  })
  const core = new Core(credentials, store.items, verifySignature, log, events)
  core.load()
  core.handle({ type: 'trust-restored', goodEpochs: readGoodEpochs(store.items) })
  stack.defer(() => core.flush())
  const invites = new InviteBook({
    notes: store.items,
    wallNow: Date.now,
    isRevoked: (peer) => revokedPeers(core.state).has(peer),
    genesis: credentials.genesisBytes,
    meshKey: credentials.meshKey,
  })
  const probes = credentials.genesis.admission === 'vote' ? new ProbeDesk(core, colours) : undefined
  const mesh = stack.use(
    await openMesh({
      identity: credentials.identity,
      meshId: credentials.meshId,
      ...(credentials.meshKey === undefined ? {} : { meshKey: credentials.meshKey }),
      listen: config.listen,
      bootstrap: config.bootstrap,
      mdns: config.mdns,
      tailscale: config.tailscale ? { port: MESH_PORT } : false,
      handlers: { ...meshHandlers(core, store), ...(probes === undefined ? {} : { onProbe: probes.answer.bind(probes) }) },
      ...(credentials.meshKey === undefined ? {} : { invites }),
      directory: files.peers,
      log: (level, fields, text) => log[level](fields, text),
    }),
  )
  const observer = config.observer ? stack.use(await openObserver({ port: OBSERVER_PORT, hello: () => observerHello(core, config) })) : undefined
  const referee = stack.use(
    new Referee(() => openColours({ threads: 1, engine: 'reference', niceness: config.mine.nice }), credentials.genesis, signal),
  )
  const loop = { core, lattice, colours, claims, referee, blocks: store.blocks, values: store.items, events, log, signal }
  const mining = new MineLoop(loop, config.mine)
  const audits = new AuditLoop({ ...loop, mining })
  const judge = new Judge(core, referee, log)
  const { farming, folder, ledger, segments } = await openFarm(loop, config, files, stack)
  const fetcher = new BlockFetcher(store.blocks, mesh, log, signal)
  const { care, pins, caring } = openCare({ ...loop, ledger, fetcher, root: files.root }, config)
  const merging = new MergeLoop(core, lattice, events, log, signal)
  const past = stack.use(openHistoryCompute(credentials.genesis.foldId))
  const finder = new LayerFinder(core, store.blocks)
  const receipts = new ReceiptLoop({ ...loop, history: past, content: (layer) => finder.content(layer), heldOut: readHeldOut })
  const history = new History({
    ...loop,
    store,
    mesh,
    fetcher,
    pins,
    care,
    farming,
    merging,
    compute: past,
    texts: { ledger, segments },
    keep: config.history.keep,
    clock: Date.now,
  })
  const beats = new BeatLoop(
    core,
    {
      consensus: () => ({ id: merging.current?.id ?? '', digest: merging.current?.fold.digest ?? '' }),
      rateNow: () => mining.rate,
      sustainedRate: () => mining.sustainedRate,
      layers: () => farming.layers,
      addrs: () =>
        mesh
          .multiaddrs()
          .map((address) => address.replace(/\/p2p\/[^/]+$/, ''))
          .slice(0, 16),
    },
    {
      software: VERSION,
      hostName: config.name,
      cores: cpus().length,
      memoryBytes: BigInt(totalmem()),
      colourRate: BigInt(Math.round(await colours.measure(credentials.genesis.colourKernel, MEASURE_MS))),
      rowRate: BigInt(Math.round(lattice.info().rowRate)),
      colourEngine: colours.engine,
      providers: lattice
        .info()
        .providers.filter((report) => report.state === 'active' || report.state === 'standby')
        .map((report) => report.provider)
        .slice(0, 8),
    },
    log,
    signal,
  )
  const consensus = (): string => history.answersFrom.id || (merging.current?.id ?? '')
  const embeddings = new Embeddings({ lattice, consensus, layers: () => new LayerFinder(core, store.blocks) })
  const ask = (text: string, k: number): Promise<AskDocument> => askLattice({ lattice, core, merging, history }, text, k)
  const target = apiTarget({ tokenFile: files.apiToken, embeddings, core, log, ask, consensus })
  const api = stack.use(await openApi(config.api.listen, files.apiToken, target, log))
  const parts: DaemonParts = {
    files,
    config,
    credentials,
    log,
    events,
    store,
    colours,
    claims,
    lattice,
    core,
    mesh,
    invites,
    observer,
    mining,
    audits,
    judge,
    receipts,
    farming,
    folder,
    merging,
    beats,
    embeddings,
    api,
    fetcher,
    care,
    pins,
    caring,
    history,
    recent: [],
    startedAt,
    requestStop,
    loopDelayP99Ms: () => delay.percentile(99) / 1e6,
  }
  const server = await openControlServer(files.socket, controlTarget(parts, signal), events, (app) => addHistoryRoutes(app, history))
  stack.defer(() => server.close())
  return { parts, closed: run(parts, stack, signal).then(() => exitCode) }
}

/** What older machines hear of this node: its name, its polarity in the round-robin of peer ids, the XOR of the open epoch. */
function observerHello(core: Core, { name }: Config): { host: string; polarity: number; fingerprint: bigint } {
  const { state } = core
  const place = [...state.roster.keys()].sort().indexOf(state.self)
  return { host: name, polarity: Math.max(0, place) % 3, fingerprint: state.tallies.get(state.epoch)?.xor ?? 0n }
}

/** Connects the parts, runs the loops until the signal, then closes everything in reverse. */
async function run(parts: DaemonParts, stack: AsyncDisposableStack, signal: AbortSignal): Promise<void> {
  const { core, mesh, log, events, store, lattice, mining, farming, folder, merging, beats, fetcher, caring, audits, judge, receipts, history } =
    parts
  const content = new ContentLoop(parts, fetcher, signal)
  const sync = new SyncLoop(mesh, log, signal, Math.random)
  const watch = new RosterWatch(core, mesh, lattice, log)
  stack.defer(noteWarnings(parts))
  merging.onMissing = (heads) => content.reload(heads)
  merging.onConsensus = () => {
    beats.soon()
    history.folded()
  }
  core.onChange = () => {
    watch.changed()
    mining.nudge()
  }
  core.connect({
    publish: (topic, bytes) => void mesh.publish(topic, bytes).catch((error: Error) => log.debug({ topic, error: error.message }, 'publish failed')),
    fetchLayer: (effect) => content.fetchLayer(effect),
    fetchLeaves: (effect) => content.fetchLeaves(effect),
    checkProof: (effect) => void judge.check(effect),
    compareLeaves: (effect) =>
      void compareLeaves(core, store.blocks, effect).catch((error: Error) => log.warn({ error: error.message }, 'leaves cannot be compared')),
    fold: () => merging.request(),
    epochClosed: (closed) => sealEpoch(parts, closed),
    forgotten: (effect) => forgetLeaves(parts, effect),
  })
  mesh.on('peer:connected', (link) => {
    log.info({ peer: link.peer, via: link.via, address: link.remoteAddr }, 'peer connected')
    events.emit({ event: 'peer:connected', peer: link.peer, link: `${link.via} ${link.remoteAddr}` })
    void sync.connected(link.peer).then(() => beats.soon())
  })
  mesh.on('peer:disconnected', (peer) => {
    log.info({ peer }, 'peer disconnected')
    events.emit({ event: 'peer:disconnected', peer })
  })
  mesh.on('dial:failed', (target, reason) => log.debug({ target, reason }, 'dial failed'))
  mesh.on('identity:duplicated', (address) => {
    log.error({ address }, 'another machine runs with the identity of this node')
    events.emit({ event: 'warning', message: `another machine runs with the identity of this node: ${address}` })
  })
  farming.load()
  merging.request()
  const known = ownPastKnown(parts, sync.synced, signal)
  const loops = [
    known.then(() => beats.run()),
    sync.run(),
    new Voter(parts, signal).run(),
    merging.run(),
    known.then(() => mining.run()),
    audits.run(),
    known.then(() => receipts.run()),
    known.then(() => restoreThenFarm(parts, fetcher, signal)),
    caring.run(),
    folder?.run() ?? Promise.resolve(),
  ].map((loop) =>
    loop.catch((error: Error) => {
      log.fatal({ error: error.message, stack: error.stack }, 'a loop broke; ending so that a supervisor starts anew')
      parts.requestStop(1)
    }),
  )
  for (const link of mesh.links()) void sync.connected(link.peer)
  if (!signal.aborted) await once(signal, 'abort')
  log.info('stopping')
  const closed = new AbortController()
  const closing = Promise.allSettled(loops).then(() => stack.disposeAsync())
  const outcome = await Promise.race([closing.then(() => 'closed'), pause(STOP_TIMEOUT_MS, closed.signal).then(() => 'late')])
  closed.abort()
  if (outcome === 'late') log.warn('stopped before everything was closed')
}

/** Keeps the newest warnings for the status. */
function noteWarnings({ events, recent }: DaemonParts): () => void {
  return events.subscribe((event) => {
    if (event.event !== 'warning') return
    recent.push({ at: monotonicNow(), message: event.message })
    if (recent.length > 100) recent.splice(0, 50)
  })
}
