/** What this package uses of Dawn. */
export interface Dawn {
  readonly gpu: GPU
  readonly usage: typeof GPUBufferUsage
}

/**
 * Loads Dawn, some 10 MB, and whatever Vulkan, Metal or D3D12 driver there is: a broken one may crash or hang the process, so only
 * in one that nobody will miss.
 * @throws Error when the optional package is not installed, or has no library for this platform
 */
export async function loadDawn(): Promise<Dawn> {
  const { create, globals } = await import('webgpu')
  const { GPUBufferUsage: usage } = globals as { readonly GPUBufferUsage: typeof GPUBufferUsage }
  return { gpu: create([]), usage }
}
