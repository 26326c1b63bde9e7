/** An adapter's name, and whether it computes on the CPU. */
export interface AdapterName {
  readonly name: string
  readonly software: boolean
}

/** Drivers that compute on the CPU, by what they call themselves. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|warp/i

export function adapterName({ vendor, architecture, device, description, isFallbackAdapter }: GPUAdapterInfo): AdapterName {
  const model = [vendor, device || architecture].filter((part) => part !== '').join(' ')
  const name = [model, description].filter((part) => part !== '').join(', ')
  return { name: name === '' ? 'a nameless adapter' : name, software: isFallbackAdapter || SOFTWARE.test(`${name} ${architecture}`) }
}
