export * from './kernel.ts'
