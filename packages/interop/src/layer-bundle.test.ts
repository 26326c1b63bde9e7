import { MAX_ITEM_BYTES, parseManifest } from '@sgsd/wire'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { layer, packed } from './layer.fixture.ts'
import { bundleFault, encodeLayerBundle, type LayerBundle, splitLayerBundle } from './layer-bundle.ts'
import { mutated } from './tensors.fixture.ts'

function split(bytes: Uint8Array): LayerBundle {
  const verdict = splitLayerBundle(bytes)
  if (verdict.type !== 'accept') throw new Error(verdict.reason)
  return verdict.value
}

const EMPTY = packed('hebb', []).bytes

describe('a portable layer', () => {
  test('comes apart as it was put together, and is what its manifest names', () => {
    fc.assert(
      fc.property(layer, ({ bytes, blocks }) => {
        const bundle = split(bytes)
        expect(bundle.blocks).toEqual(blocks)
        expect(bundleFault(bundle)).toBeUndefined()
      }),
    )
  })

  test('with any change is refused, or another layer, or one with a fault: never the same one', () => {
    fc.assert(
      fc.property(
        layer.chain(({ bytes }) => fc.tuple(fc.constant(bytes), mutated(bytes))),
        ([bytes, changed]) => {
          fc.pre(!Buffer.from(bytes).equals(changed))
          const verdict = splitLayerBundle(changed)
          if (verdict.type !== 'accept' || bundleFault(verdict.value) !== undefined) return
          const before = split(bytes)
          const { head, record, voucher } = verdict.value
          // the envelopes are their signatures' to protect
          const same = [head, record, voucher].every((part) => part.length === 0)
          if (same) expect(verdict.value.layer).not.toBe(before.layer)
        },
      ),
      { numRuns: 1_000 },
    )
  })

  test.each([
    ['nothing', new Uint8Array(0)],
    ['another magic', Uint8Array.from(EMPTY, (byte, i) => (i === 3 ? 0x43 : byte))],
    ['another version', Uint8Array.from(EMPTY, (byte, i) => (i === 4 ? 2 : byte))],
    ['parts without end', Uint8Array.from(EMPTY, (byte, i) => (i === 10 ? 1 : byte))],
    ['five parts', Uint8Array.from(EMPTY, (byte, i) => (i === 8 ? 5 : byte))],
    ['a part of 4 GiB', Uint8Array.from(EMPTY, (byte, i) => (i >= 12 && i < 16 ? 0xff : byte))],
    ['its end cut off', EMPTY.subarray(0, -1)],
    ['a byte behind its end', Uint8Array.of(...EMPTY, 0)],
  ])('with %s is refused', (_, bytes) => {
    expect(splitLayerBundle(bytes).type).toBe('reject')
  })

  test('with an envelope that no message could hold, or blocks that the manifest does not name, is refused', () => {
    const bundle = split(EMPTY)
    const manifest = EMPTY.subarray(12 + 3 * 4 + 4, 12 + 3 * 4 + 4 + new DataView(EMPTY.buffer).getUint32(24, true))
    expect(parseManifest(manifest).type).toBe('accept')
    expect(encodeLayerBundle({ ...bundle, manifest })).toEqual(EMPTY)
    expect(splitLayerBundle(encodeLayerBundle({ ...bundle, manifest, head: new Uint8Array(MAX_ITEM_BYTES + 1) })).type).toBe('reject')
    expect(splitLayerBundle(encodeLayerBundle({ ...bundle, manifest, blocks: [new Uint8Array(4)] })).type).toBe('reject')
  })

  test('of a wrong block names it', () => {
    const bundle = split(packed('hebb', []).bytes)
    expect(bundleFault({ ...bundle, state: new Uint8Array(3) })).toBe('the state is not what the manifest names')
    expect(bundleFault({ ...bundle, lineage: new Uint8Array(3) })).toBe('the lineage is not what the manifest names')
  })
})
