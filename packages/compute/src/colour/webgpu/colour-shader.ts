import { type ColourKernelId, GOLDEN, M1, M2 } from '@sgsd/color'

/** Invocations of a workgroup: the most that every WebGPU device grants. */
export const LANES = 256

/** Colours that an invocation computes in a turn of its loop: enough to hide what the loop itself costs. */
const UNROLLED = 8

/** Bytes of the uniform `Sweep`. */
export const SWEEP_BYTES = 32

export interface ShaderOptions {
  /** Whether the device has the feature `subgroups`: lanes then exchange values in registers. */
  readonly subgroups: boolean
}

/**
 * A WGSL module whose entry point `main` computes one tile of a run in each workgroup: lane l takes the indices l, l + 256, … of
 * the tile, so each lane steps by a constant, and the lanes' XORs are combined once at the end. The finaliser's last step,
 * z ^ z ≫ s, distributes over XOR and is done there too.
 *
 * Binding 0 is the uniform `Sweep`, binding 1 an array of one u64 per tile, as (low, high).
 */
export function colourShader(kernel: ColourKernelId, { subgroups }: ShaderOptions): string {
  const { type, zero, functions, z0, mix, advance, fold, asPair, loaded } = kernel === 'spi64' ? SPI64 : TURBO32
  const mixes = Array.from({ length: UNROLLED }, (_, place) => `    xor ^= ${mix(place)};`).join('\n')
  return `${subgroups ? 'enable subgroups;\n' : ''}
struct Sweep {
  base: vec2u,         // seed + (start + 1) * GOLDEN, low and high half
  length: u32,         // colours of a run
  tile: u32,           // colours of a tile; the last of a run may have fewer
  tilesPerRun: u32,
}
@group(0) @binding(0) var<uniform> sweep: Sweep;
@group(0) @binding(1) var<storage, read_write> xors: array<vec2u>;
${subgroups ? 'var<workgroup> total: array<atomic<u32>, 2>;' : `var<workgroup> partial: array<${type}, ${LANES}>;`}

${functions}
@compute @workgroup_size(${LANES})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let run = group.x / sweep.tilesPerRun;
  let first = (group.x % sweep.tilesPerRun) * sweep.tile + lane;
  let end = min(first - lane + sweep.tile, sweep.length);
  var left = select(0u, (end - first + ${LANES - 1}u) / ${LANES}u, first < end);
  var z = ${z0};
  var xor = ${zero};
  for (; left >= ${UNROLLED}u; left -= ${UNROLLED}u) {
${mixes}
    z = ${advance(UNROLLED)};
  }
  for (; left > 0u; left--) {
    xor ^= ${mix(0)};
    z = ${advance(1)};
  }
${subgroups ? bySubgroup(asPair) : BY_TREE}
  if (lane == 0u) {
    let whole = ${subgroups ? loaded : 'partial[0]'};
    xors[group.x] = ${fold};
  }
}
`
}

/** What differs between the kernels; each text is a WGSL expression. */
interface KernelText {
  readonly type: 'u32' | 'vec2u'
  readonly zero: string
  readonly functions: string
  /** The state of index `first` of run `run`. */
  readonly z0: string
  /** The finaliser but for its last step, of the state `place` steps of this lane after z. */
  readonly mix: (place: number) => string
  /** The state `places` steps after z. */
  readonly advance: (places: number) => string
  /** The finaliser's last step on `whole`, as (low, high). */
  readonly fold: string
  /** `xor` as (low, high). */
  readonly asPair: string
  /** `total` read back. */
  readonly loaded: string
}

const TURBO32: KernelText = {
  type: 'u32',
  zero: '0u',
  functions: `fn mixed(state: u32) -> u32 {
  let a = (state ^ (state >> 15u)) * ${u32(M1)};
  return (a ^ (a >> 13u)) * ${u32(M2)};
}
`,
  z0: `sweep.base.x + (run * sweep.length + first) * ${u32(GOLDEN)}`,
  mix: (place) => (place === 0 ? 'mixed(z)' : `mixed(z + ${u32(BigInt(place * LANES) * GOLDEN)})`),
  advance: (places) => `z + ${u32(BigInt(places * LANES) * GOLDEN)}`,
  fold: 'vec2u(whole ^ (whole >> 16u), 0u)',
  asPair: 'vec2u(xor, 0u)',
  loaded: 'atomicLoad(&total[0])',
}

const SPI64: KernelText = {
  type: 'vec2u',
  zero: 'vec2u()',
  functions: `fn plus(a: vec2u, b: vec2u) -> vec2u {
  let low = a.x + b.x;
  return vec2u(low, a.y + b.y + select(0u, 1u, low < b.x));
}
${times('timesM1', M1)}
${times('timesM2', M2)}
${times('timesGolden', GOLDEN)}
// a * b in full, of 32 bits each
fn product(a: u32, b: u32) -> vec2u {
  let middle = (a >> 16u) * (b & 0xffffu) + (((a & 0xffffu) * (b & 0xffffu)) >> 16u);
  let other = (a & 0xffffu) * (b >> 16u) + (middle & 0xffffu);
  return vec2u(a * b, (a >> 16u) * (b >> 16u) + (middle >> 16u) + (other >> 16u));
}
fn mixed(state: vec2u) -> vec2u {
  let a = timesM1(vec2u(state.x ^ ((state.x >> 30u) | (state.y << 2u)), state.y ^ (state.y >> 30u)));
  return timesM2(vec2u(a.x ^ ((a.x >> 27u) | (a.y << 5u)), a.y ^ (a.y >> 27u)));
}
`,
  z0: 'plus(sweep.base, timesGolden(plus(product(run, sweep.length), vec2u(first, 0u))))',
  mix: (place) => (place === 0 ? 'mixed(z)' : `mixed(plus(z, ${pair(BigInt(place * LANES) * GOLDEN)}))`),
  advance: (places) => `plus(z, ${pair(BigInt(places * LANES) * GOLDEN)})`,
  fold: 'vec2u(whole.x ^ ((whole.x >> 31u) | (whole.y << 1u)), whole.y ^ (whole.y >> 31u))',
  asPair: 'xor',
  loaded: 'vec2u(atomicLoad(&total[0]), atomicLoad(&total[1]))',
}

/**
 * A function of one u64 that multiplies it by a constant. WGSL has no high half of a product: it is put together of four products of
 * 16-bit halves, none of which overflows with what is added to it: (2^16 − 1)^2 + 2^16 − 1 < 2^32.
 */
function times(name: string, factor: bigint): string {
  const [c0, c1] = [u32(factor & 0xffffn), u32((factor >> 16n) & 0xffffn)]
  return `fn ${name}(a: vec2u) -> vec2u {
  let a0 = a.x & 0xffffu;
  let a1 = a.x >> 16u;
  let middle = a1 * ${c0} + ((a0 * ${c0}) >> 16u);
  let other = a0 * ${c1} + (middle & 0xffffu);
  return vec2u(a.x * ${u32(factor)}, a1 * ${c1} + (middle >> 16u) + (other >> 16u) + a.x * ${u32(factor >> 32n)} + a.y * ${u32(factor)});
}`
}

function bySubgroup(asPair: string): string {
  return `  let combined = subgroupXor(${asPair});
  if (subgroupElect()) {
    atomicXor(&total[0], combined.x);
    atomicXor(&total[1], combined.y);
  }
  workgroupBarrier();`
}

const BY_TREE = `  partial[lane] = xor;
  workgroupBarrier();
  for (var half = ${LANES / 2}u; half > 0u; half >>= 1u) {
    if (lane < half) { partial[lane] ^= partial[lane + half]; }
    workgroupBarrier();
  }`

/** The low 32 bits as a WGSL literal. */
function u32(value: bigint): string {
  return `0x${BigInt.asUintN(32, value).toString(16)}u`
}

/** A u64 as a WGSL vector, low half first. */
function pair(value: bigint): string {
  return `vec2u(${u32(value)}, ${u32(value >> 32n)})`
}
