import type { ClaimContext } from '@sgsd/consensus'

/** What the claim worker answers. */
export interface ClaimCalls {
  /** @param values - u64 chunk values, as bytes */
  root(context: ClaimContext, values: Uint8Array): string
}
