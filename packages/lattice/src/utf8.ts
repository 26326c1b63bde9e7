/** Longest piece handed to String.fromCharCode at once: engines bound the number of arguments. */
const PIECE = 8_192

/** Decodes strict UTF-8: no overlong forms, surrogates or truncated characters. @returns undefined for malformed bytes */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  const units = new Uint16Array(bytes.length)
  let length = 0
  for (let at = 0; at < bytes.length;) {
    const first = bytes[at]!
    if (first < 0x80) {
      units[length++] = first
      at++
      continue
    }
    const size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
    if (first < 0xc2 || first > 0xf4 || at + size > bytes.length) return undefined
    let code = first & (0xff >> (size + 1))
    for (let next = at + 1; next < at + size; next++) {
      const byte = bytes[next]!
      if ((byte & 0xc0) !== 0x80) return undefined
      code = (code << 6) | (byte & 0x3f)
    }
    const smallest = size === 2 ? 0x80 : size === 3 ? 0x800 : 0x1_0000
    if (code < smallest || code > 0x10_ffff || (code >= 0xd800 && code <= 0xdfff)) return undefined
    if (code < 0x1_0000) {
      units[length++] = code
    } else {
      units[length++] = 0xd7c0 + (code >> 10)
      units[length++] = 0xdc00 | (code & 0x3ff)
    }
    at += size
  }
  let text = ''
  for (let at = 0; at < length; at += PIECE) text += String.fromCharCode(...units.subarray(at, Math.min(at + PIECE, length)))
  return text
}
