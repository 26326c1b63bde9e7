/** A layer in the order of a log: before its parents. */
export interface GraphNode {
  readonly layer: string
  readonly parents: readonly string[]
}

/** One line of the picture: a layer's own, or one between two layers. */
export interface GraphLine {
  readonly text: string
  readonly layer: string | undefined
}

/**
 * Draws lines of descent to the left of a log. Each lane waits for one layer; a layer stands in the leftmost lane that waits for it (`●`, a merge `◆`), the other ones end
 * there (`╯`), and further parents open lanes (`╮`). A parent that is not known ends its lane with `○`.
 */
export function graphLines(nodes: readonly GraphNode[], unknown: ReadonlySet<string>): GraphLine[] {
  const lanes: (string | undefined)[] = []
  const lines: GraphLine[] = []
  for (const { layer, parents } of nodes) {
    let at = lanes.indexOf(layer)
    if (at < 0) at = open(lanes, layer)
    const ending = [...lanes.keys()].filter((lane) => lane !== at && lanes[lane] === layer)
    lines.push({ layer, text: drawn(lanes, at, parents.length > 1 ? '◆' : '●', ending, '╯') })
    for (const lane of ending) lanes[lane] = undefined
    const [first, ...rest] = parents
    lanes[at] = first !== undefined && !unknown.has(first) ? first : undefined
    const opened = rest.filter((parent) => !unknown.has(parent) && !lanes.includes(parent)).map((parent) => open(lanes, parent, at + 1))
    if (opened.length > 0) lines.push({ layer: undefined, text: drawn(lanes, at, '├', opened, '╮') })
    if (parents.length > 0 && parents.every((parent) => unknown.has(parent))) {
      lines.push({ layer: undefined, text: drawn(lanes, at, '○', [], '') })
    }
    while (lanes.length > 0 && lanes.at(-1) === undefined) lanes.pop()
  }
  return lines
}

/** Puts a layer into the first free lane from `from` on. */
function open(lanes: (string | undefined)[], layer: string, from = 0): number {
  let at = from
  while (lanes[at] !== undefined) at++
  lanes[at] = layer
  return at
}

/** The lanes with a mark at `at`, and a line from it to each of `others`. */
function drawn(lanes: readonly (string | undefined)[], at: number, mark: string, others: readonly number[], corner: string): string {
  const last = Math.max(at, ...others)
  const right = others.some((lane) => lane > at)
  const left = Math.min(at, ...others)
  let text = ''
  for (let lane = 0; lane < Math.max(lanes.length, last + 1); lane++) {
    const within = lane > left && lane < last && (right || lane < at)
    const cell = lane === at ? mark : others.includes(lane) ? corner : lanes[lane] === undefined ? (within ? '─' : ' ') : within ? '┼' : '│'
    text += cell + (lane >= left && lane < last ? '─' : ' ')
  }
  return text.trimEnd()
}
