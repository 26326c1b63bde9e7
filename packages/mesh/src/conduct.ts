import type { Millis, PeerName } from '@sgsd/consensus'

/** Gossip taken from one peer, messages per second on average and in a burst: 30 members' beats and claims are under 100 a second. */
const GOSSIP_PER_SECOND = 300
const GOSSIP_BURST = 1_500

/** Messages over the allowance in one window that no honest forwarder produces: it drops a flood by this same rule. */
const FLOOD_MESSAGES = 3_000
const FLOOD_WINDOW_MS = 10_000

/** Strikes that ban, and how many of them a second wears off. */
const MAX_STRIKES = 10
const STRIKES_FORGIVEN_PER_SECOND = 0.1

/** First ban; each further one lasts twice as long. */
const BAN_MIN_MS = 5 * 60_000
const BAN_MAX_MS = 60 * 60_000

/** Peers remembered; the one seen longest ago is forgotten first. */
const MAX_PEERS = 1_024

/** What a peer did wrong, in strikes: malformed bytes inside an authenticated session are never an accident of the network. */
export const STRIKES = { gossipRejected: 1, frameInvalid: 2, frameTooLarge: 4 } as const

interface Ledger {
  strikes: number
  struckAt: Millis
  tokens: number
  filledAt: Millis
  surplus: number
  windowAt: Millis
  bans: number
  bannedUntil: Millis
}

/** Keeps account of each peer's misbehaviour: strikes that wear off, a token bucket for gossip, bans. No clock: `now` is an argument. */
export class Conduct {
  readonly #ledgers = new Map<PeerName, Ledger>()

  /** @returns true when this strike bans the peer */
  strike(peer: PeerName, strikes: number, now: Millis): boolean {
    const ledger = this.#of(peer, now)
    const forgiven = ((now - ledger.struckAt) / 1_000) * STRIKES_FORGIVEN_PER_SECOND
    ledger.strikes = Math.max(0, ledger.strikes - forgiven) + strikes
    ledger.struckAt = now
    return ledger.strikes >= MAX_STRIKES && this.#ban(ledger, now)
  }

  /** Accounts for one gossip message. `drop`: over the allowance, look no further; `ban`: a flood. */
  gossip(peer: PeerName, now: Millis): 'take' | 'drop' | 'ban' {
    const ledger = this.#of(peer, now)
    ledger.tokens = Math.min(GOSSIP_BURST, ledger.tokens + ((now - ledger.filledAt) / 1_000) * GOSSIP_PER_SECOND)
    ledger.filledAt = now
    if (ledger.tokens >= 1) {
      ledger.tokens--
      return 'take'
    }
    if (now - ledger.windowAt > FLOOD_WINDOW_MS) {
      ledger.windowAt = now
      ledger.surplus = 0
    }
    ledger.surplus++
    return ledger.surplus >= FLOOD_MESSAGES && this.#ban(ledger, now) ? 'ban' : 'drop'
  }

  isBanned(peer: PeerName, now: Millis): boolean {
    return (this.#ledgers.get(peer)?.bannedUntil ?? 0) > now
  }

  #ban(ledger: Ledger, now: Millis): boolean {
    if (ledger.bannedUntil > now) return false
    ledger.bannedUntil = (now + Math.min(BAN_MAX_MS, BAN_MIN_MS * 2 ** ledger.bans)) as Millis
    ledger.bans++
    ledger.strikes = 0
    ledger.surplus = 0
    return true
  }

  #of(peer: PeerName, now: Millis): Ledger {
    const known = this.#ledgers.get(peer)
    const ledger = known ?? {
      strikes: 0,
      struckAt: now,
      tokens: GOSSIP_BURST,
      filledAt: now,
      surplus: 0,
      windowAt: now,
      bans: 0,
      bannedUntil: 0 as Millis,
    }
    this.#ledgers.delete(peer)
    this.#ledgers.set(peer, ledger)
    if (this.#ledgers.size > MAX_PEERS) {
      const oldest = this.#ledgers.keys().next()
      if (oldest.done !== true) this.#ledgers.delete(oldest.value)
    }
    return ledger
  }
}
