import { createMemoryDisk, openMemoryStore } from './memory-store.ts'
import { storeCompliance } from './store.compliance.ts'
import type { StorePlace } from './store.compliance.ts'
import { sweepCompliance } from './sweep.compliance.ts'

const createPlace = async (): Promise<StorePlace> => {
  const disk = createMemoryDisk()
  return {
    open: () => openMemoryStore(disk),
    flipBit: async (id) => {
      const packed = disk.blocks.get(id)!.slice()
      packed[packed.length >>> 1]! ^= 1
      disk.blocks.set(id, packed)
    },
  }
}

storeCompliance('the memory store', createPlace)
sweepCompliance('the memory store', createPlace)
