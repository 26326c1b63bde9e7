export { EmbeddingSpace, type EmbeddingLattice, MAX_DIMENSIONS } from './embedding-space.ts'
export type { SignWords } from './signs.ts'
