import { ENGINE_LOADERS } from './engine-loaders.ts'
import { serveColours } from './worker-loop.ts'

serveColours(ENGINE_LOADERS)
