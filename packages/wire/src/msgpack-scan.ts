/** Bounds of a body. */
export interface BodyLimits {
  /** Bytes of the whole body. */
  readonly bytes: number
  /** Values in it: every array and every element counts. */
  readonly values: number
}

/** Arrays within arrays. docs/protocol.md §2.1 */
export const MAX_DEPTH = 4

const SHORT = 'ends in the middle of a value'
const FLOAT64 = 0xcb

/** Heads with a number behind them: how many bytes it has, the least number that needs them, and what it counts. */
const HEADS: ReadonlyMap<
  number,
  { readonly width: 1 | 2 | 4 | 8; readonly least: bigint; readonly counts: 'nothing' | 'bytes' | 'text' | 'elements' }
> = new Map([
  [0xc4, { width: 1, least: 0n, counts: 'bytes' }],
  [0xc5, { width: 2, least: 0x100n, counts: 'bytes' }],
  [0xc6, { width: 4, least: 0x1_0000n, counts: 'bytes' }],
  [0xcc, { width: 1, least: 0x80n, counts: 'nothing' }],
  [0xcd, { width: 2, least: 0x100n, counts: 'nothing' }],
  [0xce, { width: 4, least: 0x1_0000n, counts: 'nothing' }],
  [0xcf, { width: 8, least: 0x1_0000_0000n, counts: 'nothing' }],
  [0xd9, { width: 1, least: 32n, counts: 'text' }],
  [0xda, { width: 2, least: 0x100n, counts: 'text' }],
  [0xdc, { width: 2, least: 16n, counts: 'elements' }],
  [0xdd, { width: 4, least: 0x1_0000n, counts: 'elements' }],
])

/** Bytes of one value: how far its own bytes reach, and how many elements follow it. */
interface Value {
  readonly end: number
  readonly elements: number | undefined
}

/**
 * Walks over one canonical value without building anything, so that whatever a peer sends costs no more than its length. docs/protocol.md §2.1
 * @param visit - told where each value begins
 * @returns what is wrong, or undefined
 */
export function scanBody(bytes: Uint8Array, limits: BodyLimits, visit?: (at: number) => void): string | undefined {
  if (bytes.length > limits.bytes) return `${bytes.length} bytes, more than ${limits.bytes}`
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  /** Elements still to come in each open array. */
  const open: number[] = []
  let at = 0
  for (let values = 1; ; values++) {
    if (values > limits.values) return `more than ${limits.values} values`
    visit?.(at)
    const value = valueAt(view, at)
    if (typeof value === 'string') return value
    at = value.end
    if (value.elements === undefined) close(open)
    else if (open.length === MAX_DEPTH) return `more than ${MAX_DEPTH} arrays within one another`
    else if (value.elements > 0) open.push(value.elements)
    else close(open)
    if (open.length === 0) return at === bytes.length ? undefined : `${bytes.length - at} bytes behind the value`
  }
}

/** One value is complete: so may be the arrays that it ends. */
function close(open: number[]): void {
  while (open.length > 0) {
    open[open.length - 1]! -= 1
    if (open.at(-1)! > 0) return
    open.pop()
  }
}

function valueAt(view: DataView, at: number): Value | string {
  if (at >= view.byteLength) return SHORT
  const head = view.getUint8(at)
  // positive fixint, false, true
  if (head < 0x80 || head === 0xc2 || head === 0xc3) return { end: at + 1, elements: undefined }
  if (head >= 0x90 && head < 0xa0) return { end: at + 1, elements: head & 0x0f }
  if (head >= 0xa0 && head < 0xc0) return textAt(view, at + 1, head & 0x1f)
  if (head === FLOAT64) return floatAt(view, at + 1)
  const form = HEADS.get(head)
  if (form === undefined) return `type 0x${head.toString(16)}, which no message has`
  const body = at + 1 + form.width
  if (body > view.byteLength) return SHORT
  const number = numberAt(view, at + 1, form.width)
  if (number < form.least) return 'a number or length that is not in its shortest form'
  switch (form.counts) {
    case 'nothing':
      return { end: body, elements: undefined }
    case 'elements':
      return { end: body, elements: Number(number) }
    case 'bytes':
      return bytesAt(view, body, Number(number))
    case 'text':
      return textAt(view, body, Number(number))
  }
}

function numberAt(view: DataView, at: number, width: 1 | 2 | 4 | 8): bigint {
  if (width === 8) return view.getBigUint64(at)
  return BigInt(width === 1 ? view.getUint8(at) : width === 2 ? view.getUint16(at) : view.getUint32(at))
}

function bytesAt(view: DataView, at: number, length: number): Value | string {
  return at + length > view.byteLength ? SHORT : { end: at + length, elements: undefined }
}

/** Texts are printable ASCII: nothing that a terminal, a log or a path could be fooled with. */
function textAt(view: DataView, at: number, length: number): Value | string {
  const end = at + length
  if (end > view.byteLength) return SHORT
  for (let i = at; i < end; i++) {
    const code = view.getUint8(i)
    if (code < 0x20 || code > 0x7e) return 'a text with a character outside printable ASCII'
  }
  return { end, elements: undefined }
}

/** A whole number that an integer can hold is written as one; so a number has one form. */
function floatAt(view: DataView, at: number): Value | string {
  if (at + 8 > view.byteLength) return SHORT
  const value = view.getFloat64(at)
  if (!(value >= 0 && value < Infinity)) return 'a float that is negative or not finite'
  if (Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff) return 'a whole number written as a float'
  return { end: at + 8, elements: undefined }
}
