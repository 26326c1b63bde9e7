import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import type * as fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { BlockId, ItemId } from '@sgsd/consensus'
import fc from 'fast-check'
import { afterAll, expect, test, vi } from 'vitest'

import { openStore } from './open-store.ts'
import type { Store } from './port.ts'
import { sample, sha256 } from './testing/sample.ts'
import { pack } from './zstd.ts'

/** Calls that change the disk until the process "dies": then this one and all later ones fail, and nothing reaches the disk any more. */
const machine = { callsToLive: Infinity, dead: false }

function live(): void {
  if (machine.callsToLive <= 0) machine.dead = true
  machine.callsToLive -= 1
  if (machine.dead) throw Object.assign(new Error('the process is dead'), { code: 'EDEAD' })
}

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof fs>()
  const watched = (handle: fs.FileHandle): fs.FileHandle =>
    new Proxy(handle, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name, target)
        if (typeof member !== 'function') return member
        const counted = name === 'write' || name === 'sync' || name === 'truncate'
        if (!counted) return member.bind(target) as unknown
        return async (...args: readonly unknown[]): Promise<unknown> => {
          live()
          return member.apply(target, args)
        }
      },
    })
  return {
    ...real,
    open: async (...args: Parameters<typeof real.open>) => {
      if (args[1] !== 'r') live()
      return watched(await real.open(...args))
    },
    rename: async (...args: Parameters<typeof real.rename>) => {
      live()
      return real.rename(...args)
    },
    rm: async (...args: Parameters<typeof real.rm>) => {
      live()
      return real.rm(...args)
    },
  }
})

const root = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'sgsd-model-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** Block n, and what a store may say of it. */
const BLOCKS = Array.from({ length: 8 }, (_, n) => sample(n, 40 + 900 * n))
const IDS = BLOCKS.map(sha256)
const PACKED = await Promise.all(BLOCKS.map((bytes) => pack(bytes)))

/**
 * What must be true of a store, written down as naively as can be: a block is `here` (acknowledged), `gone`, or `either` (a process died within the call that
 * would have made it one or the other). Items and notes change in one step, so they are only ever old or new.
 */
class Model {
  readonly blocks: ('here' | 'gone' | 'either')[] = BLOCKS.map(() => 'gone')
  readonly leased = new Set<number>()
  readonly notes = new Map<string, number>()
  readonly items = new Map<string, number>()
}

class Real {
  readonly dir: string
  store!: Store
  #leases: Disposable[] = []

  constructor(dir: string) {
    this.dir = dir
  }

  async open(): Promise<void> {
    Object.assign(machine, { callsToLive: Infinity, dead: false })
    this.store = await openStore(this.dir)
  }

  lease(ids: readonly BlockId[]): void {
    this.#leases.push(this.store.blocks.lease(ids))
  }

  /** The process dies: nothing is closed properly, but SQLite must let go of its file. */
  async die(): Promise<void> {
    machine.dead = true
    await this.store.close().catch(() => undefined)
    this.#leases = []
    await this.open()
  }
}

type Command = fc.AsyncCommand<Model, Real>

/** A call that may be cut short by the death of the process after so many changes of the disk. */
abstract class Mortal implements Command {
  readonly life: number | undefined

  constructor(life: number | undefined) {
    this.life = life
  }

  check(): boolean {
    return true
  }

  async run(model: Model, real: Real): Promise<void> {
    machine.callsToLive = this.life ?? Infinity
    const before = [...model.blocks]
    this.expect(model)
    try {
      await this.call(real, model)
    } catch (error) {
      if (!machine.dead) throw error
    }
    if (machine.dead) {
      for (const [n, state] of model.blocks.entries()) if (state !== before[n]) model.blocks[n] = 'either'
      model.leased.clear()
      await real.die()
      // Nothing half-written is left, and what may be either is one of the two for good.
      expect(readdirSync(join(real.dir, 'tmp'))).toEqual([])
      expect((await real.store.blocks.scrub()).damaged).toEqual([])
      for (const [n, state] of model.blocks.entries()) if (state === 'either') model.blocks[n] = real.store.blocks.has(IDS[n]!) ? 'here' : 'gone'
    }
    machine.callsToLive = Infinity
    await agrees(model, real)
  }

  abstract expect(model: Model): void
  abstract call(real: Real, model: Model): Promise<unknown>
}

class PutMany extends Mortal {
  readonly which: readonly number[]

  constructor(which: readonly number[], life: number | undefined) {
    super(life)
    this.which = which
  }

  expect(model: Model): void {
    for (const n of this.which) model.blocks[n] = 'here'
  }

  async call({ store }: Real): Promise<void> {
    expect(await store.blocks.putMany(this.which.map((n) => BLOCKS[n]!))).toEqual(this.which.map((n) => IDS[n]))
  }

  override toString(): string {
    return `putMany(${this.which.join(' ')})${this.life === undefined ? '' : ` dies after ${this.life}`}`
  }
}

class Receive extends Mortal {
  readonly n: number
  readonly cut: number

  constructor(n: number, cut: number, life: number | undefined) {
    super(life)
    this.n = n
    this.cut = cut
  }

  expect(model: Model): void {
    if (this.cut >= 1) model.blocks[this.n] = 'here'
  }

  /** @returns after a part of the block only, where `cut` says so: the rest may come later */
  async call({ store }: Real): Promise<void> {
    const packed = PACKED[this.n]!
    const sink = await store.blocks.receive(IDS[this.n]!)
    const end = Math.max(sink.have, Math.round(this.cut * packed.length))
    for (let at = sink.have; at < end; at += 1_000) await sink.write(packed.subarray(at, Math.min(end, at + 1_000)))
    if (this.cut < 1) await sink.abort()
    else expect(sha256(await sink.finish())).toBe(IDS[this.n])
  }

  override toString(): string {
    return `receive(${this.n}, ${this.cut})${this.life === undefined ? '' : ` dies after ${this.life}`}`
  }
}

class Sweep extends Mortal {
  readonly live: ReadonlySet<number>

  constructor(live: readonly number[], life: number | undefined) {
    super(life)
    this.live = new Set(live)
  }

  expect(model: Model): void {
    for (const n of model.blocks.keys()) if (!this.live.has(n) && !model.leased.has(n)) model.blocks[n] = 'gone'
  }

  call({ store }: Real): Promise<unknown> {
    const live = new Set([...this.live].map((n) => IDS[n]))
    return store.blocks.sweep((id) => live.has(id), { writtenBefore: Infinity, unusedSince: Infinity })
  }

  override toString(): string {
    return `sweep(all but ${[...this.live].join(' ')})${this.life === undefined ? '' : ` dies after ${this.life}`}`
  }
}

class Lease implements Command {
  readonly n: number

  constructor(n: number) {
    this.n = n
  }

  check(): boolean {
    return true
  }

  async run(model: Model, real: Real): Promise<void> {
    model.leased.add(this.n)
    real.lease([IDS[this.n]!])
  }

  toString(): string {
    return `lease(${this.n})`
  }
}

class Note implements Command {
  readonly key: string
  readonly value: number
  readonly breaks: boolean

  constructor(key: string, value: number, breaks: boolean) {
    this.key = key
    this.value = value
    this.breaks = breaks
  }

  check(): boolean {
    return true
  }

  /** An item, a note and the loss of another note in one commit, or in none. */
  async run(model: Model, real: Real): Promise<void> {
    const { items } = real.store
    const other = this.key === 'a' ? 'b' : 'a'
    const work = (): void => {
      items.setNote('pin', this.key, Uint8Array.of(this.value))
      items.put({ kind: 'head', key: this.key, id: String(this.value) as ItemId, bytes: Uint8Array.of(this.value) })
      expect(items.deleteNote('pin', other)).toBe(model.notes.has(other))
      if (this.breaks) throw new Error('broken off')
    }
    if (this.breaks) {
      expect(() => items.batch(work)).toThrow('broken off')
    } else {
      items.batch(work)
      model.notes.delete(other)
      model.notes.set(this.key, this.value)
      model.items.set(this.key, this.value)
    }
    await agrees(model, real)
  }

  toString(): string {
    return `note(${this.key} = ${this.value}${this.breaks ? ', broken off' : ''})`
  }
}

class Reopen implements Command {
  check(): boolean {
    return true
  }

  async run(model: Model, real: Real): Promise<void> {
    await real.store.close()
    model.leased.clear()
    await real.open()
    await agrees(model, real)
  }

  toString(): string {
    return 'reopen'
  }
}

/** Everything that can be seen of the store is what the model says. */
async function agrees(model: Model, { store }: Real): Promise<void> {
  for (const [n, state] of model.blocks.entries()) {
    expect(store.blocks.has(IDS[n]!)).toBe(state === 'here')
    expect(await store.blocks.get(IDS[n]!)).toEqual(state === 'here' ? BLOCKS[n] : undefined)
  }
  const here = IDS.filter((_, n) => model.blocks[n] === 'here')
  expect([...store.blocks.list()]).toEqual(here.sort())
  expect((await store.blocks.usage()).blocks).toBe(here.length)
  expect(Array.from(store.items.notes('pin'), ({ key, bytes }) => [key, bytes[0]])).toEqual(sorted(model.notes))
  expect(Array.from(store.items.items(), ({ key, bytes }) => [key, bytes[0]])).toEqual(sorted(model.items))
}

function sorted(map: ReadonlyMap<string, number>): [string, number][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1))
}

const some = fc.array(fc.nat(BLOCKS.length - 1), { maxLength: 5 })
const life = fc.option(fc.nat(30), { nil: undefined })
const commands = fc.commands(
  [
    fc.tuple(some, life).map(([which, dies]) => new PutMany(which, dies)),
    fc.tuple(fc.nat(BLOCKS.length - 1), fc.constantFrom(0.3, 0.7, 1), life).map(([n, cut, dies]) => new Receive(n, cut, dies)),
    fc.tuple(some, life).map(([live, dies]) => new Sweep(live, dies)),
    fc.nat(BLOCKS.length - 1).map((n) => new Lease(n)),
    fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(255), fc.boolean()).map(([key, value, breaks]) => new Note(key, value, breaks)),
    fc.constant(new Reopen()),
  ],
  { maxCommands: 25 },
)

test('random commands agree with a naive model, with deaths between any two changes of the disk', { timeout: 60_000 }, async () => {
  let runs = 0
  await fc.assert(
    fc.asyncProperty(commands, async (all) => {
      runs += 1
      const real = new Real(join(root, String(runs)))
      await real.open()
      try {
        await fc.asyncModelRun(() => ({ model: new Model(), real }), all)
      } finally {
        Object.assign(machine, { callsToLive: Infinity, dead: false })
        await real.store.close().catch(() => undefined)
        rmSync(real.dir, { recursive: true, force: true })
      }
    }),
    { numRuns: 250 },
  )
})
