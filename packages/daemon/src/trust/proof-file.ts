import { chunkValue } from '@sgsd/color'
import { absoluteChunk, accusedOf, type MeshId, proofFault, type Signed } from '@sgsd/consensus'
import { verifySignature } from '@sgsd/mesh'
import { MAX_GENESIS_BYTES, MAX_ITEM_BYTES, meshIdOf, openItem, parseGenesis } from '@sgsd/wire'
import { z } from 'zod'
import { DaemonError } from '../daemon-error.ts'
import type { ProofCheck, ProofFile } from './documents.ts'
import { proofDocument } from './proof-document.ts'

const hexOf = (bytes: number): z.ZodString =>
  z
    .string()
    .max(2 * bytes)
    .regex(/^([0-9a-f]{2})*$/)

const fileSchema: z.ZodType<ProofFile> = z.strictObject({
  schema: z.literal('sgsd.proof-file/1'),
  genesis: hexOf(MAX_GENESIS_BYTES),
  proof: hexOf(MAX_ITEM_BYTES),
})

export function proofFile(genesisBytes: Uint8Array, proof: Signed<'proof'>): ProofFile {
  return { schema: 'sgsd.proof-file/1', genesis: Buffer.from(genesisBytes).toString('hex'), proof: Buffer.from(proof.bytes).toString('hex') }
}

/**
 * Checks a proof with nothing but its file: both signatures, the path from the value to the claim's root, and the chunk itself, recomputed on the reference
 * kernel, some 20 ms.
 * @throws DaemonError PROOF_UNREADABLE for what is no proof file at all
 */
export function checkProofFile(text: string): ProofCheck {
  const { genesis: genesisHex, proof: proofHex } = readFile(text)
  const genesisBytes = Buffer.from(genesisHex, 'hex')
  const meshId = meshIdOf(genesisBytes)
  const genesis = parseGenesis(genesisBytes)
  if (genesis.type !== 'accept') return invalid(meshId, `its genesis document: ${genesis.reason}`)
  const opened = openItem(Buffer.from(proofHex, 'hex'), { meshId, verify: verifySignature })
  if (opened.type !== 'accept') return invalid(meshId, opened.reason)
  if (opened.value.kind !== 'proof') return invalid(meshId, `it is a ${opened.value.kind}, not a proof`)
  const proof = opened.value
  const document = proofDocument(genesis.value, proof, undefined)
  const fault = proofFault({ meshId, genesis: genesis.value }, proof.value)
  if (fault !== undefined) return { ...invalid(meshId, fault), proof: document }
  if (accusedOf(proof.value) === proof.value.author) return { ...invalid(meshId, 'the accuser and the accused are the same'), proof: document }
  const { colourKernel, colourSeed } = genesis.value
  const computed = chunkValue(colourKernel, colourSeed, absoluteChunk(genesis.value, proof.value.claim.value.epoch, proof.value.chunk))
  return {
    schema: 'sgsd.proof-check/1',
    verdict: computed === proof.value.value ? 'false' : 'fraud',
    why: '',
    meshId,
    proof: proofDocument(genesis.value, proof, computed),
  }
}

function readFile(text: string): ProofFile {
  try {
    return fileSchema.parse(JSON.parse(text))
  } catch (error) {
    const detail = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message
    throw new DaemonError('PROOF_UNREADABLE', `this is no proof file: ${detail}`, 'sgsd proof export <id> > proof.json writes one', { cause: error })
  }
}

function invalid(meshId: MeshId, why: string): ProofCheck {
  return { schema: 'sgsd.proof-check/1', verdict: 'invalid', why, meshId, proof: null }
}
