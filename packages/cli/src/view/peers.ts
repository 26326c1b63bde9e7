import { fnv1a64 } from '@sgsd/color'
import type { PeerStatus } from '@sgsd/daemon'
import { plainText } from '../text/display-width.ts'
import { ago, count, percent, rate } from '../text/figures.ts'
import type { Style } from '../text/style.ts'
import { type Column, table } from '../text/table.ts'

/** Six hex digits that stand for a peer: the low 24 bits of its id's FNV-1a, as with every colour. */
export function peerColour(peerId: string): string {
  return (fnv1a64(peerId) & 0xff_ffffn).toString(16).padStart(6, '0')
}

/** `0–149,796`, first and last chunk. */
export function rangeText({ start, count: length }: PeerStatus['range']): string {
  return length === 0 ? '–' : `${count(start)}–${count(start + length - 1)}`
}

/** `direct 192.168.1.12:42069` without the port: `sgsd peer show` has it. */
function linkText(link: string): string {
  return plainText(link).replace(/:\d+$/, '')
}

function rangeShare({ done, count: length }: PeerStatus['range']): string {
  return length === 0 ? '' : percent(done / length)
}

/** The peers as a table of at most `width` columns, oneself (`*`) first. */
export function peerTable(peers: readonly PeerStatus[], width: number, style: Style): string[] {
  const ordered = [...peers].sort(
    (a, b) => Number(b.self) - Number(a.self) || (a.name < b.name ? -1 : a.name > b.name ? 1 : a.peerId < b.peerId ? -1 : 1),
  )
  const columns: Column<PeerStatus>[] = [
    { title: 'PEER', text: (peer) => `${plainText(peer.name)}${peer.self ? '*' : ''}`, paint: (text) => style.bold(text), min: 8 },
    { title: 'COLOUR', text: (peer) => `[${peerColour(peer.peerId)}]`, paint: (_, peer) => style.block(peerColour(peer.peerId)), dropOrder: 2 },
    { title: 'LINK', text: (peer) => linkText(peer.link), paint: (text, peer) => (peer.link === 'offline' ? style.red(text) : text), min: 12 },
    { title: 'RADICALS', text: (peer) => `${peer.radicals.length} (${percent(peer.rowShare)})` },
    { title: 'RANGE', text: (peer) => rangeText(peer.range), dropOrder: 1 },
    { title: 'DONE', align: 'right', text: (peer) => rangeShare(peer.range) },
    { title: 'RATE', align: 'right', text: (peer) => rate(peer.rate) },
    { title: 'SEEN', align: 'right', text: (peer) => (peer.self ? 'now' : ago(peer.seenMsAgo)) },
    {
      title: 'AGREES',
      text: agreement,
      paint: (text, peer) =>
        peer.agrees === false || peer.standing.state !== 'member' ? style.yellow(text) : peer.agrees === true ? style.green(text) : text,
    },
  ]
  return table(columns, ordered, width, (text) => style.dim(text))
}

/** Who does not take part is not asked what it agrees with. */
function agreement(peer: PeerStatus): string {
  if (peer.standing.state !== 'member') return `! ${peer.standing.state}`
  return peer.agrees === null ? '? unheard' : peer.agrees ? '✓' : '! differs'
}

function standing({ standing: { state, why } }: PeerStatus): string {
  return why === '' ? state : `${state} ${state === 'candidate' ? 'with' : '–'} ${plainText(why)}`
}

/** Everything known of one peer, a fact a line. */
export function peerDetails(peer: PeerStatus, style: Style): string[] {
  const seen = peer.self
    ? 'this node'
    : peer.seenMsAgo === null
      ? 'never since this daemon started'
      : peer.seenMsAgo < 2_000
        ? 'now'
        : `${ago(peer.seenMsAgo)} ago`
  const facts: readonly (readonly [string, string])[] = [
    ['peer', `${style.block(peerColour(peer.peerId))} ${style.bold(plainText(peer.name))}`],
    ['id', peer.peerId],
    ['version', plainText(peer.version)],
    ['link', `${plainText(peer.link)}${peer.rttMs === null ? '' : `, ${peer.rttMs.toFixed(1)} ms round trip`}`],
    ['seen', seen],
    ['standing', standing(peer)],
    ['range', `chunks ${rangeText(peer.range)}, ${count(peer.range.done)} of ${count(peer.range.count)} done`],
    ['rate', rate(peer.rate)],
    ['radicals', `${peer.radicals.length} (${percent(peer.rowShare)} of the rows): ${peer.radicals.map(radicalText).join(' ')}`],
    ['layers', count(peer.layers)],
    ['head', peer.head === '' ? 'none yet' : peer.head],
    ['agrees', agreement(peer)],
  ]
  return facts.map(([label, value]) => `${label.padEnd(9)} ${value}`)
}

/** A Kangxi radical 1 … 214 as the character that Unicode gives it (U+2F00 …). */
function radicalText(radical: number): string {
  return String.fromCodePoint(0x2eff + radical)
}
