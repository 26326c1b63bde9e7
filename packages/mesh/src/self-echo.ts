import type { Millis } from '@sgsd/consensus'

/** Both ends of a connection to oneself are seen within this time, milliseconds. */
const ECHO_MS = 2_000

interface Meeting {
  readonly direction: 'inbound' | 'outbound'
  readonly remoteAddr: string
  readonly at: Millis
  paired: boolean
}

/**
 * Tells an own address (a bootstrap list that names this node, a router that reflects) from a second machine with the same key.
 * A connection to oneself shows both ends here, one inbound and one outbound, at once; only one end means that the other is elsewhere.
 */
export class SelfEcho {
  #meetings: Meeting[] = []

  met(direction: 'inbound' | 'outbound', remoteAddr: string, now: Millis): void {
    const twin = this.#meetings.find((other) => !other.paired && other.direction !== direction && now - other.at <= ECHO_MS)
    if (twin !== undefined) twin.paired = true
    this.#meetings.push({ direction, remoteAddr, at: now, paired: twin !== undefined })
    if (this.#meetings.length > 64) this.#meetings.shift()
  }

  /** @returns addresses at which, by now, no second end has shown up; each once */
  strangers(now: Millis): string[] {
    const ripe = this.#meetings.filter((meeting) => now - meeting.at > ECHO_MS)
    this.#meetings = this.#meetings.filter((meeting) => now - meeting.at <= ECHO_MS)
    return ripe.filter((meeting) => !meeting.paired).map((meeting) => meeting.remoteAddr)
  }
}
