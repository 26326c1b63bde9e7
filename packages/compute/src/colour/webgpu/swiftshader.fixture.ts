import { existsSync } from 'node:fs'

/** Where packages put SwiftShader's Vulkan manifest, and the Vulkan loader that reads it. */
const MANIFESTS = ['/usr/lib/chromium/vk_swiftshader_icd.json', '/opt/google/chrome/vk_swiftshader_icd.json'] as const
const LOADERS = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib'].map((folder) => `${folder}/libvulkan.so.1`)

/** The manifest of the software GPU, for VK_ICD_FILENAMES; undefined where it cannot be used. */
export const SWIFTSHADER: string | undefined = LOADERS.some((file) => existsSync(file)) ? MANIFESTS.find((file) => existsSync(file)) : undefined
