/** Bytes that one protobuf varint of 64 bits can take. */
const MAX_VARINT_BYTES = 10

const WIRE_VARINT = 0
const WIRE_BYTES = 2
const WIRE_FIXED32 = 5

/** Appends protobuf fields to a growing buffer; every method returns the writer. Fields come out in the order of the calls. */
export class ProtoWriter {
  #buffer: Uint8Array<ArrayBuffer> = new Uint8Array(256)
  #length = 0

  /** A 64-bit integer field; negative numbers take their two's complement, as protobuf's int64 does. */
  int(field: number, value: number | bigint): this {
    this.#varint((field << 3) | WIRE_VARINT)
    this.#varint(value)
    return this
  }

  /** A 32-bit float field. */
  float(field: number, value: number): this {
    this.#varint((field << 3) | WIRE_FIXED32)
    this.#reserve(4)
    new DataView(this.#buffer.buffer).setFloat32(this.#length, value, true)
    this.#length += 4
    return this
  }

  /** A bytes field, or an embedded message. */
  bytes(field: number, value: Uint8Array): this {
    this.#varint((field << 3) | WIRE_BYTES)
    this.#varint(value.length)
    this.#reserve(value.length)
    this.#buffer.set(value, this.#length)
    this.#length += value.length
    return this
  }

  /** A UTF-8 string field. */
  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value))
  }

  /** @returns the bytes written so far, copied */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#buffer.slice(0, this.#length)
  }

  #varint(value: number | bigint): void {
    this.#reserve(MAX_VARINT_BYTES)
    let rest = BigInt.asUintN(64, BigInt(value))
    while (rest > 0x7fn) {
      this.#buffer[this.#length++] = Number(rest & 0x7fn) | 0x80
      rest >>= 7n
    }
    this.#buffer[this.#length++] = Number(rest)
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#buffer.length) return
    const larger = new Uint8Array(Math.max(this.#buffer.length * 2, this.#length + count))
    larger.set(this.#buffer.subarray(0, this.#length))
    this.#buffer = larger
  }
}
