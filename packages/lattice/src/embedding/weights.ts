import { EVIDENCE, type EvidenceParams } from '../evidence/derive.ts'

/** Share of a text's characters at which a character's weight is half of a rare one's: 1 in 333. Found on the development topics of the similarity bench. */
const HALF_WEIGHT_SHARE = 3e-3

/** e^x to a relative 10⁻⁸, as (1 + x/2³⁰)^2³⁰ by squaring: + × ÷ alone, and so the same bits everywhere. */
function exp(x: number): number {
  let value = 1 + x / 2 ** 30
  for (let i = 0; i < 30; i++) value *= value
  return value
}

/**
 * Weight of a character in a text, by how common it is: a/(a + p), p its share of all mass that was counted. The prior s tells the mass:
 * s = statePerNat·(1 + ln(1 + mass/occurrence)). A character that nobody has counted weighs 1.
 * @param state - the prior of a lattice of evidence
 */
export function characterWeights(state: Float32Array, { statePerNat }: EvidenceParams = EVIDENCE): Float64Array {
  // in units of `occurrence`, which p does not depend on
  const masses = Float64Array.from(state, (s) => (s > 0 ? Math.max(0, exp(s / statePerNat - 1) - 1) : 0))
  let total = 0
  for (const mass of masses) total += mass
  return masses.map((mass) => (total === 0 ? 1 : HALF_WEIGHT_SHARE / (HALF_WEIGHT_SHARE + mass / total)))
}
