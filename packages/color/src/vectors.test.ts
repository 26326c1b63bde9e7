import { describe, expect, test } from 'vitest'
import {
  ansiBlock,
  chainAt,
  chainFrom,
  checkpoints,
  colourAt,
  combineFingerprints,
  composeXor,
  deriveChain,
  fnv1a64,
  hex64,
  IHOR,
  makeBundle,
  mix,
  parallelChains,
  type Polarity,
  rangeFingerprint,
  rangeXor,
  rgb,
  splitRange,
  spi64,
  triadic,
  turbo32,
  twistSeed,
} from './index.ts'
import vectors from './vectors/color.json' with { type: 'json' }

/** Published figures and values computed from the published formulas; numbers above 2^53 are strings. */
describe('vectors', () => {
  test.each(vectors.fnv1a_64)('fnv1a64($s)', ({ s, h }) => {
    expect(hex64(fnv1a64(s))).toBe(h)
  })

  test.each(vectors.mix)('mix($x)', ({ x, y }) => {
    expect(hex64(mix(BigInt(x)))).toBe(y)
  })

  test.each(vectors.color_at)('spi64($seed, $i)', ({ seed, i, c, rgb: seen }) => {
    expect(hex64(spi64(BigInt(seed), BigInt(i)))).toBe(c)
    expect(rgb(BigInt(c))).toEqual(seen)
  })

  test.each(vectors.color_at_range_xor64)('spi64 XOR of $count from $start, seed $seed', ({ seed, start, count, xor }) => {
    expect(hex64(rangeXor('spi64', BigInt(seed), BigInt(start), BigInt(count)))).toBe(xor)
  })

  test.each(vectors.derive_chain)('chain of $seed', ({ seed, chain, at_1000: at }) => {
    expect(deriveChain(BigInt(seed), chain.length).map(hex64)).toEqual(chain)
    expect(hex64(chainAt(BigInt(seed), 1000))).toBe(at)
  })

  test.each(vectors.k32_scalar)('turbo32($seed, $i)', ({ seed, i, c }) => {
    expect(turbo32(BigInt(seed), BigInt(i))).toBe(BigInt(c))
    expect(colourAt('turbo32', BigInt(seed), BigInt(i))).toBe(BigInt(c))
  })

  test.each(vectors.k32_range)('turbo32 XOR of $count from $start, seed $seed', ({ seed, start, count, xor, fp }) => {
    expect(rangeXor('turbo32', BigInt(seed), BigInt(start), BigInt(count))).toBe(BigInt(xor))
    expect(hex64(rangeFingerprint('turbo32', BigInt(seed), BigInt(start), BigInt(count)))).toBe(fp)
  })

  test('the published figure: 5·10^8 turbo32 colours of seed 7202985', () => {
    const { seed, count, fp } = vectors.k32_500M
    expect(rangeFingerprint('turbo32', BigInt(seed), 0n, BigInt(count))).toBe(BigInt(fp))
  })

  test.each(vectors.transducer_split)('$n split into $k', ({ n, k, ranges }) => {
    expect(splitRange({ start: 0n, count: BigInt(n) }, k).map(({ start, count }) => [Number(start), Number(count)])).toEqual(ranges)
  })

  test.each(vectors.triadic_numpy_spi)(
    'triadic, $n_per_polarity per polarity of $seed',
    ({ seed, n_per_polarity: n, published_constants: published, true_splitmix64: canonical }) => {
      const p = triadic(BigInt(seed), n, 'published')
      expect([p.fingerprints.map(hex64), hex64(p.xor)]).toEqual([published.fps, published.xor])
      const c = triadic(BigInt(seed), n, 'canonical')
      expect([c.fingerprints.map(hex64), hex64(c.xor)]).toEqual([canonical.fps, canonical.xor])
    },
  )

  test('the published triadic figure, and what it is with the true constants', () => {
    expect(triadic(IHOR, 100_000, 'published').xor).toBe(0x4815e08adab9dcfen)
    expect(triadic(IHOR, 100_000, 'canonical').xor).toBe(0x9821d39023fdf7c8n)
  })

  test.each(vectors.cpu_staggered)('stagger: $n colours of polarity $polarity', ({ seed, polarity, n, fp }) => {
    const twisted = twistSeed(BigInt(seed), polarity as Polarity)
    expect(hex64(rangeFingerprint('spi64', twisted, BigInt(polarity), BigInt(n), 3n))).toBe(fp)
  })

  test.each(vectors.make_bundle)('bundle of $total', ({ seed, ranges, total }) => {
    const bundle = makeBundle(
      BigInt(seed),
      ranges.map(({ host }) => host),
      BigInt(total),
    )
    expect(bundle.ranges.map((range) => ({ ...range, start: Number(range.start), count: Number(range.count) }))).toEqual(ranges)
    expect(bundle).toMatchObject({ seed: BigInt(seed), total: BigInt(total), expectedXor: undefined })
  })

  test('parts of a bundle combine to the whole, for odd and even numbers of hosts', () => {
    const { single, three_hosts: three, two_hosts: two } = vectors.bundle_combine
    expect(hex64(composeXor(three.fps.map(BigInt)))).toBe(three.xor)
    expect(hex64(combineFingerprints(IHOR, three.fps.map(BigInt)))).toBe(single)
    expect(hex64(composeXor(two.fps.map(BigInt)))).toBe(two.xor)
    expect(hex64(combineFingerprints(IHOR, two.fps.map(BigInt)))).toBe(two.xor_with_seed)
    expect(two.xor_with_seed).toBe(single)
  })

  test.each(vectors.chain_from)('chain of $length from $start', ({ seed, start, length, fp, last }) => {
    const chain = chainFrom(BigInt(seed), BigInt(start), length)
    expect([hex64(chain.fingerprint), hex64(chain.last)]).toEqual([fp, last])
  })

  test('parallel chains', () => {
    const { seed, n, length, combined, fps } = vectors.parallel_chains
    const result = parallelChains(BigInt(seed), n, length)
    expect(result.chains.map(({ fingerprint }) => hex64(fingerprint))).toEqual(fps)
    expect(hex64(result.combined)).toBe(combined)
  })

  test('checkpoints of four chains of 1000', () => {
    const places = checkpoints(4, 1000).map(({ at, chain, index }) => [at, chain, index])
    expect(places).toHaveLength(8)
    for (const place of vectors.checkpoint_indices) expect(places).toContainEqual(place)
  })

  test.each(vectors.show_color)('block of $h', ({ h, ansi }) => {
    expect(ansiBlock(BigInt(h))).toBe(ansi)
  })
})
