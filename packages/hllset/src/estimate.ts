/** A figure that a sketch gives: the maximum-likelihood value and one standard error of it, in the same unit. */
export interface Estimate {
  readonly value: number
  /** One standard deviation; ± 2 of them hold the truth about 95 times in 100. */
  readonly error: number
}
