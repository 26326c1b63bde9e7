export * from './config.ts'
export * from './control/api.ts'
