import { ComputeError, type LatticeCompute } from '@sgsd/compute'

/**
 * The same lattice, telling once when its worker has died: what it had learned since the last commit is gone and its state
 * cannot be trusted, so the daemon ends and its supervisor starts it afresh from disk.
 */
export function guardLattice(lattice: LatticeCompute, onCrash: (error: ComputeError) => void): LatticeCompute {
  let told = false
  const notice = (error: unknown): never => {
    if (!told && error instanceof ComputeError && error.code === 'WORKER_CRASHED') {
      told = true
      onCrash(error)
    }
    throw error
  }
  return new Proxy(lattice, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function') return member
      return (...args: unknown[]): unknown => {
        const result: unknown = Reflect.apply(member, target, args)
        return result instanceof Promise ? result.catch(notice) : result
      }
    },
  })
}
