import { decodeUtf8 } from '@sgsd/lattice'
import { accept, reject, type Verdict } from '@sgsd/wire'
import { MAX_PICKLE_BYTES } from './limits.ts'

/** What a pickle can make here: plain values, and the objects of whoever gives meaning to its globals. @typeParam T - these objects */
export type Pickled<T> = null | boolean | number | string | PickledList<T> | PickledTuple<T> | PickledDict<T> | Global | T

export class PickledList<T> {
  readonly items: Pickled<T>[] = []
}

export class PickledTuple<T> {
  readonly items: readonly Pickled<T>[]

  constructor(items: readonly Pickled<T>[]) {
    this.items = items
  }
}

export class PickledDict<T> {
  readonly entries: Map<string, Pickled<T>> = new Map()
}

/** A name on the list of what may be called or named. Only ever compared, never looked up anywhere. */
export class Global {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

/** What globals mean to the caller. Either function may answer a string: why it refuses. */
export interface PickleMeaning<T> {
  /** `module.name` of every global that may occur. */
  readonly globals: ReadonlySet<string>
  /** A call of a global. */
  call(name: string, args: readonly Pickled<T>[]): Made<T>
  /** An object that is kept outside of the pickle. */
  persistent(id: Pickled<T>): Made<T>
}

export type Made<T> = { readonly value: Pickled<T> } | { readonly refusal: string }

class Refusal extends Error {}

const MARK = Symbol('mark')
type Slot<T> = Pickled<T> | typeof MARK

/**
 * Reads a pickle of protocol 2 by a list of 29 opcodes and the caller's list of globals; every other opcode and global is refused. Nothing is
 * imported, constructed or executed. Total; work and memory are bounded by the length, since no opcode copies what is there already.
 */
export function readPickle<T>(bytes: Uint8Array, meaning: PickleMeaning<T>): Verdict<Pickled<T>> {
  if (bytes.length > MAX_PICKLE_BYTES) return reject(`a pickle of ${bytes.length} bytes, more than ${MAX_PICKLE_BYTES}`)
  try {
    return accept(new Machine(bytes, meaning).run())
  } catch (error) {
    if (error instanceof Refusal) return reject(`pickle: ${error.message}`)
    throw error
  }
}

class Machine<T> {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #meaning: PickleMeaning<T>
  readonly #stack: Slot<T>[] = []
  readonly #memo = new Map<number, Pickled<T>>()
  #at = 0

  constructor(bytes: Uint8Array, meaning: PickleMeaning<T>) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#meaning = meaning
  }

  run(): Pickled<T> {
    if (this.#u8() !== 0x80 || this.#u8() !== 2) throw new Refusal('it is not of protocol 2')
    for (;;) {
      const opcode = this.#u8()
      if (opcode !== 0x2e) {
        this.#perform(opcode)
        continue
      }
      const value = this.#pop()
      if (this.#stack.length > 0) throw new Refusal('values are left over')
      if (this.#at !== this.#bytes.length) throw new Refusal('bytes are left over')
      return value
    }
  }

  #perform(opcode: number): unknown {
    const stack = this.#stack
    switch (opcode) {
      case 0x28:
        return stack.push(MARK)
      case 0x4e:
        return stack.push(null)
      case 0x88:
        return stack.push(true)
      case 0x89:
        return stack.push(false)
      case 0x4b:
        return stack.push(this.#u8())
      case 0x4d:
        return stack.push(this.#view.getUint16(this.#skip(2), true))
      case 0x4a:
        return stack.push(this.#view.getInt32(this.#skip(4), true))
      case 0x8a:
        return stack.push(this.#long(this.#u8()))
      case 0x58:
        return stack.push(this.#text(this.#u32()))
      case 0x63:
        return stack.push(this.#global())
      case 0x7d:
        return stack.push(new PickledDict())
      case 0x5d:
        return stack.push(new PickledList())
      case 0x29:
        return stack.push(new PickledTuple([]))
      case 0x85:
      case 0x86:
      case 0x87:
        return this.#tuple(opcode - 0x84)
      case 0x74:
        return stack.push(new PickledTuple(this.#popToMark()))
      case 0x61:
        return this.#append([this.#pop()])
      case 0x65:
        return this.#append(this.#popToMark())
      case 0x73:
        return this.#set([this.#pop(), this.#pop()].reverse())
      case 0x75:
        return this.#set(this.#popToMark())
      case 0x71:
        return this.#memo.set(this.#u8(), this.#top())
      case 0x72:
        return this.#memo.set(this.#u32(), this.#top())
      case 0x68:
        return this.#recall(this.#u8())
      case 0x6a:
        return this.#recall(this.#u32())
      case 0x51:
        return this.#made(this.#meaning.persistent(this.#pop()))
      case 0x52:
        return this.#reduce()
      default:
        throw new Refusal(`opcode 0x${opcode.toString(16).padStart(2, '0')} at ${this.#at - 1} is not allowed`)
    }
  }

  #reduce(): void {
    const args = this.#pop()
    const called = this.#pop()
    if (!(called instanceof Global) || !(args instanceof PickledTuple)) throw new Refusal('a call of what is no global')
    this.#made(this.#meaning.call(called.name, args.items))
  }

  #made(made: Made<T>): void {
    if ('refusal' in made) throw new Refusal(made.refusal)
    this.#stack.push(made.value)
  }

  #tuple(size: number): void {
    const items: Pickled<T>[] = []
    for (let i = 0; i < size; i++) items.push(this.#pop())
    this.#stack.push(new PickledTuple(items.reverse()))
  }

  #append(items: readonly Pickled<T>[]): void {
    const list = this.#top()
    if (!(list instanceof PickledList)) throw new Refusal('an item for what is no list')
    for (const item of items) list.items.push(item)
  }

  #set(items: readonly Pickled<T>[]): void {
    const dict = this.#top()
    if (!(dict instanceof PickledDict)) throw new Refusal('an entry for what is no dictionary')
    if (items.length % 2 !== 0) throw new Refusal('a key without a value')
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i]
      if (typeof key !== 'string') throw new Refusal('a key that is no text')
      dict.entries.set(key, items[i + 1]!)
    }
  }

  #recall(place: number): void {
    const value = this.#memo.get(place)
    if (value === undefined) throw new Refusal(`nothing was kept as ${place}`)
    this.#stack.push(value)
  }

  #global(): Global {
    const name = `${this.#line()}.${this.#line()}`
    if (!this.#meaning.globals.has(name)) throw new Refusal(`global ${JSON.stringify(name.slice(0, 64))} is not allowed`)
    return new Global(name)
  }

  #line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at)
    if (end === -1) throw new Refusal('a name without an end')
    const text = this.#text(end - this.#at)
    this.#at += 1
    return text
  }

  #text(length: number): string {
    const from = this.#skip(length)
    const text = decodeUtf8(this.#bytes.subarray(from, from + length))
    if (text === undefined) throw new Refusal('a text that is not UTF-8')
    return text
  }

  /** Little-endian two's complement. */
  #long(length: number): number {
    if (length > 8) throw new Refusal(`a number of ${length} bytes`)
    const from = this.#skip(length)
    let value = 0n
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#bytes[from + i]!)
    const number = Number(BigInt.asIntN(8 * length, value))
    if (!Number.isSafeInteger(number)) throw new Refusal('a number of more than 53 bits')
    return number
  }

  #pop(): Pickled<T> {
    const value = this.#stack.pop()
    if (value === undefined || value === MARK) throw new Refusal('a value is missing')
    return value
  }

  #top(): Pickled<T> {
    const value = this.#stack.at(-1)
    if (value === undefined || value === MARK) throw new Refusal('a value is missing')
    return value
  }

  #popToMark(): Pickled<T>[] {
    const mark = this.#stack.lastIndexOf(MARK)
    if (mark === -1) throw new Refusal('a mark is missing')
    const items = this.#stack.splice(mark)
    return items.slice(1) as Pickled<T>[]
  }

  #u8(): number {
    return this.#view.getUint8(this.#skip(1))
  }

  #u32(): number {
    return this.#view.getUint32(this.#skip(4), true)
  }

  /** @returns where the skipped bytes begin */
  #skip(length: number): number {
    const from = this.#at
    if (from + length > this.#bytes.length) throw new Refusal('it ends in the middle of a value')
    this.#at += length
    return from
  }
}
