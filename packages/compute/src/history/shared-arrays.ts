/** The same value with its arrays of numbers in shared memory, so that threads hand it on without copying. */
export function shared<T>(value: T): T {
  return moved(value) as T
}

function moved(value: unknown): unknown {
  if (value instanceof Uint32Array) {
    const copy = new Uint32Array(new SharedArrayBuffer(value.byteLength))
    copy.set(value)
    return copy
  }
  if (value instanceof Float32Array) {
    const copy = new Float32Array(new SharedArrayBuffer(value.byteLength))
    copy.set(value)
    return copy
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, moved(each)]))
}
