import { U64_MASK } from './constants.ts'

/** A 64-bit number as everything that people and programs read shows it: `0x` and 16 digits. */
export function hex64(x: bigint): string {
  return `0x${(x & U64_MASK).toString(16).padStart(16, '0')}`
}
