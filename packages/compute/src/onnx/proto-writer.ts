const WIRE_VARINT = 0
const WIRE_BYTES = 2
const WIRE_FIXED32 = 5

/** Longer byte arrays are kept by reference until the end instead of being copied on every level of nesting. */
const KEPT_BYTES = 1_024

/**
 * Collects protobuf fields; every method returns the writer. Fields come out in the order of the calls. Large byte arrays are
 * copied once, by `finish`, so they must not change before.
 */
export class ProtoWriter {
  readonly #parts: Uint8Array[] = []
  /** The newest small fields. */
  #small: number[] = []
  #length = 0

  /** Bytes written so far. */
  get length(): number {
    return this.#length
  }

  /** A 64-bit integer field; negative numbers take their two's complement, as protobuf's int64 does. */
  int(field: number, value: number | bigint): this {
    this.#varint((field << 3) | WIRE_VARINT)
    this.#varint(value)
    return this
  }

  /** A 32-bit float field. */
  float(field: number, value: number): this {
    this.#varint((field << 3) | WIRE_FIXED32)
    return this.#append(new Uint8Array(Float32Array.of(value).buffer))
  }

  /** A bytes field, or an embedded message. */
  bytes(field: number, value: Uint8Array | ProtoWriter): this {
    this.#varint((field << 3) | WIRE_BYTES)
    this.#varint(value.length)
    if (!(value instanceof ProtoWriter)) return this.#append(value)
    for (const part of value.#allParts()) this.#append(part)
    return this
  }

  /** A UTF-8 string field. */
  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value))
  }

  /** @returns the bytes written so far, copied */
  finish(): Uint8Array<ArrayBuffer> {
    const whole = new Uint8Array(this.#length)
    let at = 0
    for (const part of this.#allParts()) {
      whole.set(part, at)
      at += part.length
    }
    return whole
  }

  #varint(value: number | bigint): void {
    const before = this.#small.length
    let rest = BigInt.asUintN(64, BigInt(value))
    while (rest > 0x7fn) {
      this.#small.push(Number(rest & 0x7fn) | 0x80)
      rest >>= 7n
    }
    this.#small.push(Number(rest))
    this.#length += this.#small.length - before
  }

  #append(bytes: Uint8Array): this {
    this.#length += bytes.length
    if (bytes.length < KEPT_BYTES) {
      for (const byte of bytes) this.#small.push(byte)
    } else {
      this.#seal()
      this.#parts.push(bytes)
    }
    return this
  }

  #seal(): void {
    if (this.#small.length > 0) this.#parts.push(Uint8Array.from(this.#small))
    this.#small = []
  }

  #allParts(): readonly Uint8Array[] {
    this.#seal()
    return this.#parts
  }
}
