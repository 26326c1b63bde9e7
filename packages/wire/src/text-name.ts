import { utf8ToBytes } from '@noble/hashes/utils.js'
import { type Field, Refusal } from './fields.ts'

/** UTF-8 bytes of a text's name. docs/protocol.md §8.6 */
export const MAX_TEXT_NAME_BYTES = 200

/**
 * Characters that a name must not have, by code point and not by a property that changes with Unicode's versions: controls, line and paragraph
 * separators, invisible and direction-changing marks, tags. What is left cannot fool a terminal, a log or a reader.
 */
const REFUSED = /[\u0000-\u001F\u007F-\u009F\u00AD\u061C\u180E\u200B-\u200F\u2028-\u202E\u2060-\u206F\uFEFF\uFFF9-\uFFFB\u{E0000}-\u{E0FFF}]/u

/** A text's name made fit for a lineage: refused characters become `_`, and what is too long loses its beginning, since files differ at the end. */
export function textName(raw: string): string {
  const characters = [...raw.toWellFormed().trim()].map((character) => (REFUSED.test(character) ? '_' : character))
  let size = characters.reduce((sum, character) => sum + utf8ToBytes(character).length, 0)
  let first = 0
  while (size > MAX_TEXT_NAME_BYTES) size -= utf8ToBytes(characters[first++]!).length
  return characters.slice(first).join('').trim() || 'text'
}

/** A text's name as its UTF-8 bytes. */
export const textNameField: Field<string> = {
  toWire: (name) => utf8ToBytes(name),
  fromWire: (raw) => {
    if (!(raw instanceof Uint8Array) || raw.length === 0 || raw.length > MAX_TEXT_NAME_BYTES) {
      return new Refusal(`does not have 1 to ${MAX_TEXT_NAME_BYTES} bytes`)
    }
    const name = decodeUtf8(raw)
    return name === undefined || REFUSED.test(name) ? new Refusal('is no printable UTF-8') : name
  },
}

/** Strict UTF-8; undefined for malformed bytes. */
function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return decodeURIComponent(Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''))
  } catch {
    return undefined
  }
}
