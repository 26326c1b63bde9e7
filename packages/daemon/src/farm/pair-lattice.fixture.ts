import type { Adopted, LayerContent } from '@sgsd/compute'

/** A lattice that remembers every pair of lines that it learned; its content is the list. */
export class PairLattice {
  pairs: string[] = []

  farm(lines: readonly string[]): Promise<{ graded: number; skipped: number; meanScore: number; touchedRows: number }> {
    for (let i = 0; i + 1 < lines.length; i++) if (lines[i] !== '' && lines[i + 1] !== '') this.pairs.push(`${lines[i]}→${lines[i + 1]}`)
    const skipped = lines.slice(0, -1).filter((line) => /^[a-z]/.test(line)).length
    return Promise.resolve({ graded: lines.length - 1 - skipped, skipped, meanScore: 0.5, touchedRows: 1 })
  }

  predict(lines: readonly string[]): Promise<readonly { nearest: { character: string; value: number }[] }[]> {
    return Promise.resolve(lines.map((line) => ({ nearest: /^[a-z]/.test(line) ? [] : [{ character: '天', value: 1 }] })))
  }

  learn(items: readonly { line: string; score: number }[]): Promise<never> {
    for (const { line, score } of items) this.pairs.push(`${line}:${score}`)
    return Promise.resolve(undefined as never)
  }

  adopt({ radicals }: LayerContent): Promise<Adopted> {
    if (radicals.length === 0) return Promise.resolve({ rows: 0, leftOut: 3 })
    for (const { radical } of radicals) this.pairs.push(`radical ${radical}`)
    return Promise.resolve({ rows: radicals.length, leftOut: 0 })
  }

  commit(): Promise<{
    radicals: { radical: number; rows: number; nnz: number; bytes: Uint8Array }[]
    state: Uint8Array
    lines: number
    meanScore: number
  }> {
    return Promise.resolve({ radicals: [], state: Buffer.from(JSON.stringify(this.pairs)), lines: this.pairs.length, meanScore: 0.5 })
  }
}
