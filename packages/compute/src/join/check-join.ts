import { type IdSets, MAX_JOIN_IDS, MAX_SET_IDS, MAX_JOIN_SETS, type PairGate } from './port.ts'

/** @throws RangeError that says which bound a collection breaks */
export function checkSets({ ptr, ids }: IdSets): void {
  const rows = ptr.length - 1
  if (rows < 0 || ptr[0] !== 0) throw new RangeError('the offsets of the sets do not begin with 0')
  if (rows > MAX_JOIN_SETS) throw new RangeError(`${rows} sets are more than ${MAX_JOIN_SETS}`)
  if (ids.length > MAX_JOIN_IDS) throw new RangeError(`${ids.length} ids are more than ${MAX_JOIN_IDS}`)
  for (let row = 0; row < rows; row++) {
    const length = ptr[row + 1]! - ptr[row]!
    if (length < 0) throw new RangeError(`the offsets of the sets fall at set ${row}`)
    if (length > MAX_SET_IDS) throw new RangeError(`set ${row} has ${length} ids, more than ${MAX_SET_IDS}`)
  }
  if (ptr[rows] !== ids.length) throw new RangeError(`the offsets end at ${ptr[rows]}, the ids at ${ids.length}`)
}

/** @throws RangeError that says which bound a gate breaks */
export function checkGate({ tau, rho, top }: PairGate): void {
  if (!(tau >= 0 && tau <= 1)) throw new RangeError(`${tau} is no coverage: τ is from 0 to 1`)
  if (!(rho >= 0 && rho < Infinity)) throw new RangeError(`${rho} is no exclusion: ρ is at least 0`)
  if (!(Number.isInteger(top) && top >= 1)) throw new RangeError(`${top} is no number of pairs: at least 1`)
}
