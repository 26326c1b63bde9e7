// Why not a zip library: those that are well kept check neither CRC nor overlap when they read, and none aligns what it stores.
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { decodeUtf8 } from '@sgsd/lattice'
import { accept, reject, type Verdict } from '@sgsd/wire'
import { crc32 } from './crc32.ts'
import { MAX_TENSOR_FILE_BYTES, MAX_ZIP_ENTRIES, MAX_ZIP_NAME_BYTES } from './limits.ts'

export interface ZipEntry {
  readonly name: string
  readonly bytes: Uint8Array
}

/** Content begins at multiples of this, bytes: PyTorch maps tensors straight out of the file. */
const ALIGNMENT = 64

const LOCAL = 0x0403_4b50
const CENTRAL = 0x0201_4b50
const END = 0x0605_4b50
const END_64 = 0x0606_4b50
const LOCATOR_64 = 0x0706_4b50
const LOCAL_BYTES = 30
const CENTRAL_BYTES = 46
const END_BYTES = 22
const END_64_BYTES = 56
const LOCATOR_64_BYTES = 20

/** Flags: sizes and CRC stand behind the content too; the name is UTF-8. */
const SIZES_BEHIND = 0x0008
const UTF8_NAME = 0x0800
/** 1980-01-01, the least date of a zip: equal content gives equal bytes. */
const DATE = 0x0021
/** PyTorch's id of the extra field that pads. */
const PADDING = 0x4246
const VERSION = 20

/** An archive of stored (uncompressed) entries, laid out as PyTorch does. @param entries - distinct names, below 4 GiB in all */
export function writeZip(entries: readonly ZipEntry[]): Uint8Array {
  const parts: Uint8Array[] = []
  const directory: Uint8Array[] = []
  let offset = 0
  for (const { name, bytes } of entries) {
    const encoded = utf8ToBytes(name)
    const unpadded = offset + LOCAL_BYTES + encoded.length + 4
    const padding = (ALIGNMENT - (unpadded % ALIGNMENT)) % ALIGNMENT
    const extra = new Uint8Array(4 + padding)
    new DataView(extra.buffer).setUint16(0, PADDING, true)
    new DataView(extra.buffer).setUint16(2, padding, true)
    const facts = [VERSION, UTF8_NAME, 0, 0, DATE] as const
    const crc = crc32(bytes)
    const local = record(LOCAL_BYTES, LOCAL, facts, [crc, bytes.length, bytes.length], [encoded.length, extra.length])
    directory.push(
      record(CENTRAL_BYTES, CENTRAL, [VERSION, ...facts], [crc, bytes.length, bytes.length], [encoded.length, 0, 0, 0, 0, 0, 0], [offset]),
      encoded,
    )
    parts.push(local, encoded, extra, bytes)
    offset = unpadded + padding + bytes.length
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0)
  const end = record(END_BYTES, END, [0, 0, entries.length, entries.length], [size, offset], [0])
  return concatBytes(...parts, ...directory, end)
}

/**
 * Reads an archive of stored entries: nothing behind it, no overlap, both headers of an entry alike, every CRC right, plain relative names. Total; the
 * entries are views of `bytes`, so that no archive takes more memory than itself.
 */
export function readZip(bytes: Uint8Array): Verdict<ReadonlyMap<string, Uint8Array>> {
  if (bytes.length > MAX_TENSOR_FILE_BYTES) return reject(`${bytes.length} bytes, more than ${MAX_TENSOR_FILE_BYTES}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const end = bytes.length - END_BYTES
  if (end < 0 || view.getUint32(end, true) !== END) return reject('no zip archive, or bytes behind its end')
  const count = view.getUint16(end + 10, true)
  const size = view.getUint32(end + 12, true)
  const start = view.getUint32(end + 16, true)
  if (view.getUint32(end + 4, true) !== 0 || view.getUint16(end + 8, true) !== count || view.getUint16(end + 20, true) !== 0)
    return reject('an archive in several parts, or with a comment')
  if (count > MAX_ZIP_ENTRIES) return reject(`${count} entries, more than ${MAX_ZIP_ENTRIES}`)
  const behind = start + size
  if (behind !== end && !isZip64Tail(view, behind, end, { count, size, start })) return reject('bytes between the directory and the end')
  return readEntries(bytes, view, count, start, behind)
}

interface Directory {
  readonly count: number
  readonly size: number
  readonly start: number
}

/** PyTorch writes the records of large archives always; here they may only repeat what the plain one says. */
function isZip64Tail(view: DataView, at: number, end: number, { count, size, start }: Directory): boolean {
  if (at + END_64_BYTES + LOCATOR_64_BYTES !== end) return false
  const locator = at + END_64_BYTES
  const u64 = (offset: number): bigint => view.getBigUint64(offset, true)
  return (
    view.getUint32(at, true) === END_64 &&
    u64(at + 4) === BigInt(END_64_BYTES - 12) &&
    view.getUint32(at + 16, true) === 0 &&
    view.getUint32(at + 20, true) === 0 &&
    u64(at + 24) === BigInt(count) &&
    u64(at + 32) === BigInt(count) &&
    u64(at + 40) === BigInt(size) &&
    u64(at + 48) === BigInt(start) &&
    view.getUint32(locator, true) === LOCATOR_64 &&
    view.getUint32(locator + 4, true) === 0 &&
    u64(locator + 8) === BigInt(at) &&
    view.getUint32(locator + 16, true) === 1
  )
}

interface Found extends ZipEntry {
  readonly from: number
  readonly to: number
}

function readEntries(bytes: Uint8Array, view: DataView, count: number, start: number, behind: number): Verdict<ReadonlyMap<string, Uint8Array>> {
  const found: Found[] = []
  let at = start
  for (let i = 0; i < count; i++) {
    if (at + CENTRAL_BYTES > behind || view.getUint32(at, true) !== CENTRAL) return reject(`entry ${i} is missing from the directory`)
    const next = at + CENTRAL_BYTES + view.getUint16(at + 28, true) + view.getUint16(at + 30, true) + view.getUint16(at + 32, true)
    if (next > behind) return reject(`entry ${i} runs out of the directory`)
    const entry = readEntry(bytes, view, at, start)
    if (typeof entry === 'string') return reject(`entry ${i}: ${entry}`)
    found.push(entry)
    at = next
  }
  if (at !== behind) return reject('the directory holds more than its entries')
  const byPlace = [...found].sort((a, b) => a.from - b.from)
  for (let i = 1; i < byPlace.length; i++) if (byPlace[i]!.from < byPlace[i - 1]!.to) return reject('two entries overlap')
  const entries = new Map(found.map(({ name, bytes: content }) => [name, content]))
  return entries.size === count ? accept(entries) : reject('two entries have one name')
}

/** One entry by its place in the directory, or what is wrong with it. @param limit - where the directory begins */
function readEntry(bytes: Uint8Array, view: DataView, at: number, limit: number): Found | string {
  const [flags, method] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)]
  const [crc, packed, size] = [view.getUint32(at + 16, true), view.getUint32(at + 20, true), view.getUint32(at + 24, true)]
  const nameBytes = view.getUint16(at + 28, true)
  const from = view.getUint32(at + 42, true)
  if ((flags & ~(SIZES_BEHIND | UTF8_NAME)) !== 0) return `flags ${flags}`
  if (method !== 0 || packed !== size) return 'it is compressed; only stored entries are read'
  if (view.getUint16(at + 34, true) !== 0) return 'it lies in another part'
  if (nameBytes > MAX_ZIP_NAME_BYTES) return `a name of ${nameBytes} bytes`
  const name = decodeUtf8(bytes.subarray(at + CENTRAL_BYTES, at + CENTRAL_BYTES + nameBytes))
  if (name === undefined || !isPlainName(name)) return 'its name is no plain relative path'
  if (from + LOCAL_BYTES > limit || view.getUint32(from, true) !== LOCAL) return 'its local header is missing'
  const begin = from + LOCAL_BYTES + view.getUint16(from + 26, true) + view.getUint16(from + 28, true)
  const to = begin + size
  if (to > limit) return 'it is cut off'
  const same = [6, 8].every((field) => view.getUint16(from + field, true) === view.getUint16(at + field + 2, true))
  const localName = decodeUtf8(bytes.subarray(from + LOCAL_BYTES, from + LOCAL_BYTES + view.getUint16(from + 26, true)))
  if (!same || localName !== name) return 'its two headers differ'
  if ((flags & SIZES_BEHIND) === 0 && [crc, packed, size].some((value, i) => view.getUint32(from + 14 + 4 * i, true) !== value))
    return 'its two headers differ'
  const content = bytes.subarray(begin, to)
  return crc32(content) === crc ? { name, bytes: content, from, to } : 'its CRC does not fit'
}

/** A path below the archive's own root: no step up, no root, no drive, nothing unprintable. */
function isPlainName(name: string): boolean {
  return /^[^\u0000-\u001f\u007f-\u009f\\:]+$/.test(name) && name.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
}

/** A header: a u32 magic, u16 fields, u32 fields, and so on in turn. */
function record(length: number, magic: number, ...groups: readonly (readonly number[])[]): Uint8Array {
  const bytes = new Uint8Array(length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, magic, true)
  let at = 4
  for (const [i, group] of groups.entries()) {
    for (const value of group) {
      if (i % 2 === 0) view.setUint16(at, value, true)
      else view.setUint32(at, value, true)
      at += i % 2 === 0 ? 2 : 4
    }
  }
  return bytes
}
