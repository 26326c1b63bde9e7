import { z } from 'zod'

/** The built-in host: how many characters of the next line the lattice names. */
export interface NextLineConfig {
  readonly kind: 'next-line'
}

/** A web service of one's own. */
export interface HttpConfig {
  readonly kind: 'http'
  readonly url: string
  /** File of `Name: value` lines, mode 0600, sent with every request. */
  readonly headersFile?: string | undefined
  /** One attempt, from connecting to the last byte of the answer. */
  readonly timeoutMs: number
  /** Further attempts after the first. */
  readonly retries: number
  readonly batch: number
}

/** Any server that speaks OpenAI's chat completions. */
export interface OpenaiConfig {
  readonly kind: 'openai'
  /** Up to and with the version, e.g. `https://api.openai.com/v1`. */
  readonly baseUrl: string
  readonly model: string
  /** File with the key, mode 0600; read at every call. */
  readonly apiKeyFile?: string | undefined
  /** Name of the environment variable that holds the key. Neither: no key is sent. */
  readonly apiKeyEnv?: string | undefined
  /** What the model is told to do, instead of the built-in text. */
  readonly prompt?: string | undefined
  /** Tokens that one answer may have. */
  readonly maxAnswerTokens: number
  readonly timeoutMs: number
  readonly retries: number
  /** Items in work at once, a request each. */
  readonly batch: number
  /** Counted over restarts; 0 = no limit. */
  readonly budget: { readonly maxRequests: number; readonly maxTokens: number; readonly per: 'day' | 'total' }
}

/** A program that reads items and writes grades, a line of JSON each. */
export interface CommandConfig {
  readonly kind: 'command'
  /** A name in PATH or a path; no shell reads it. */
  readonly command: string
  readonly args: readonly string[]
  /** One call, all of its items. */
  readonly timeoutMs: number
  readonly batch: number
}

/** Writes items and grades none. */
export interface StdoutConfig {
  readonly kind: 'stdout'
  /** A file that is appended to, or `-`: the daemon's standard output. */
  readonly path: string
  readonly batch: number
}

/** A database file in which a person or a script writes the grades. */
export interface SqliteConfig {
  readonly kind: 'sqlite'
  readonly path: string
  /** True: farming waits until every line has a grade. False: it goes on, and finds them when the text is farmed again. */
  readonly wait: boolean
  readonly batch: number
}

/** `farm.host`. Relative paths are taken from the data directory. */
export type HostConfig = NextLineConfig | HttpConfig | OpenaiConfig | CommandConfig | StdoutConfig | SqliteConfig

/** One line for each kind of host, for help texts. */
export const HOST_KINDS: { readonly [K in HostConfig['kind']]: string } = {
  'next-line': 'built in: the share of the next line that the lattice names',
  http: 'a web service: items in a POST, grades in the answer',
  openai: 'a language model behind any OpenAI-compatible chat completions server',
  command: 'a program: a line of JSON with the item in, a line with the grade out',
  stdout: 'grades nothing: writes the items to a file or to standard output',
  sqlite: 'a database file: items go into one table, a person or a script puts grades into another',
}

/** A grade is never waited for longer than this, ms. */
const MAX_TIMEOUT_MS = 600_000
/** Further attempts wait 0.25 s, 0.5 s, 1 s …; ten of them take a minute. */
const MAX_RETRIES = 10

/** A path or an argument; the system takes none with a zero in it. */
const word = z
  .string()
  .max(4096)
  .refine((text) => !text.includes('\0'), { error: 'must not contain a zero character' })
const path = word.min(1)
const batch = (most: number): z.ZodInt => z.int().min(1).max(most)
const timeoutMs = z.int().min(10).max(MAX_TIMEOUT_MS)
const retries = z.int().min(0).max(MAX_RETRIES)

/** An address without secrets: whoever reads the configuration or a log would have them. */
const webUrl = z
  .url({ protocol: /^https?$/, error: 'must be an http:// or https:// address' })
  .max(2048)
  .refine((text) => URL.canParse(text) && new URL(text).username === '' && new URL(text).password === '', {
    error: 'must not contain a user name or password: put them into a header file',
  })

const limits = { maxRequests: 1_000, maxTokens: 1_000_000, per: 'day' as const }

export const hostSchema: z.ZodType<HostConfig> = z
  .discriminatedUnion(
    'kind',
    [
      z.strictObject({ kind: z.literal('next-line') }),
      z.strictObject({
        kind: z.literal('http'),
        url: webUrl,
        headersFile: path.optional(),
        timeoutMs: timeoutMs.default(10_000),
        retries: retries.default(3),
        batch: batch(256).default(16),
      }),
      z
        .strictObject(
          {
            kind: z.literal('openai'),
            baseUrl: webUrl,
            model: z.string().min(1).max(256),
            apiKeyFile: path.optional(),
            apiKeyEnv: z
              .string()
              .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, { error: 'must be the name of an environment variable, e.g. OPENAI_API_KEY' })
              .optional(),
            prompt: z.string().min(1).max(4_000).optional(),
            maxAnswerTokens: z.int().min(16).max(32_768).default(512),
            timeoutMs: timeoutMs.default(60_000),
            retries: retries.default(3),
            batch: batch(64).default(4),
            budget: z
              .strictObject({
                maxRequests: z.int().min(0).default(limits.maxRequests),
                maxTokens: z.int().min(0).default(limits.maxTokens),
                per: z.enum(['day', 'total']).default(limits.per),
              })
              .default(limits),
          },
          { error: ({ code, keys }) => (code === 'unrecognized_keys' && isKey(keys) ? KEY_IN_CONFIG : undefined) },
        )
        .refine(({ apiKeyFile, apiKeyEnv }) => apiKeyFile === undefined || apiKeyEnv === undefined, {
          error: 'give apiKeyFile or apiKeyEnv, not both',
        }),
      z.strictObject({
        kind: z.literal('command'),
        command: path,
        args: z.array(word).max(64).default([]),
        timeoutMs: timeoutMs.default(30_000),
        batch: batch(256).default(16),
      }),
      z.strictObject({ kind: z.literal('stdout'), path, batch: batch(256).default(64) }),
      z.strictObject({ kind: z.literal('sqlite'), path, wait: z.boolean().default(false), batch: batch(256).default(64) }),
    ],
    { error: ({ code }) => (code === 'invalid_union' ? `must be one of ${Object.keys(HOST_KINDS).join(', ')}` : undefined) },
  )
  .default({ kind: 'next-line' })

const KEY_IN_CONFIG = 'the key itself is never kept here: put it into a file and name that as apiKeyFile, or name a variable as apiKeyEnv'

function isKey(keys: unknown): boolean {
  return Array.isArray(keys) && keys.some((key) => typeof key === 'string' && /^api_?key$/i.test(key))
}
