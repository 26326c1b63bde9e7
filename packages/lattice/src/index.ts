export * from './csr.ts'
export * from './hanzi-kernel.ts'
