import type { PeerTrustDocument, ProofCheck, ProofDocument, WindowDocument } from '@sgsd/daemon'
import { plainText } from '../text/display-width.ts'
import { count } from '../text/figures.ts'
import type { Style } from '../text/style.ts'

const CAUSES: Readonly<Record<WindowDocument['cause'], string>> = {
  forged: 'it claimed a wrong value',
  'false-accusation': 'it accused another member falsely',
  equivocation: 'it signed two items where one may be',
  revoked: 'a member revoked it',
}

/** Digits of a proof's id that people type. */
export const SHORT_ID = 12

/** What is known of a member's work, a fact a line, below `peerDetails`. @param names - peer id → name */
export function trustDetails(trust: PeerTrustDocument, names: ReadonlyMap<string, string>, style: Style): string[] {
  const { windows, excluded, proofs, probation, goodEpochs, audited, failed, samplesPerEpoch, detection, weight, receipts } = trust
  const standing =
    excluded !== null
      ? style.red(`excluded ${windowText(excluded)}`)
      : probation
        ? `in probation: ${goodEpochs} of 10 good epochs`
        : style.green('trusted: ten good epochs or more')
  const lines = [fact('standing', standing)]
  for (const window of windows) if (window.evidence !== excluded?.evidence) lines.push(fact('offence', `excluded ${windowText(window)}`))
  for (const proof of proofs) lines.push(...proofLines(proof, names))
  lines.push(fact('audited', `${count(audited)} chunks recomputed here, ${failed === 0 ? 'all as claimed' : `${count(failed)} wrong`}`))
  lines.push(fact('detects', detection.map(({ fraction, here }) => `${chance(here)} of one that forges ${fraction * 100} %`).join(', ')))
  lines.push(
    fact(
      '',
      `its verifiers recompute ${samplesPerEpoch} an epoch: ${detection.map(({ fraction, perEpoch }) => `${chance(perEpoch)} at ${fraction * 100} %`).join(', ')}`,
    ),
  )
  const scored =
    receipts.length === 0
      ? 'no receipts for its head yet'
      : `${receipts.map(({ score }) => score.toFixed(3)).join(' ')} by ${receipts.length} members`
  lines.push(fact('income', `${scored}${weight === null ? '' : `; weight ${weight}`}`))
  return lines
}

/** A proof as a few lines: who, where, both values, and what to type. */
function proofLines(
  { id, accuser, epoch, chunk, absoluteChunk, claimed, computed, verdict }: ProofDocument,
  names: ReadonlyMap<string, string>,
): string[] {
  const by = plainText(names.get(accuser) ?? accuser)
  return [
    fact(
      'proof',
      `${id.slice(0, SHORT_ID)} by ${by}, ${verdict}: chunk ${count(chunk)} of epoch ${BigInt(epoch)} (chunk ${BigInt(absoluteChunk)} of the mesh)`,
    ),
    fact('', `claimed  ${claimed}`),
    fact('', `computed ${computed ?? 'not yet here'}`),
    fact('', `by hand: sgsd proof export ${id.slice(0, SHORT_ID)} > proof.json && sgsd proof check proof.json`),
  ]
}

/** The proofs of a mesh, one a line. */
export function proofTable(proofs: readonly ProofDocument[], names: ReadonlyMap<string, string>): string[] {
  const name = (peer: string): string => plainText(names.get(peer) ?? peer.slice(-6))
  return proofs.map(
    ({ id, accuser, accused, epoch, chunk, verdict }) =>
      `${id.slice(0, SHORT_ID)}  epoch ${BigInt(epoch)} chunk ${count(chunk)}  ${name(accuser)} against ${name(accused)}  ${verdict}`,
  )
}

/** What checking a file showed. */
export function checkLines({ verdict, why, meshId, proof }: ProofCheck, style: Style): string[] {
  const facts = [fact('mesh', meshId)]
  if (proof !== null) {
    facts.push(fact('accused', proof.accused), fact('accuser', proof.accuser))
    facts.push(fact('chunk', `${count(proof.chunk)} of epoch ${BigInt(proof.epoch)} (chunk ${BigInt(proof.absoluteChunk)} of the mesh)`))
    facts.push(fact('claimed', proof.claimed), fact('computed', proof.computed ?? 'not computed'))
  }
  const outcome = {
    fraud: style.red('fraud proved: the accused signed a value that the chunk does not have'),
    false: style.red('a false accusation: the chunk has the value that was claimed'),
    invalid: style.red(`this proves nothing: ${plainText(why)}`),
  }
  return [...facts, fact('verdict', outcome[verdict])]
}

function windowText({ cause, from, until }: WindowDocument): string {
  const span = until === null ? `from epoch ${BigInt(from)} until it is readmitted` : `for epochs ${BigInt(from)} to ${BigInt(until)}`
  return `${span}: ${CAUSES[cause]}`
}

/** A probability, in per cent; as 100 % only what is nothing else. */
function chance(probability: number): string {
  if (probability === 0) return '0 %'
  const percent = 100 * probability
  return percent > 99.9 && probability < 1 ? '> 99.9 %' : `${percent.toFixed(1)} %`
}

function fact(label: string, value: string): string {
  return `${label.padEnd(9)} ${value}`
}
