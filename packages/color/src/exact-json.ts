/** JSON with every integer whole, as a bigint; undefined for what is not JSON. */
export function parseExactJson(text: string): unknown {
  try {
    return JSON.parse(text, keepInteger as (key: string, value: unknown) => unknown)
  } catch {
    return undefined
  }
}

/** JSON.parse rounds integers above 2^53; the source text (ECMAScript 2026) does not. */
function keepInteger(_key: string, value: unknown, context: { readonly source?: string }): unknown {
  return typeof value === 'number' && /^-?\d+$/.test(context.source ?? '') ? BigInt(context.source ?? '') : value
}

/** A u64 from an integer of exact JSON, `0x` hex or decimal digits; undefined for anything else. */
export function u64(value: unknown): bigint | undefined {
  const integer = typeof value === 'string' && /^(0x[0-9a-f]{1,16}|\d{1,20})$/i.test(value) ? BigInt(value) : value
  return typeof integer === 'bigint' && integer >= 0n && BigInt.asUintN(64, integer) === integer ? integer : undefined
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** JSON quoting: a name from a file never reaches a terminal raw. */
export function quote(text: string): string {
  return JSON.stringify(text)
}
