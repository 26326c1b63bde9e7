import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

const DOMAIN = 'sgs-voucher/1'

/**
 * Shows that whoever packed a layer knows the mesh's key: a member that has met others through files alone is admitted by the same secret as one that
 * connects. docs/interop.md
 * @param head, record - the two signed envelopes
 */
export function voucherOf(meshKey: Uint8Array, head: Uint8Array, record: Uint8Array): Uint8Array {
  const hash = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()
  return new Uint8Array(createHmac('sha256', meshKey).update(DOMAIN).update(hash(head)).update(hash(record)).digest())
}

/** In time that does not depend on where they differ. */
export function vouches(voucher: Uint8Array, meshKey: Uint8Array, head: Uint8Array, record: Uint8Array): boolean {
  const wanted = voucherOf(meshKey, head, record)
  return voucher.length === wanted.length && timingSafeEqual(voucher, wanted)
}
