export * from './verdict.ts'
export * from './protocol.ts'
