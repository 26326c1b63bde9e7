import type { BlockId } from '@sgsd/consensus'
import { type Body, encode, parse } from './body.ts'
import { hex, oneOf, safeInteger, tuple } from './fields.ts'
import { MAX_BLOCK_MESSAGE_BYTES } from './limits.ts'
import { accept, reject, type Verdict } from './verdict.ts'

/** Asks for a block's compressed bytes from `offset` on. docs/protocol.md §10.3 */
export interface BlockRequest {
  readonly id: BlockId
  readonly offset: number
}

/** `not-found`: not here; `busy`: ask again later; `bad-request`: the request was malformed. */
export type BlockRefusal = 'not-found' | 'busy' | 'bad-request'

/** The answer: the size of the whole compressed block, with the bytes from `offset` to follow; or a refusal. */
export type BlockHeader = { readonly size: number } | { readonly error: BlockRefusal }

const limits = { bytes: MAX_BLOCK_MESSAGE_BYTES, values: 4 }

const requestBody: Body<BlockRequest> = { limits, field: tuple<BlockRequest>({ id: hex(32), offset: safeInteger }) }

/** One form for both answers: [status, size], size 0 with a refusal. */
interface Answer {
  readonly status: 'ok' | BlockRefusal
  readonly size: number
}

const headerBody: Body<Answer> = { limits, field: tuple<Answer>({ status: oneOf('ok', 'not-found', 'busy', 'bad-request'), size: safeInteger }) }

export function encodeBlockRequest(request: BlockRequest): Uint8Array {
  return encode(requestBody, request)
}

export function parseBlockRequest(bytes: Uint8Array): Verdict<BlockRequest> {
  return parse(requestBody, bytes)
}

export function encodeBlockHeader(header: BlockHeader): Uint8Array {
  return encode(headerBody, 'error' in header ? { status: header.error, size: 0 } : { status: 'ok', size: header.size })
}

export function parseBlockHeader(bytes: Uint8Array): Verdict<BlockHeader> {
  const parsed = parse(headerBody, bytes)
  if (parsed.type !== 'accept') return parsed
  const { status, size } = parsed.value
  if (status !== 'ok' && size !== 0) return reject('a refusal with a size')
  return accept(status === 'ok' ? { size } : { error: status })
}
