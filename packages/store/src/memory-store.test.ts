import { createMemoryDisk, openMemoryStore } from './memory-store.ts'
import { storeCompliance } from './store.compliance.ts'

storeCompliance('the memory store', async () => {
  const disk = createMemoryDisk()
  return {
    open: () => openMemoryStore(disk),
    flipBit: async (id) => {
      const packed = disk.blocks.get(id)!.slice()
      packed[packed.length >>> 1]! ^= 1
      disk.blocks.set(id, packed)
    },
  }
})
