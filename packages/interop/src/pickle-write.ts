import { utf8ToBytes } from '@noble/hashes/utils.js'

/** Writes the pickles (protocol 2) that PyTorch's restricted unpickler takes; no memo, so that equal values give equal bytes. */
export class PickleWriter {
  readonly #bytes: number[] = [0x80, 2]

  /** Opcodes without an argument. */
  op(...opcodes: readonly number[]): this {
    this.#bytes.push(...opcodes)
    return this
  }

  global(module: string, name: string): this {
    return this.op(0x63, ...utf8ToBytes(`${module}\n${name}\n`))
  }

  text(value: string): this {
    const bytes = utf8ToBytes(value)
    return this.op(0x58, ...littleEndian(bytes.length, 4), ...bytes)
  }

  /** @param value - whole, in [0, 2^53) */
  int(value: number): this {
    if (value < 0x100) return this.op(0x4b, value)
    if (value < 0x1_0000) return this.op(0x4d, ...littleEndian(value, 2))
    if (value < 0x8000_0000) return this.op(0x4a, ...littleEndian(value, 4))
    return this.op(0x8a, 8, ...littleEndian(value, 8))
  }

  /** Between MARK and TUPLE. */
  tuple(write: () => unknown): this {
    this.op(0x28)
    write()
    return this.op(0x74)
  }

  /** Key and value one after the other, between MARK and SETITEMS of a new dictionary. */
  dict(write: () => unknown): this {
    this.op(0x7d, 0x28)
    write()
    return this.op(0x75)
  }

  /** @returns the whole pickle */
  stop(): Uint8Array {
    this.op(0x2e)
    return Uint8Array.from(this.#bytes)
  }
}

function littleEndian(value: number, width: number): number[] {
  return Array.from({ length: width }, (_, i) => Math.floor(value / 2 ** (8 * i)) % 256)
}
