/** Bytes of a tensor file that is read, uncompressed: 8,000,000 counts with the two matrices derived from them are about 500 MB. */
export const MAX_TENSOR_FILE_BYTES: number = 640 * 2 ** 20

/** Entries of an archive: a layer has a dozen, a large network a few hundred. */
export const MAX_ZIP_ENTRIES = 1_024

/** Bytes of a name inside an archive. */
export const MAX_ZIP_NAME_BYTES = 256

/** Bytes of the pickle in an archive: 2 kB of a layer, 600 kB of a consensus of 4,096 heads. */
export const MAX_PICKLE_BYTES = 1_048_576

/** Tensors and strings in a tensor file. */
export const MAX_TENSORS = 64
export const MAX_META = 64

/** Bytes of the JSON header of a safetensors file. */
export const MAX_SAFETENSORS_HEADER_BYTES = 1_048_576

/** Bytes of a portable layer: 8,000,000 pairs are 64 MB, 22,903 rows of 64 edges in both matrices 24 MB. */
export const MAX_BUNDLE_BYTES: number = 96 * 2 ** 20
