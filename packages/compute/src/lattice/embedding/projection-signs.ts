import { GOLDEN, mixWord } from '@sgsd/color'
import type { SignWords } from '@sgsd/lattice'

/** Seed of the projection: `sgs-embe` in ASCII. */
export const PROJECTION_SEED = 0x7367_732d_656d_6265n

/** Blocks of 64 signs that a row has. */
const BLOCKS_PER_ROW = 64

const SEED_HI = Number(PROJECTION_SEED >> 32n)
const SEED_LO = Number(PROJECTION_SEED & 0xffff_ffffn)
const GOLDEN_HI = Number(GOLDEN >> 32n)
const GOLDEN_LO = Number(GOLDEN & 0xffff_ffffn)

const hi = new Int32Array(1)
const lo = new Int32Array(1)

/** Signs of a row are the bits of spi64(seed, 64·row + block). In halves: lattice rows are below 2^15, so products with an index are below 2^53. */
export const projectionSigns: SignWords = (row, block, out, at) => {
  const index = row * BLOCKS_PER_ROW + block
  const low = index * GOLDEN_LO + SEED_LO
  lo[0] = low % 2 ** 32
  hi[0] = (index * GOLDEN_HI + SEED_HI + Math.floor(low / 2 ** 32)) % 2 ** 32
  mixWord(hi, lo, 0)
  out[at] = lo[0]!
  out[at + 1] = hi[0]!
}
