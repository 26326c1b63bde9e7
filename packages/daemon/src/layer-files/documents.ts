/** GET /v1/heads: what the consensus of this node is folded from. */
export interface HeadsDocument {
  readonly schema: 'sgsd.heads/1'
  readonly mesh: string
  readonly kernel: string
  readonly foldId: string
  readonly self: string
  /** This node's name, for people. */
  readonly name: string
  /** '' before the first fold. */
  readonly consensus: string
  readonly digest: string
  /** In peer-id order; 64-bit numbers in decimal. */
  readonly heads: readonly { readonly author: string; readonly seq: string; readonly layer: string; readonly weight: number }[]
}

/** POST /v1/layers/import, a portable layer as application/octet-stream (docs/interop.md). */
export interface LayerTaken {
  readonly schema: 'sgsd.layer-import/1'
  readonly layer: string
  readonly author: string
  readonly seq: string
  /**
   * `ready`: it is its author's head, whole and checked. `waiting`: it is, and its check goes on. `known`: it was here. `older`: the author's newest head
   * is another one. `kept`: it is nobody's head; its content is here, and stays while it is pinned.
   */
  readonly result: 'ready' | 'waiting' | 'known' | 'older' | 'kept'
}

/** POST /v1/layers/rows?name=…&digest=…&mesh=…&author=…, rows as application/octet-stream. */
export interface RowsTaken {
  readonly schema: 'sgsd.rows-import/1'
  /** The layer of this node that holds them. */
  readonly layer: string
  readonly rows: number
  /** Rows that belong to radicals of other members. */
  readonly leftOut: number
}
