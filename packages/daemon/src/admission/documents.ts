/** What the control API says of who is let in; docs/architecture.md. Times are milliseconds since 1970 on this node's wall clock. */

/** POST /v1/invites {ttlMs?, uses?} (a one-time invite; the address alone in an open mesh) and GET /v1/invite (the mesh key itself). */
export interface InviteDocument {
  readonly schema: 'sgsd.invite/1'
  readonly admission: 'open' | 'key' | 'vote'
  /** What is behind the `#` of the lines: nothing, the mesh key, or a secret that ends. */
  readonly kind: 'bare' | 'key' | 'one-time'
  /** One line for each address, best first. */
  readonly invites: readonly string[]
  /** Of a one-time invite. */
  readonly number: number | null
  readonly expiresAt: number | null
  readonly uses: number | null
}

/** GET /v1/invites */
export interface InvitesDocument {
  readonly schema: 'sgsd.invites/1'
  /** By number; ended ones are remembered for 30 days. No secrets. */
  readonly invites: readonly InviteStatus[]
}

export interface InviteStatus {
  readonly number: number
  readonly state: 'open' | 'used' | 'expired' | 'revoked'
  readonly createdAt: number
  readonly expiresAt: number
  readonly uses: number
  /** Peer ids that it let in. */
  readonly callers: readonly string[]
}

/** POST /v1/invites/revoke {number} */
export interface InviteRevoked {
  readonly schema: 'sgsd.invite-revoked/1'
  readonly invite: InviteStatus
}

/** Part of a peer in GET /v1/status. */
export interface PeerStanding {
  /** `candidate`: its items count for nothing until it is voted in. `revoked`: by a member, until it is readmitted; it is not talked to. */
  readonly state: 'member' | 'candidate' | 'excluded' | 'revoked'
  /** Who and why, or what is missing, in a few words; '' for a member. */
  readonly why: string
}

/** POST /v1/peers/decide {peer, action: 'revoke' | 'readmit', reason?} */
export interface DecisionDocument {
  readonly schema: 'sgsd.decision/1'
  readonly peerId: string
  readonly action: 'revoke' | 'readmit'
  /** Of the signed operation. */
  readonly id: string
  readonly standing: PeerStanding
}
