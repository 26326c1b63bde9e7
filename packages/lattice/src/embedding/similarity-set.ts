/** A couplet and what it is about. */
export interface LabelledText {
  readonly topic: string
  /** For which half of the topics: that on which constants were chosen, or that which was looked at afterwards. */
  readonly half: 'development' | 'test'
  /** Number of its poem in the Tang corpus, from 1. */
  readonly poem: number
  /** Its two lines. */
  readonly lines: readonly [string, string]
}

/** Reads the shipped `similarity.txt`. @throws RangeError naming the line that is not as it should be */
export function parseSimilaritySet(text: string): LabelledText[] {
  const texts: LabelledText[] = []
  let heading: Pick<LabelledText, 'topic' | 'half'> | undefined
  for (const [i, line] of text.split('\n').entries()) {
    if (line === '' || line.startsWith('# ')) continue
    const [, half, topic] = /^## (development|test): ([a-z]+): /.exec(line) ?? []
    if (topic !== undefined) {
      heading = { half: half as LabelledText['half'], topic }
      continue
    }
    const [, poem, first, second] = /^(\d+)\t(\S+) (\S+)$/.exec(line) ?? []
    if (heading === undefined || second === undefined) throw new RangeError(`line ${i + 1} of the similarity set is neither a heading nor a couplet`)
    texts.push({ ...heading, poem: Number(poem), lines: [first!, second] })
  }
  return texts
}

/**
 * Area under the curve of hits against false alarms: how often a pair of one topic is nearer than a pair of two; ½ is chance. Equal ones count half.
 * @param likeness - of the texts at two places
 */
export function areaUnderCurve(texts: readonly LabelledText[], likeness: (a: number, b: number) => number): number {
  const same: number[] = []
  const different: number[] = []
  for (const [i, a] of texts.entries()) {
    for (let j = i + 1; j < texts.length; j++) (a.topic === texts[j]!.topic ? same : different).push(likeness(i, j))
  }
  different.sort((a, b) => a - b)
  let above = 0
  for (const value of same) above += (placeOf(different, (other) => other < value) + placeOf(different, (other) => other <= value)) / 2
  return above / (same.length * different.length)
}

/** How many of ascending values are so. */
function placeOf(ascending: readonly number[], so: (value: number) => boolean): number {
  let low = 0
  let high = ascending.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (so(ascending[middle]!)) low = middle + 1
    else high = middle
  }
  return low
}
