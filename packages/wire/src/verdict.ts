/** What a decoder says of peer bytes; it never throws. `ignore` = harmless but not for us; `reject` = malformed or forged, counts against the sender. */
export type Verdict<T> =
  | { readonly type: 'accept'; readonly value: T }
  | { readonly type: 'ignore'; readonly reason: string }
  | { readonly type: 'reject'; readonly reason: string }

export function accept<T>(value: T): Verdict<T> {
  return { type: 'accept', value }
}

export function ignore(reason: string): Extract<Verdict<never>, { type: 'ignore' }> {
  return { type: 'ignore', reason }
}

export function reject(reason: string): Extract<Verdict<never>, { type: 'reject' }> {
  return { type: 'reject', reason }
}
