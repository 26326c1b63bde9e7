import { type Body, encode, parse } from './body.ts'
import { binary, oneOf, safeInteger, tuple } from './fields.ts'
import { MAX_ADMISSION_BYTES, MAX_GENESIS_BYTES } from './limits.ts'
import { accept, reject, type Verdict } from './verdict.ts'

/** Why an invite lets nobody in any more, or not this one; `excluded`: the mesh has revoked who asks. */
export type InviteRefusal = 'expired' | 'used' | 'revoked' | 'excluded'

/**
 * What the holder of an invite gets: the founding document and, in a mesh that has one, the mesh key; or why not, and for how long that has been so.
 * docs/protocol.md §11.3
 */
export type InviteAnswer =
  | { readonly granted: true; readonly genesis: Uint8Array; readonly meshKey: Uint8Array | undefined }
  | { readonly granted: false; readonly why: InviteRefusal; readonly agoMs: number }

/** One form for both. */
interface Answer {
  readonly status: 'granted' | InviteRefusal
  readonly agoMs: number
  readonly genesis: Uint8Array
  readonly meshKey: Uint8Array
}

const KEY_BYTES = 32
const NOTHING = new Uint8Array()

const answerBody: Body<Answer> = {
  limits: { bytes: MAX_ADMISSION_BYTES, values: 5 },
  field: tuple<Answer>({
    status: oneOf('granted', 'expired', 'used', 'revoked', 'excluded'),
    agoMs: safeInteger,
    genesis: binary(MAX_GENESIS_BYTES),
    meshKey: binary(KEY_BYTES),
  }),
}

export function encodeInviteAnswer(answer: InviteAnswer): Uint8Array {
  if (!answer.granted) return encode(answerBody, { status: answer.why, agoMs: answer.agoMs, genesis: NOTHING, meshKey: NOTHING })
  return encode(answerBody, { status: 'granted', agoMs: 0, genesis: answer.genesis, meshKey: answer.meshKey ?? NOTHING })
}

/** Total. @returns byte strings of their own memory */
export function parseInviteAnswer(bytes: Uint8Array): Verdict<InviteAnswer> {
  const parsed = parse(answerBody, bytes)
  if (parsed.type !== 'accept') return parsed
  const { status, agoMs, genesis, meshKey } = parsed.value
  if (status !== 'granted') {
    return genesis.length + meshKey.length === 0 ? accept({ granted: false, why: status, agoMs }) : reject('a refusal with a genesis or a key')
  }
  if (agoMs !== 0 || genesis.length === 0) return reject('a grant without a genesis, or with a time')
  if (meshKey.length !== 0 && meshKey.length !== KEY_BYTES) return reject(`a mesh key of ${meshKey.length} bytes`)
  return accept({ granted: true, genesis: genesis.slice(), meshKey: meshKey.length === 0 ? undefined : meshKey.slice() })
}
