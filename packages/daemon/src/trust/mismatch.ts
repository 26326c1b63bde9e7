import { hex64 } from '../status.ts'

/** Why this node's own engine is not to be trusted, for people. */
export function mismatch(engine: string, epoch: bigint, chunk: number, value: bigint, reference: bigint): string {
  return `engine ${engine} computed ${hex64(value)} for chunk ${chunk} of epoch ${epoch}, the reference kernel ${hex64(reference)}`
}
