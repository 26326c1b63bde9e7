/**
 * Words of English definitions that say nothing about a character: function words, and the words with which the dictionary refers to other entries.
 * Part of the lattice's definition: a change makes another lattice, so it needs another kernel format.
 */
export const STOP_WORDS: ReadonlySet<string> = new Set(
  [
    "an and are as at be been but by for from has have if in into is it its no not of off on one's or other out over so some such than that the",
    'their them then there these they this those to up upon used using was were when where which who whose with without',
    'also ancient character classical corrupted cf e.g etc form forms interchangeable kangxi kind name non radical same see simplified standard',
    'surname traditional unauthorised unauthorized usually variant',
  ].flatMap((line) => line.split(' ')),
)

/** References to other characters, such as `U+4E18`. */
const REFERENCE = /U\+[0-9A-F]{4,6}/g

/** A word: letters of Latin scripts and digits, with an inner apostrophe. */
const WORD = /[0-9a-z\u00e0-\u024f]+(?:'[a-z]+)?/g

/**
 * The tokens that a character has in the lattice: `rad:` Kangxi radical, `str:` total strokes, `d:` words of the definition, lower-cased, without stop words and
 * single letters. Prefixes keep the stroke count 4 apart from the definition word "4".
 * @returns sorted by code unit, distinct
 */
export function tokensOf(radical: number, strokes: number, definition: string): readonly string[] {
  const tokens = new Set([`rad:${radical}`, `str:${strokes}`])
  for (const [word] of definition.replaceAll(REFERENCE, ' ').toLowerCase().matchAll(WORD)) {
    const stem = word.endsWith("'s") && !STOP_WORDS.has(word) ? word.slice(0, -2) : word
    if (!STOP_WORDS.has(stem) && (stem.length > 1 || isDigit(stem))) tokens.add(`d:${stem}`)
  }
  return [...tokens].sort()
}

function isDigit(text: string): boolean {
  return text >= '0' && text <= '9'
}
