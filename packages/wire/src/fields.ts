import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import type { PeerName } from '@sgsd/consensus'
import type { Plain } from './msgpack.ts'
import { isPeerName } from './peer-name.ts'

/** Why a value is none that the field takes. */
export class Refusal {
  readonly reason: string

  constructor(reason: string) {
    this.reason = reason
  }
}

/** One field of a message: how it is written and what is accepted. `fromWire` is total; `toWire` expects what `fromWire` would accept. */
export interface Field<T> {
  toWire(value: T): Plain
  fromWire(raw: Plain): T | Refusal
}

/** A whole number in [least, most], most < 2^32. */
export function uint(most: number, least = 0): Field<number> {
  return {
    toWire: (value) => value,
    fromWire: (raw) =>
      typeof raw === 'number' && Number.isInteger(raw) && raw >= least && raw <= most
        ? raw
        : new Refusal(`is no whole number in [${least}, ${most}]`),
  }
}

/** An unsigned 64-bit number. */
export const u64: Field<bigint> = {
  toWire: (value) => (value >= 0n && value <= 0xffff_ffffn ? Number(value) : value),
  fromWire: (raw) => {
    if (typeof raw === 'bigint') return raw
    return typeof raw === 'number' && Number.isInteger(raw) ? BigInt(raw) : new Refusal('is no whole number')
  },
}

/** A whole number that a double holds exactly, below 2^53. */
export const safeInteger: Field<number> = {
  toWire: (value) => u64.toWire(BigInt(value)),
  fromWire: (raw) => {
    const value = u64.fromWire(raw)
    if (value instanceof Refusal) return value
    return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : new Refusal('is not below 2^53')
  },
}

/** A finite number in [0, most]. */
export function real(most: number): Field<number> {
  return {
    toWire: (value) => value,
    fromWire: (raw) => (typeof raw === 'number' && raw >= 0 && raw <= most ? raw : new Refusal(`is no number in [0, ${most}]`)),
  }
}

export const flag: Field<boolean> = {
  toWire: (value) => value,
  fromWire: (raw) => (typeof raw === 'boolean' ? raw : new Refusal('is neither true nor false')),
}

/** Text that matches a pattern. */
export function text(pattern: RegExp): Field<string> {
  return {
    toWire: (value) => value,
    fromWire: (raw) => (typeof raw === 'string' && pattern.test(raw) ? raw : new Refusal(`does not match ${pattern.source}`)),
  }
}

/** One of a few words (or numbers). */
export function oneOf<const T extends string | number>(...choices: readonly T[]): Field<T> {
  return {
    toWire: (value) => value,
    fromWire: (raw) => choices.find((choice) => choice === raw) ?? new Refusal(`is none of ${choices.join(', ')}`),
  }
}

export const peerName: Field<PeerName> = {
  toWire: (value) => value,
  fromWire: (raw) => (isPeerName(raw) ? raw : new Refusal('is no Ed25519 peer id')),
}

/** A number of bytes that people see as hex digits: ids, digests, nonces. Where `optional`, no bytes stand for ''. */
export function hex<T extends string>(size: number, optional = false): Field<T> {
  return {
    toWire: (value) => hexToBytes(value),
    fromWire: (raw) => {
      const fits = raw instanceof Uint8Array && (raw.length === size || (optional && raw.length === 0))
      return fits ? (bytesToHex(raw) as T) : new Refusal(`does not have ${size} bytes`)
    },
  }
}

/** Bytes as they are, at most so many: a view of what was decoded. */
export function binary(most: number, least = 0): Field<Uint8Array> {
  return {
    toWire: (value) => value,
    fromWire: (raw) =>
      raw instanceof Uint8Array && raw.length >= least && raw.length <= most ? raw : new Refusal(`does not have ${least} to ${most} bytes`),
  }
}

/** A list of at most `most` elements. @param ascending - each element's place, which must grow strictly */
export function list<T>(element: Field<T>, most: number, ascending?: (value: T) => number): Field<readonly T[]> {
  return {
    toWire: (values) => values.map((value) => element.toWire(value)),
    fromWire: (raw) => {
      if (!Array.isArray(raw) || raw.length > most) return new Refusal(`is no list of at most ${most}`)
      const values: T[] = []
      let last = -Infinity
      for (const [i, item] of (raw as readonly Plain[]).entries()) {
        const value = element.fromWire(item)
        if (value instanceof Refusal) return new Refusal(`[${i}] ${value.reason}`)
        const place = ascending?.(value) ?? i
        if (place <= last) return new Refusal(`[${i}] is out of order`)
        last = place
        values.push(value)
      }
      return values
    },
  }
}

/** An object as an array of its fields in the order of the keys of `fields`. */
export function tuple<T extends object>(fields: { readonly [K in keyof T]: Field<T[K]> }): Field<T> {
  const entries = Object.entries(fields) as [keyof T & string, Field<unknown>][]
  return {
    toWire: (value) => entries.map(([name, field]) => field.toWire(value[name])),
    fromWire: (raw) => {
      if (!Array.isArray(raw) || raw.length !== entries.length) return new Refusal(`is no array of ${entries.length} fields`)
      const value: Record<string, unknown> = {}
      for (const [i, [name, field]] of entries.entries()) {
        const part = field.fromWire((raw as readonly Plain[])[i]!)
        if (part instanceof Refusal) return new Refusal(`${name} ${part.reason}`)
        value[name] = part
      }
      return value as T
    },
  }
}
