import { utf8ToBytes } from '@noble/hashes/utils.js'

const OFFSET_BASIS = 0xcbf29ce484222325n
const PRIME = 0x100000001b3n

/** FNV-1a, 64 bits, over the UTF-8 bytes of a name. For display order and published host ranges; not collision-proof. */
export function fnv1a64(text: string): bigint {
  let hash = OFFSET_BASIS
  for (const byte of utf8ToBytes(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * PRIME)
  return hash
}
