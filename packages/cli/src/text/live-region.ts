const HIDE_CURSOR = '\u001B[?25l'
const SHOW_CURSOR = '\u001B[?25h'
const CLEAR_LINE = '\u001B[K'
const CLEAR_BELOW = '\u001B[J'

/** Lines that are drawn again and again in the same place. */
export interface LiveRegion {
  draw(lines: readonly string[]): void
  /** Leaves the last picture standing and gives the cursor back. */
  end(): void
}

/**
 * The bytes that replace a picture of `before` lines by a new one: up, each line cleared to its end, the rest below cleared.
 * Redrawing in place instead of clearing first keeps the picture from flickering.
 */
export function repaint(before: number, lines: readonly string[]): string {
  const up = before > 0 ? `\u001B[${before}A` : ''
  return `${up}\r${lines.map((line) => `${line}${CLEAR_LINE}\n`).join('')}${CLEAR_BELOW}`
}

/**
 * @param write - raw bytes to the terminal
 * @param rows - lines of the terminal; a longer picture loses its end, since what scrolled away cannot be redrawn
 */
export function openLiveRegion(write: (text: string) => void, rows: () => number): LiveRegion {
  let before = 0
  let hidden = false
  return {
    draw: (lines) => {
      const shown = lines.slice(0, Math.max(1, rows() - 1))
      write(`${hidden ? '' : HIDE_CURSOR}${repaint(before, shown)}`)
      hidden = true
      before = shown.length
    },
    end: () => {
      if (hidden) write(SHOW_CURSOR)
      hidden = false
      before = 0
    },
  }
}
