import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mutated } from './tensors.fixture.ts'
import { readZip, writeZip, type ZipEntry } from './zip.ts'

const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value))
const ENTRIES: readonly ZipEntry[] = [
  { name: 'a/one', bytes: text('eins') },
  { name: 'a/two', bytes: text('zwei!') },
]
const ARCHIVE = writeZip(ENTRIES)
/** Offsets of the first entry's central header, and of the end record. */
const END = ARCHIVE.length - 22
const CENTRAL = new DataView(ARCHIVE.buffer).getUint32(END + 16, true)
const SECOND = CENTRAL + 46 + 'a/one'.length

/** The archive with little-endian numbers put in place of what was there. */
function withNumbers(...changes: readonly (readonly [at: number, width: 2 | 4, value: number])[]): Uint8Array {
  const bytes = new Uint8Array(ARCHIVE)
  const view = new DataView(bytes.buffer)
  for (const [at, width, value] of changes) {
    if (width === 2) view.setUint16(at, value, true)
    else view.setUint32(at, value, true)
  }
  return bytes
}

function named(name: string): Uint8Array {
  return writeZip([{ name, bytes: text('x') }])
}

test('entries come back', () => {
  const entry = fc.record({ name: fc.stringMatching(/^[a-z字]{1,9}(\/[a-z]{1,3}){0,2}$/u), bytes: fc.uint8Array({ maxLength: 200 }) })
  fc.assert(
    fc.property(fc.uniqueArray(entry, { maxLength: 9, selector: ({ name }) => name }), (entries) => {
      expect(readZip(writeZip(entries))).toEqual({ type: 'accept', value: new Map(entries.map(({ name, bytes }) => [name, bytes])) })
    }),
  )
})

test('another program reads it too', () => {
  const dir = mkdtempSync(join(tmpdir(), 'sgsd-zip-'))
  try {
    writeFileSync(join(dir, 'x.zip'), ARCHIVE)
    const program = 'import zipfile,sys; z=zipfile.ZipFile(sys.argv[1]); print(z.testzip(), z.namelist(), z.read("a/two"))'
    const ran = spawnSync('python3', ['-c', program, join(dir, 'x.zip')], { encoding: 'utf8' })
    if (ran.error === undefined) expect(ran.stdout.trim()).toBe(`None ['a/one', 'a/two'] b'zwei!'`)
  } finally {
    rmSync(dir, { recursive: true })
  }
})

describe('refused', () => {
  test.each([
    ['an entry that is compressed', withNumbers([CENTRAL + 10, 2, 8], [8, 2, 8])],
    ['a size that differs from what is stored: a bomb', withNumbers([CENTRAL + 24, 4, 0xffff_ffff])],
    ['sizes past the end', withNumbers([CENTRAL + 20, 4, 0x7fff_ffff], [CENTRAL + 24, 4, 0x7fff_ffff])],
    ['sizes of zip64', withNumbers([CENTRAL + 20, 4, 0xffff_ffff], [CENTRAL + 24, 4, 0xffff_ffff])],
    ['a place of zip64', withNumbers([CENTRAL + 42, 4, 0xffff_ffff])],
    ['two entries at one place', withNumbers([SECOND + 42, 4, 0])],
    ['an encrypted entry', withNumbers([CENTRAL + 8, 2, 1], [6, 2, 1])],
    ['headers that differ in their flags', withNumbers([CENTRAL + 8, 2, 0])],
    ['headers that differ in their size', withNumbers([18, 4, 3])],
    ['a wrong CRC', withNumbers([CENTRAL + 16, 4, 1], [14, 4, 1])],
    ['an entry on another disk', withNumbers([CENTRAL + 34, 2, 1])],
    ['a local header that is none', withNumbers([0, 4, 0])],
    ['a directory that begins elsewhere', withNumbers([END + 16, 4, CENTRAL + 1])],
    ['a directory before the file', withNumbers([END + 12, 4, 0xffff_ffff])],
    ['one entry less than there is', withNumbers([END + 8, 2, 1], [END + 10, 2, 1])],
    ['one entry more than there is', withNumbers([END + 8, 2, 3], [END + 10, 2, 3])],
    ['65,535 entries', withNumbers([END + 8, 2, 0xffff], [END + 10, 2, 0xffff])],
    ['bytes behind the end', Uint8Array.of(...ARCHIVE, 0)],
    ['a comment', Uint8Array.of(...withNumbers([END + 20, 2, 1]), 0)],
    ['nothing', new Uint8Array(0)],
  ])('%s', (_, bytes) => {
    expect(readZip(bytes).type).toBe('reject')
  })

  test.each(['../x', 'a/../x', '/x', 'a//x', './x', 'a\\x', 'c:x', 'a/', '', 'a\u0000b', 'a\nb'])('the name %j', (name) => {
    expect(readZip(named(name)).type).toBe('reject')
  })

  test('two entries of one name', () => {
    expect(readZip(writeZip([ENTRIES[0]!, ENTRIES[0]!]))).toEqual({ type: 'reject', reason: 'two entries have one name' })
  })

  test('entries that overlap in part: the second begins inside of the first', () => {
    const inner = writeZip([{ name: 'b', bytes: text('x') }])
    const local = inner.subarray(0, 65)
    const outer = writeZip([
      { name: 'a', bytes: local },
      { name: 'b', bytes: text('x') },
    ])
    const view = new DataView(outer.buffer)
    const central = view.getUint32(outer.length - 6, true)
    expect(readZip(outer).type).toBe('accept')
    view.setUint32(central + 46 + 1 + 42, 64, true)
    expect(readZip(outer)).toEqual({ type: 'reject', reason: 'two entries overlap' })
  })
})

test('with anything changed it is read or refused; what is read lies inside of it', () => {
  fc.assert(
    fc.property(mutated(ARCHIVE), (bytes) => {
      const verdict = readZip(bytes)
      if (verdict.type !== 'accept') return
      const sum = [...verdict.value.values()].reduce((total, entry) => total + entry.length, 0)
      expect(sum).toBeLessThan(bytes.length)
      for (const entry of verdict.value.values()) expect(entry.buffer).toBe(bytes.buffer)
    }),
    { numRuns: 3_000 },
  )
})
