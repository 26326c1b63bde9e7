export * from './contributors.ts'
export * from './diff-rows.ts'
export * from './layer-graph.ts'
export * from './merge-rows.ts'
