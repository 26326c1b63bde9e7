import { parseInvite } from '@sgsd/wire'
import { admissionTarget } from './admission/control.ts'
import { similar } from './api/similar.ts'
import { askLattice } from './ask.ts'
import { mergeConfig, readRawConfig, writeConfig } from './config-file.ts'
import type { EpochDocument, JoinDocument, StatusDocument } from './control/api.ts'
import type { ControlTarget } from './control/server.ts'
import { monotonicNow } from './core.ts'
import { DaemonError } from './daemon-error.ts'
import { LayerFiles } from './layer-files/layer-files.ts'
import { swapWarnings } from './history/swap.ts'
import { JOIN_TIMEOUT_MS, joinError } from './membership.ts'
import { startRun } from './programs.ts'
import type { DaemonParts } from './parts.ts'
import { pause } from './pause.ts'
import { hex64, statusDocument } from './status.ts'
import { jobLines } from './store-care/job-lines.ts'
import { trustStatus, trustTarget } from './trust/control.ts'
import { VERSION } from './version.ts'
import { warnings } from './warnings.ts'

/** Time for the last record to reach the peers before the daemon closes. */
const FAREWELL_MS = 500

/** The running daemon as the control API sees it. */
export function controlTarget(parts: DaemonParts, signal: AbortSignal): ControlTarget {
  const { mining, farming } = parts
  return {
    status: () => status(parts),
    epoch: (epoch) => epochDocument(parts, epoch),
    ask: (text, k) => askLattice(parts, text, k),
    similar: (texts, model) => similar(parts.embeddings, texts, model, signal),
    async farm(options, body) {
      const { text, taken, known } = await farming.take(options, body)
      return { schema: 'sgsd.farm/1', name: text.name, lines: text.lines, taken, known, turn: text.turn }
    },
    farmStatus: (turn) => ({ ...farming.document(turn), dir: parts.folder?.report ?? null }),
    farmAction: (action) => (action === 'pause' ? farming.pause() : farming.resume()),
    run: (request) => startRun(parts, request, signal),
    store: (request) => jobLines(parts.care, request, signal),
    mine: (action) => (action === 'start' ? mining.start() : mining.pause()),
    ...admissionTarget(parts),
    ...trustTarget(parts),
    join: (invite) => joinRunning(parts, invite, signal),
    async leave() {
      // a node that does not know its own past yet has nothing to say
      if (parts.core.state.roster.has(parts.core.state.self)) parts.beats.refreshRecord(true)
      await pause(FAREWELL_MS, signal)
      parts.requestStop(0)
    },
    layerFiles: new LayerFiles(parts, signal),
    stop: () => parts.requestStop(0),
  }
}

async function status(parts: DaemonParts): Promise<StatusDocument> {
  const { core, mesh, credentials, config, colours, lattice, mining, farming, merging, store, recent } = parts
  const usage = await store.blocks.usage()
  // everything below is of one moment
  const { state } = core
  const now = monotonicNow()
  const links = mesh.links()
  const discovery = mesh.discovery()
  const latticeInfo = lattice.info()
  return statusDocument({
    state,
    now,
    node: {
      peerId: credentials.identity.peer,
      name: config.name,
      version: VERSION,
      pid: process.pid,
      uptimeMs: Math.round(performance.now() - parts.startedAt),
      multiaddrs: mesh.multiaddrs(),
      dataDir: parts.files.root,
      rssBytes: process.memoryUsage.rss(),
      loopDelayP99Ms: Number(parts.loopDelayP99Ms().toFixed(1)),
    },
    links,
    discovery,
    neighbours: parts.observer?.neighbours() ?? [],
    consensus: merging.current,
    colours,
    mining: { state: mining.state, rate: mining.rate },
    trust: trustStatus(state, now, { mined: mining.chunks, audited: parts.audits.chunks, fault: mining.fault }),
    lattice: latticeInfo,
    farm: farming.progress,
    layers: farming.layers,
    answersFrom: parts.history.answersFrom,
    api: parts.api.report,
    store: usage,
    warnings: [
      ...farming.warnings(),
      ...swapWarnings(parts.history.answersFrom),
      ...(parts.folder?.warnings() ?? []),
      ...warnings({
        state,
        now,
        links,
        discovery,
        engines: colours.engines,
        providers: latticeInfo.providers,
        freeBytes: usage.freeBytes,
        recent,
        fault: mining.fault,
      }),
    ],
  })
}

function epochDocument({ core }: DaemonParts, epoch: bigint): EpochDocument {
  const closed = core.state.closed.find((candidate) => candidate.epoch === epoch)
  const xor = closed?.xor ?? core.state.tallies.get(epoch)?.xor ?? 0n
  return { schema: 'sgsd.epoch/1', epoch: hex64(epoch), closed: closed !== undefined, xor: hex64(xor), how: closed?.how ?? null }
}

/** A running daemon stays in its mesh: an invite only gives it one more address to dial. */
async function joinRunning(parts: DaemonParts, invite: string, signal: AbortSignal): Promise<JoinDocument> {
  const { credentials, mesh, files } = parts
  const parsed = parseInvite(invite.trim())
  if (parsed.type !== 'accept') throw new DaemonError('INVITE_INVALID', parsed.reason, 'sgsd invite prints one on a member')
  const { address, secret, kind } = parsed.value
  if (kind === 'key' && secret !== undefined && (credentials.meshKey === undefined || !Buffer.from(secret).equals(credentials.meshKey))) {
    throw new DaemonError(
      'OTHER_MESH',
      `this node belongs to mesh ${credentials.genesis.name}; the invite holds the key of another`,
      'choose another --data-dir for the other mesh',
    )
  }
  const peer = await mesh.dial(address, AbortSignal.any([signal, AbortSignal.timeout(JOIN_TIMEOUT_MS)])).catch((error: unknown) => {
    throw joinError(error, address)
  })
  const before = await readRawConfig(files.config)
  await writeConfig(files.config, mergeConfig(before, { bootstrap: [...new Set([...(before.bootstrap ?? []), address])] }))
  return { schema: 'sgsd.join/1', meshId: credentials.meshId, meshName: credentials.genesis.name, peer }
}
