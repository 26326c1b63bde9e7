export * from './colour/port.ts'
export * from './lattice/port.ts'
