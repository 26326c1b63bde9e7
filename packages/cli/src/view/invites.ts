import type { InviteStatus } from '@sgsd/daemon'
import { duration, shortPeer } from '../text/figures.ts'
import type { Style } from '../text/style.ts'
import { type Column, table } from '../text/table.ts'

/** Invites as a table of at most `width` columns. @param now - wall clock of the machine that asks; the node's own decides */
export function inviteTable(invites: readonly InviteStatus[], now: number, width: number, style: Style): string[] {
  const columns: Column<InviteStatus>[] = [
    { title: 'INVITE', text: ({ number }) => String(number), align: 'right' },
    { title: 'STATE', text: ({ state }) => state, paint: (text, { state }) => (state === 'open' ? style.green(text) : style.dim(text)) },
    { title: 'LEFT', text: ({ state, expiresAt }) => (state === 'open' ? duration(Math.max(0, expiresAt - now)) : '–'), align: 'right' },
    { title: 'USED', text: ({ callers, uses }) => `${callers.length}/${uses}`, align: 'right' },
    { title: 'MADE', text: ({ createdAt }) => `${duration(Math.max(0, now - createdAt))} ago`, dropOrder: 1 },
    { title: 'LET IN', text: ({ callers }) => callers.map(shortPeer).join(' '), min: 6 },
  ]
  return table(columns, invites, width, (text) => style.dim(text))
}
