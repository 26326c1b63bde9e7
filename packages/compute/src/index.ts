export * from './compute-error.ts'
export * from './colour/port.ts'
export * from './lattice/port.ts'
