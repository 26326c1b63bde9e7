import { addAddress, addressOf, addressOfBytes, emptySet, type HllSet } from '../hll-set.ts'
import { MAX_TOKEN_UNITS, type TokenKind, type TokenStream, tokenStream } from './token-stream.ts'

/** Tokens whose addresses are remembered: those of one UTF-16 unit, so every character of the Basic Multilingual Plane. */
const REMEMBERED = 0x1_0000
const UNKNOWN = 0xffff

/**
 * Makes the sketch of a text that comes in pieces, of any length: memory is that of one piece, one token and 300 KB.
 * Law: however the text is cut into pieces, the set is `setOf(tokenise(text, kind), seed)`.
 */
export class SetBuilder implements TokenStream {
  readonly #set: HllSet
  readonly #stream: TokenStream
  /** Address of each one-unit token, or UNKNOWN. */
  readonly #addresses = new Uint16Array(REMEMBERED).fill(UNKNOWN)
  /** UTF-8 of the token at hand. A unit takes 3 bytes at most: the 4 of an astral character are those of two units. */
  readonly #bytes = new Uint8Array(MAX_TOKEN_UNITS * 3)
  #tokens = 0

  /** @param seed - 0, or above the length of any token (see `addressOf`) */
  constructor(kind: TokenKind, seed = 0) {
    this.#set = emptySet(seed)
    this.#stream = tokenStream(kind, (token) => this.#add(token))
  }

  /** Tokens so far, repeated ones counted again; one that is unfinished not yet. */
  get tokens(): number {
    return this.#tokens
  }

  push(text: string): void {
    this.#stream.push(text)
  }

  end(): void {
    this.#stream.end()
  }

  /** The set so far; the builder goes on filling it. */
  get set(): HllSet {
    return this.#set
  }

  #add(token: string): void {
    this.#tokens++
    if (token.length > 1) return addAddress(this.#set, addressOfBytes(this.#bytes, encode(token, this.#bytes), this.#set.seed))
    const unit = token.charCodeAt(0)
    let address = this.#addresses[unit]!
    if (address === UNKNOWN) {
      address = addressOf(token, this.#set.seed)
      this.#addresses[unit] = address
    }
    addAddress(this.#set, address)
  }
}

/** Writes UTF-8, U+FFFD for lone surrogates. @returns the number of bytes */
function encode(token: string, bytes: Uint8Array): number {
  let length = 0
  for (let at = 0; at < token.length; at++) {
    let code = token.charCodeAt(at)
    if (code < 0x80) {
      bytes[length++] = code
      continue
    }
    if (code >= 0xd800 && code < 0xe000) {
      code = token.codePointAt(at)!
      if (code > 0xffff) at++
      else code = 0xfffd
    }
    if (code < 0x800) bytes[length++] = 0xc0 | (code >> 6)
    else {
      if (code < 0x1_0000) bytes[length++] = 0xe0 | (code >> 12)
      else {
        bytes[length++] = 0xf0 | (code >> 18)
        bytes[length++] = 0x80 | ((code >> 12) & 0x3f)
      }
      bytes[length++] = 0x80 | ((code >> 6) & 0x3f)
    }
    bytes[length++] = 0x80 | (code & 0x3f)
  }
  return length
}
