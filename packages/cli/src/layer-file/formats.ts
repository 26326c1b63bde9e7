import { promisify } from 'node:util'
import { constants, zstdCompress, zstdDecompress } from 'node:zlib'
import { encodeSafetensors, encodeTorch, isLayerBundle, MAX_TENSOR_FILE_BYTES, parseSafetensors, parseTorch, type TensorFile } from '@sgsd/interop'
import type { Verdict } from '@sgsd/wire'
import { EXIT } from '../exit-code.ts'
import { CliError } from '../failure.ts'

/** What tensors are written as. */
export const TENSOR_FORMATS = ['pt', 'safetensors'] as const
export type TensorFormat = (typeof TENSOR_FORMATS)[number]

/** Of a frame that is read, log2 bytes of its window; ours have less. */
const WINDOW_LOG_MAX = 23
const ZSTD_MAGIC = 0xfd2fb528
const ZIP_MAGIC = 0x04034b50

const zstd = promisify(zstdCompress)
const unzstd = promisify(zstdDecompress)

export function encodeTensors(format: TensorFormat, file: TensorFile): Uint8Array {
  return format === 'pt' ? encodeTorch(file) : encodeSafetensors(file)
}

/** One zstd frame. */
export async function compressed(bytes: Uint8Array): Promise<Uint8Array> {
  return zstd(bytes, { pledgedSrcSize: bytes.length })
}

/** The content of a file, which may be compressed. @param name - for people @throws CliError FILE_INVALID, exit 2 */
export async function uncompressed(name: string, bytes: Uint8Array, most: number = MAX_TENSOR_FILE_BYTES): Promise<Uint8Array> {
  if (startsWith(bytes, ZSTD_MAGIC)) {
    try {
      return await unzstd(bytes, { maxOutputLength: most, params: { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG_MAX } })
    } catch (error) {
      const large = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
      const why = large ? `it holds more than ${most} bytes` : 'its zstd frame is damaged'
      throw new CliError('FILE_INVALID', `${name}: ${why}`, EXIT.usage, '', { cause: error })
    }
  }
  return bytes
}

/** A file's content by its first bytes: a portable layer, or tensors. */
export function contentOf(bytes: Uint8Array): { readonly type: 'bundle' } | { readonly type: 'tensors'; readonly tensors: Verdict<TensorFile> } {
  if (isLayerBundle(bytes)) return { type: 'bundle' }
  return { type: 'tensors', tensors: startsWith(bytes, ZIP_MAGIC) ? parseTorch(bytes) : parseSafetensors(bytes) }
}

function startsWith(bytes: Uint8Array, magic: number): boolean {
  return bytes.length >= 4 && new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(0, true) === magic
}
