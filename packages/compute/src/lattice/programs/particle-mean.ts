/** Weights that sum to 1, and the cosines that they may come from. */
export interface ParticleWeights {
  readonly weights: readonly number[]
  readonly likeness: readonly number[]
}

/**
 * What each particle counts. Only + × ÷ and sqrt in binary64, in row order: the same on every machine.
 * @param by - `likeness`: in proportion to the cosine to `reference`; equally where all are 0
 */
export function weigh(particles: readonly Float32Array[], by: 'equal' | 'likeness', reference: Float32Array): ParticleWeights {
  const likeness = particles.map((particle) => cosine(particle, reference))
  const sum = likeness.reduce((a, b) => a + b, 0)
  const weights = by === 'likeness' && sum > 0 ? likeness.map((value) => value / sum) : particles.map(() => 1 / particles.length)
  return { weights, likeness }
}

/** Σ weight · particle, rounded to binary32 once. */
export function weightedMean(particles: readonly Float32Array[], weights: readonly number[]): Float32Array {
  const sums = new Float64Array(particles[0]?.length ?? 0)
  for (const [index, particle] of particles.entries()) {
    const weight = weights[index]!
    for (let row = 0; row < sums.length; row++) sums[row]! += weight * particle[row]!
  }
  return Float32Array.from(sums, (sum) => Math.min(1, sum))
}

/** 0 for a state without any entry. */
function cosine(a: Float32Array, b: Float32Array): number {
  let [dot, aa, bb] = [0, 0, 0]
  for (let row = 0; row < a.length; row++) {
    dot += a[row]! * b[row]!
    aa += a[row]! * a[row]!
    bb += b[row]! * b[row]!
  }
  return aa > 0 && bb > 0 ? Math.min(1, dot / (Math.sqrt(aa) * Math.sqrt(bb))) : 0
}
