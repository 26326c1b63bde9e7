import { Refusal, type Field } from './fields.ts'
import { decodeBody, encodeBody } from './msgpack.ts'
import type { BodyLimits } from './msgpack-scan.ts'
import { accept, reject, type Verdict } from './verdict.ts'

/** A message body: its fields and its bounds. */
export interface Body<T> {
  readonly field: Field<T>
  readonly limits: BodyLimits
}

export function encode<T>(body: Body<T>, value: T): Uint8Array {
  return encodeBody(body.field.toWire(value))
}

/** Total: every byte string has a verdict. */
export function parse<T>(body: Body<T>, bytes: Uint8Array): Verdict<T> {
  const raw = decodeBody(bytes, body.limits)
  if (raw.type !== 'accept') return raw
  const value = body.field.fromWire(raw.value)
  return value instanceof Refusal ? reject(value.reason) : accept(value)
}
