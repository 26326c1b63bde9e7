export { EmbeddingSpace, type EmbeddingLattice, MAX_DIMENSIONS } from './embedding-space.ts'
export type { SignWords } from './signs.ts'
export { areaUnderCurve, type LabelledText, parseSimilaritySet } from './similarity-set.ts'
