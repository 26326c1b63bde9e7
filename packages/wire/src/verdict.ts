/** What a decoder says of peer bytes; it never throws. `ignore` = harmless but not for us; `reject` = malformed or forged, counts against the sender. */
export type Verdict<T> =
  | { readonly type: 'accept'; readonly value: T }
  | { readonly type: 'ignore'; readonly reason: string }
  | { readonly type: 'reject'; readonly reason: string }
