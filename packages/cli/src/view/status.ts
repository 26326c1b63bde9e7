import type { StatusDocument } from '@sgsd/daemon'
import type { Health } from '../health.ts'
import { displayWidth, plainText, truncate } from '../text/display-width.ts'
import { ago, bar, bareHex, bytes, count, duration, percent, rate, shortPeer } from '../text/figures.ts'
import { fitLine } from '../text/line.ts'
import type { Style } from '../text/style.ts'
import { peerTable } from './peers.ts'

const BAR_COLUMNS = 18
const LABEL_COLUMNS = 10

/** What `sgsd status` shows, in lines of at most `width` columns (70 or more). */
export function statusView(status: StatusDocument, health: Health, width: number, style: Style): string[] {
  return [
    headLine(status, health, width, style),
    labelled('mesh', meshPieces(status), width, ' · '),
    labelled('consensus', consensusPieces(status, style), width),
    labelled('colours', colourPieces(status, style), width),
    ...trustLine(status, width),
    labelled('lattice', latticePieces(status), width, ' · '),
    ...lackLines(status, width),
    labelled('store', storePieces(status), width, ' · '),
    ...apiLine(status, width),
    '',
    ...peerTable(status.peers, width, style),
    ...neighbourLines(status, width),
    ...(health.reasons.length === 0 ? [] : ['']),
    ...health.reasons.flatMap((reason) => reasonLines(reason, width, style)),
  ]
}

function headLine({ node }: StatusDocument, health: Health, width: number, style: Style): string {
  const state = health.state === 'healthy' ? style.green('● healthy') : style.yellow('▲ degraded')
  return fitLine(
    [
      `sgsd ${plainText(node.version)}`,
      `node ${style.bold(plainText(node.name))}`,
      { text: `id ${shortPeer(node.peerId)}`, dropOrder: 1 },
      { text: `up ${duration(node.uptimeMs)}`, dropOrder: 2 },
      state,
    ],
    width,
  )
}

function meshPieces({ mesh }: StatusDocument): Pieces {
  const others = mesh.members - 1
  const paths = mesh.discovery.filter(({ source }) => source === 'mdns' || source === 'tailscale')
  return [
    plainText(mesh.name),
    others === 0 ? 'no other member yet' : `${mesh.connected}/${others} peers connected`,
    others === 0 ? '' : `${mesh.agreeing}/${mesh.members} agree`,
    { text: mesh.admission === 'open' ? 'open' : mesh.admission === 'key' ? 'key on' : 'key on, by vote', dropOrder: 1 },
    ...paths.map(({ source, state }) => ({ text: `${source === 'mdns' ? 'mDNS' : 'Tailscale'} ${state === 'ok' ? 'on' : state}`, dropOrder: 2 })),
  ]
}

function consensusPieces({ consensus }: StatusDocument, style: Style): Pieces {
  if (consensus.id === '') return ['none yet: no layer has been committed']
  return [
    `${style.block(consensus.id)} ${consensus.id.slice(0, 12)}`,
    `from ${consensus.heads} ${consensus.heads === 1 ? 'head' : 'heads'}`,
    `changed ${consensus.changedMsAgo < 2_000 ? 'now' : `${duration(consensus.changedMsAgo)} ago`}`,
    { text: `fold ${plainText(consensus.foldId)}`, dropOrder: 1 },
    { text: `${count(consensus.edges)} edges`, dropOrder: 2 },
  ]
}

/** Nothing where nothing was recomputed and nobody is out. */
function trustLine({ trust }: StatusDocument, width: number): string[] {
  const { audited, cost, excluded, probation, repairing } = trust
  if (audited === 0 && excluded.length === 0) return []
  const pieces: Pieces = [
    `${count(audited)} chunks audited`,
    { text: cost === null ? '' : `${(100 * cost).toFixed(1)}% of own work`, dropOrder: 2 },
    excluded.length === 0 ? 'nobody excluded' : `${excluded.length} excluded`,
    repairing.length === 0 ? '' : 'repairing',
    { text: probation.length === 0 ? '' : `${probation.length} in probation`, dropOrder: 1 },
  ]
  return [labelled('trust', pieces, width, ' · ')]
}

function colourPieces({ colours }: StatusDocument, style: Style): Pieces {
  const xor = bareHex(colours.xor)
  const state = colours.state === 'mining' ? `ETA ${colours.etaMs === null ? '?' : duration(colours.etaMs)}` : colours.state
  return [
    `epoch ${BigInt(colours.epoch)}`,
    { text: bar(colours.coverage, BAR_COLUMNS), dropOrder: 2 },
    percent(colours.coverage),
    `${rate(colours.rateMesh)} mesh`,
    { text: `${rate(colours.rateHere)} here`, dropOrder: 3 },
    state,
    { text: `xor ${style.block(xor)} ${xor.slice(0, 8)}…`, dropOrder: 1 },
  ]
}

const FARM_WORDS = { farming: 'farming', done: 'farmed', paused: 'farming paused at', waiting: 'farming waits at' } as const

function latticePieces({ lattice }: StatusDocument): Pieces {
  const { farm } = lattice
  return [
    `${count(lattice.rows)} rows`,
    `step on ${plainText(lattice.provider)}`,
    { text: cardOf(lattice), dropOrder: 2 },
    farm.state === 'idle' ? 'not farming' : `${FARM_WORDS[farm.state]} ${count(farm.lines)}/${count(farm.total)} lines`,
    { text: farm.lines > 0 ? `mean score ${farm.meanScore.toFixed(3)}` : '', dropOrder: 1 },
  ]
}

/** Providers that would work here if what they lack were installed. */
function lackLines({ lattice }: StatusDocument, width: number): string[] {
  return lattice.providers
    .filter(({ state, mend }) => state === 'missing' && mend !== undefined)
    .map(({ provider, why }) => labelled('', [truncate(`not on ${plainText(provider)}: ${plainText(why)}`, width - LABEL_COLUMNS)], width))
}

/** The card that steps, where it is one. */
function cardOf({ providers }: StatusDocument['lattice']): string {
  return plainText(providers.find(({ state }) => state === 'active')?.device ?? '')
}

function storePieces({ store, lattice }: StatusDocument): Pieces {
  return [bytes(store.bytes), `${count(store.blocks)} blocks`, `${count(lattice.layers)} layers`, `disk free ${bytes(store.freeBytes)}`]
}

/** Where programs reach the lattice, or why they do not; nothing where the API is turned off. */
function apiLine({ api }: StatusDocument, width: number): string[] {
  if (api.state === 'off') return []
  const pieces: Pieces =
    api.state === 'on'
      ? [`${api.url}/v1`, { text: 'token: sgsd token', dropOrder: 1 }]
      : [truncate(`off: ${plainText(api.why)}`, width - LABEL_COLUMNS)]
  return [labelled('api', pieces, width, ' · ')]
}

/** Machines of the older protocol: heard, never trusted, so they stand below and apart. */
function neighbourLines({ mesh }: StatusDocument, width: number): string[] {
  if (mesh.unauthenticated.length === 0) return []
  const heard = mesh.unauthenticated.map(({ host, address, kind, seenMsAgo }) => plainText(`${host} ${address} (${kind}, ${ago(seenMsAgo)})`))
  return ['', truncate(`unauthenticated neighbours, not trusted: ${heard.join('; ')}`, width)]
}

type Pieces = Parameters<typeof fitLine>[0]

function labelled(label: string, pieces: Pieces, width: number, gap = '  '): string {
  return label.padEnd(LABEL_COLUMNS) + fitLine(pieces, width - LABEL_COLUMNS, gap)
}

/** `! what is wrong   →  what to type`, on two lines where one is too short. */
export function reasonLines(reason: { readonly message: string; readonly hint: string }, width: number, style: Style): string[] {
  const message = plainText(reason.message)
  const hint = plainText(reason.hint)
  const mark = style.yellow('!')
  if (hint === '') return [`${mark} ${truncate(message, width - 2)}`]
  const one = fitLine([message, `→  ${hint}`], Infinity, '   ')
  if (displayWidth(one) + 2 <= width) return [`${mark} ${one}`]
  return [`${mark} ${truncate(message, width - 2)}`, `  →  ${truncate(hint, width - 5)}`]
}
