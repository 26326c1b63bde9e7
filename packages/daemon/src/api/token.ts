import { randomBytes } from 'node:crypto'
import { isStoreError, readSecretFile, writeFileDurably, writeSecretFile } from '@sgsd/store'

const TOKEN_BYTES = 32
/** Owner reads and writes, nobody else anything. */
const TOKEN_MODE = 0o600

/** The API's token; made when there is none. @param file - `<data-dir>/api.token` @throws StoreError SECRET_EXPOSED | NOT_WRITABLE | … */
export async function ensureApiToken(file: string): Promise<string> {
  try {
    return await readApiToken(file)
  } catch (error) {
    if (!isStoreError(error, 'NOT_FOUND')) throw error
  }
  try {
    await writeSecretFile(file, Buffer.from(`${newToken()}\n`))
  } catch (error) {
    // another process made one in between
    if (!isStoreError(error, 'SECRET_EXISTS')) throw error
  }
  return readApiToken(file)
}

/** @throws StoreError NOT_FOUND | SECRET_EXPOSED | … */
export async function readApiToken(file: string): Promise<string> {
  return Buffer.from(await readSecretFile(file))
    .toString('utf8')
    .trim()
}

/** A new token in the place of the old one, which stops working at once: a running daemon reads the file at every request. */
export async function rotateApiToken(file: string): Promise<string> {
  const token = newToken()
  await writeFileDurably(file, Buffer.from(`${token}\n`), TOKEN_MODE)
  return token
}

function newToken(): string {
  return `sgsd-${randomBytes(TOKEN_BYTES).toString('base64url')}`
}
