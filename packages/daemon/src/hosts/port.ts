/** What a host is asked to grade: a line of text, and what the lattice made of it. */
export interface HostItem {
  readonly line: string
  /** The line that follows in the text, or undefined behind the last one. */
  readonly next: string | undefined
  /** Characters of s(t+1) without those of the line, best first; values in [0, 1]. */
  readonly nearest: readonly { readonly character: string; readonly value: number }[]
  /** Own head when the line was stepped, 64 hex digits, or '' before the first commit. */
  readonly layer: string
}

/** A host's judgement of one item. */
export interface Grade {
  /** In [0, 1]; anything else is the host's fault (`HostError` HOST_WRONG). */
  readonly score: number
  /** A better text, if the host has one: the teacher of the lattice. */
  readonly revision?: string
}

/** Grades what the lattice answers. Every call has a deadline of its own. */
export interface Host extends AsyncDisposable {
  /** `http`, `openai`, `command`, `stdout` or `sqlite`; `next-line` is built into the lattice and needs no host. */
  readonly kind: string
  /** Items that one call may hold. */
  readonly batch: number
  /**
   * Grades items, in order; undefined = this host does not grade this one (`stdout` never does).
   * @throws HostError HOST_DOWN (worth another try later), HOST_WRONG (an answer that is none), HOST_REFUSED (key, model or budget: a person must act)
   */
  grade(items: readonly HostItem[], signal: AbortSignal): Promise<readonly (Grade | undefined)[]>
}
