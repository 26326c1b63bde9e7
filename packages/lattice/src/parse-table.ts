import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import type { HanziKernel } from './hanzi-kernel.ts'
import { MAX_TABLE_BYTES, RADICALS, TABLE_HEADER_BYTES, TABLE_MAGIC } from './table-format.ts'
import { tokensOf } from './tokens.ts'
import { decodeUtf8 } from './utf8.ts'

/** Sections of a table whose lengths fit its size. */
interface Sections {
  readonly count: number
  readonly defined: number
  readonly gaps: Uint8Array
  readonly radicals: Uint8Array
  readonly strokes: Uint8Array
  readonly definitions: Uint8Array
  readonly readings: Uint8Array
}

interface Malformed {
  readonly error: string
}

/**
 * Reads a hanzi table, laid out as table-format.ts says.
 * @param bytes - the UNCOMPRESSED table; not kept, not modified
 * @returns the kernel, or what is wrong with the bytes; never throws
 */
export function parseHanziTable(bytes: Uint8Array): HanziKernel | Malformed {
  const sections = split(bytes)
  if ('error' in sections) return sections
  const codePoints = readCodePoints(sections)
  if ('error' in codePoints) return codePoints
  if (!sections.radicals.every((radical) => radical >= 1 && radical <= RADICALS)) return { error: 'a radical outside 1 … 214' }
  if (!sections.strokes.every((strokes) => strokes >= 1)) return { error: 'a character without strokes' }
  const definitions = readLines(sections.definitions, sections.defined)
  if (definitions === undefined || definitions.includes('')) return { error: 'the definitions do not match the header' }
  const readings = readLines(sections.readings, sections.count)
  if (readings === undefined) return { error: 'the readings do not match the header' }
  return kernelOf(bytesToHex(sha256(bytes)), sections, codePoints, definitions, readings)
}

function kernelOf(id: string, sections: Sections, codePoints: Uint32Array, definitions: readonly string[], readings: readonly string[]): HanziKernel {
  const { defined, radicals, strokes } = sections
  const rows = new Map<number, number>()
  codePoints.forEach((codePoint, row) => rows.set(codePoint, row))
  return {
    id,
    definedCount: defined,
    codePoints,
    radicals,
    strokes,
    rowOf: (character) => {
      const codePoint = character.codePointAt(0)
      if (codePoint === undefined || character.length !== (codePoint > 0xffff ? 2 : 1)) return undefined
      return rows.get(codePoint)
    },
    characterAt: (row) => String.fromCodePoint(codePoints[row] ?? 0xfffd),
    definitionOf: (row) => definitions[row] ?? '',
    readingOf: (row) => readings[row] ?? '',
    tokensOf: (row) => tokensOf(radicals[row] ?? 0, strokes[row] ?? 0, definitions[row] ?? ''),
  }
}

function split(bytes: Uint8Array): Sections | Malformed {
  if (bytes.length < TABLE_HEADER_BYTES || bytes.length > MAX_TABLE_BYTES) return { error: `${bytes.length} bytes are no hanzi table` }
  if (!TABLE_MAGIC.every((byte, at) => bytes[at] === byte)) return { error: 'not a hanzi table, or of another version' }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const [count, defined, gapBytes, definitionBytes, readingBytes] = [8, 12, 16, 20, 24].map((at) => view.getUint32(at, true)) as [
    number,
    number,
    number,
    number,
    number,
  ]
  if (defined > count) return { error: `${defined} of ${count} characters defined` }
  const expected = TABLE_HEADER_BYTES + gapBytes + 2 * count + definitionBytes + readingBytes
  if (bytes.length !== expected) return { error: `${bytes.length} bytes where the header promises ${expected}` }
  let at = TABLE_HEADER_BYTES
  const take = (length: number): Uint8Array => bytes.slice(at, (at += length))
  return {
    count,
    defined,
    gaps: take(gapBytes),
    radicals: take(count),
    strokes: take(count),
    definitions: take(definitionBytes),
    readings: take(readingBytes),
  }
}

function readCodePoints({ gaps, count, defined }: Sections): Uint32Array | Malformed {
  const codePoints = new Uint32Array(count)
  let at = 0
  let previous = -1
  for (let row = 0; row < count; row++) {
    if (row === defined) previous = -1
    let gap = 0
    for (let shift = 0; ; shift += 7) {
      const byte = gaps[at++]
      if (byte === undefined || shift > 14) return { error: 'the code points do not match the header' }
      gap |= (byte & 127) << shift
      if (byte < 128) {
        if (byte === 0 && shift > 0) return { error: 'a code-point gap is not in its shortest form' }
        break
      }
    }
    previous += gap + 1
    if (previous > 0x10_ffff || (previous >= 0xd800 && previous <= 0xdfff)) return { error: 'a code point outside Unicode' }
    codePoints[row] = previous
  }
  if (at !== gaps.length) return { error: 'the code points do not match the header' }
  if (new Set(codePoints).size !== count) return { error: 'a character stands in both groups' }
  return codePoints
}

/** @returns the lines, or undefined unless there are exactly `count`, each ended by a line feed */
function readLines(bytes: Uint8Array, count: number): readonly string[] | undefined {
  const text = decodeUtf8(bytes)
  if (text === undefined || (text !== '' && !text.endsWith('\n'))) return undefined
  const lines = text === '' ? [] : text.slice(0, -1).split('\n')
  return lines.length === count ? lines : undefined
}
