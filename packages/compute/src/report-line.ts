/** Longest sentence of a report. */
const MAX_CHARS = 240

/**
 * What a library or a driver said, as one printable line; `libfoo.so.1 is missing: ` comes first when the process's standard error says
 * that the loader did not find it.
 */
export function reportLine(text: string, stderr: string): string {
  const library = /([^\s/\\:"']+\.(?:so(?:\.\d+)*|dll|dylib)): cannot open shared object file/.exec(stderr)?.[1]
  const line = text
    .replaceAll(/[\u0000-\u001f\u007f]+/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
  const whole = library === undefined ? line : `${library} is missing: ${line}`
  return whole.length <= MAX_CHARS ? whole : `${whole.slice(0, MAX_CHARS - 1)}…`
}
