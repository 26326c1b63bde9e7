// SHA-256 of a claim's Merkle leaves and nodes, four messages at a time: one 32-bit lane each. docs/protocol.md §7.2
// The host writes the template and the values into memory, calls, and reads the hashes back.

// prettier-ignore
const K: StaticArray<u32> = [
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74,
  0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d,
  0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e,
  0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5,
  0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]
const H: StaticArray<u32> = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19]

const BLOCK: usize = 64
const LANES: usize = 4
/** Message schedule: 64 words of four lanes. */
const W: usize = memory.data(1024, 16)
/** Running state: 8 words of four lanes. */
const S: usize = memory.data(128, 16)
/** State after the template's whole blocks. */
const MID: usize = memory.data(128, 16)
/** Last blocks of four messages, one behind the other: at most two each. */
const TAIL: usize = memory.data(512, 16)

/** First byte that the host may use. */
export function heapBase(): usize {
  return (__heap_base + 15) & ~15
}

// @ts-ignore: decorator
@inline
function rotr(x: v128, n: i32): v128 {
  return v128.or(i32x4.shr_u(x, n), i32x4.shl(x, 32 - n))
}

function begin(state: usize): void {
  for (let i: usize = 0; i < 8; i++) v128.store(state + i * 16, i32x4.splat(unchecked(H[<i32>i])))
}

/** One block of each of four messages, `stride` bytes apart. */
function compress(state: usize, blocks: usize, stride: usize): void {
  for (let i: usize = 0; i < 16; i++) {
    const at = blocks + i * 4
    let w = i32x4.splat(bswap(load<u32>(at)))
    w = i32x4.replace_lane(w, 1, bswap(load<u32>(at + stride)))
    w = i32x4.replace_lane(w, 2, bswap(load<u32>(at + 2 * stride)))
    w = i32x4.replace_lane(w, 3, bswap(load<u32>(at + 3 * stride)))
    v128.store(W + i * 16, w)
  }
  for (let i: usize = 16; i < 64; i++) {
    const at = W + i * 16
    const w15 = v128.load(at - 240)
    const w2 = v128.load(at - 32)
    const s0 = v128.xor(v128.xor(rotr(w15, 7), rotr(w15, 18)), i32x4.shr_u(w15, 3))
    const s1 = v128.xor(v128.xor(rotr(w2, 17), rotr(w2, 19)), i32x4.shr_u(w2, 10))
    v128.store(at, i32x4.add(i32x4.add(v128.load(at - 256), s0), i32x4.add(v128.load(at - 112), s1)))
  }
  let a = v128.load(state)
  let b = v128.load(state + 16)
  let c = v128.load(state + 32)
  let d = v128.load(state + 48)
  let e = v128.load(state + 64)
  let f = v128.load(state + 80)
  let g = v128.load(state + 96)
  let h = v128.load(state + 112)
  for (let i: usize = 0; i < 64; i++) {
    const sum1 = v128.xor(v128.xor(rotr(e, 6), rotr(e, 11)), rotr(e, 25))
    const choice = v128.bitselect(f, g, e)
    const t1 = i32x4.add(i32x4.add(i32x4.add(h, sum1), i32x4.add(choice, i32x4.splat(unchecked(K[<i32>i])))), v128.load(W + i * 16))
    const sum0 = v128.xor(v128.xor(rotr(a, 2), rotr(a, 13)), rotr(a, 22))
    const majority = v128.bitselect(v128.or(b, c), v128.and(b, c), a)
    h = g
    g = f
    f = e
    e = i32x4.add(d, t1)
    d = c
    c = b
    b = a
    a = i32x4.add(t1, i32x4.add(sum0, majority))
  }
  v128.store(state, i32x4.add(v128.load(state), a))
  v128.store(state + 16, i32x4.add(v128.load(state + 16), b))
  v128.store(state + 32, i32x4.add(v128.load(state + 32), c))
  v128.store(state + 48, i32x4.add(v128.load(state + 48), d))
  v128.store(state + 64, i32x4.add(v128.load(state + 64), e))
  v128.store(state + 80, i32x4.add(v128.load(state + 80), f))
  v128.store(state + 96, i32x4.add(v128.load(state + 96), g))
  v128.store(state + 112, i32x4.add(v128.load(state + 112), h))
}

/** The first `lanes` hashes of the state, one behind the other. */
function emit(state: usize, out: usize, lanes: usize): void {
  for (let i: usize = 0; i < 8; i++) {
    const word = v128.load(state + i * 16)
    store<u32>(out + i * 4, bswap(i32x4.extract_lane(word, 0)))
    if (lanes > 1) store<u32>(out + 32 + i * 4, bswap(i32x4.extract_lane(word, 1)))
    if (lanes > 2) store<u32>(out + 64 + i * 4, bswap(i32x4.extract_lane(word, 2)))
    if (lanes > 3) store<u32>(out + 96 + i * 4, bswap(i32x4.extract_lane(word, 3)))
  }
}

/** Padding behind a message of `length` bytes whose last blocks begin at `at`, of which `used` bytes are filled. */
function pad(at: usize, used: usize, size: usize, length: usize): void {
  memory.fill(at + used, 0, size - used)
  store<u8>(at + used, 0x80)
  store<u64>(at + size - 8, bswap(<u64>length * 8))
}

/**
 * Hashes of `count` leaves: prefix ‖ u64 start + i ‖ u64 value i, little-endian.
 * @param out - room for 32 · count bytes; 96 bytes behind it may be written too
 */
export function leaves(prefix: usize, prefixLength: usize, start: u64, values: usize, count: usize, out: usize): void {
  begin(MID)
  const whole = prefixLength / BLOCK
  for (let i: usize = 0; i < whole; i++) compress(MID, prefix + i * BLOCK, 0)
  const rest = prefixLength - whole * BLOCK
  const size: usize = rest + 16 + 9 <= BLOCK ? BLOCK : 2 * BLOCK
  for (let lane: usize = 0; lane < LANES; lane++) {
    const at = TAIL + lane * size
    memory.copy(at, prefix + whole * BLOCK, rest)
    pad(at, rest + 16, size, prefixLength + 16)
  }
  for (let i: usize = 0; i < count; i += LANES) {
    const lanes = min(LANES, count - i)
    for (let lane: usize = 0; lane < lanes; lane++) {
      const at = TAIL + lane * size + rest
      store<u64>(at, start + <u64>(i + lane))
      store<u64>(at + 8, load<u64>(values + (i + lane) * 8))
    }
    memory.copy(S, MID, 128)
    compress(S, TAIL, size)
    if (size > BLOCK) compress(S, TAIL + BLOCK, size)
    emit(S, out + i * 32, lanes)
  }
}

/**
 * Next level of the tree: SHA-256("sgs-node" ‖ left ‖ right) of each pair, a last hash without a partner unchanged.
 * `out` may be `level` itself: a node lies before its children.
 * @returns hashes in the new level
 */
export function parents(level: usize, width: usize, out: usize): usize {
  const pairs = width >> 1
  const size: usize = 2 * BLOCK
  for (let lane: usize = 0; lane < LANES; lane++) {
    const at = TAIL + lane * size
    store<u64>(at, 0x65646f6e2d736773)
    pad(at, 72, size, 72)
  }
  for (let i: usize = 0; i < pairs; i += LANES) {
    const lanes = min(LANES, pairs - i)
    for (let lane: usize = 0; lane < lanes; lane++) memory.copy(TAIL + lane * size + 8, level + (i + lane) * 64, 64)
    begin(S)
    compress(S, TAIL, size)
    compress(S, TAIL + BLOCK, size)
    emit(S, out + i * 32, lanes)
  }
  if (width & 1) memory.copy(out + pairs * 32, level + (width - 1) * 32, 32)
  return pairs + (width & 1)
}
