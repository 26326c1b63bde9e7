import type { LayerId, PeerName } from '../ids.ts'
import { compareText } from '../order.ts'
import { type Contributors, joinContributors } from './contributors.ts'

/** What the graph needs of a layer's manifest. */
export interface LayerNode {
  readonly layer: LayerId
  readonly parents: readonly LayerId[]
  readonly author: PeerName
  readonly seq: bigint
  readonly epoch: bigint
}

/** Layers and their parents, as far as they are known. No cycles: a parent's hash is in its child. */
export class LayerGraph {
  readonly #nodes: ReadonlyMap<LayerId, LayerNode>

  constructor(nodes: Iterable<LayerNode>) {
    this.#nodes = new Map(Array.from(nodes, (node) => [node.layer, node]))
  }

  get size(): number {
    return this.#nodes.size
  }

  node(layer: LayerId): LayerNode | undefined {
    return this.#nodes.get(layer)
  }

  /** A layer and its known ancestors, in no order. */
  closure(from: readonly LayerId[]): ReadonlySet<LayerId> {
    const seen = new Set<LayerId>()
    const queue = [...from]
    for (let layer = queue.pop(); layer !== undefined; layer = queue.pop()) {
      const node = this.#nodes.get(layer)
      if (node === undefined || seen.has(layer)) continue
      seen.add(layer)
      queue.push(...node.parents)
    }
    return seen
  }

  /**
   * Layers and their known ancestors, every one before its parents; where that leaves a choice, the later epoch first, then the higher seq, then by author and id.
   * A pure function of the set: the same for every order of `from`.
   */
  order(from: readonly LayerId[]): LayerNode[] {
    const wanted = this.closure(from)
    const children = new Map<LayerId, number>()
    for (const layer of wanted) for (const parent of new Set(this.#nodes.get(layer)!.parents)) children.set(parent, (children.get(parent) ?? 0) + 1)
    const ready = new Ready()
    for (const layer of wanted) if (!children.has(layer)) ready.push(this.#nodes.get(layer)!)
    const ordered: LayerNode[] = []
    for (let node = ready.pop(); node !== undefined; node = ready.pop()) {
      ordered.push(node)
      for (const parent of new Set(node.parents)) {
        const left = children.get(parent)! - 1
        children.set(parent, left)
        if (left === 0 && wanted.has(parent)) ready.push(this.#nodes.get(parent)!)
      }
    }
    return ordered
  }

  /** Parents of known layers that are not known themselves. */
  unknownParents(layers: Iterable<LayerId>): ReadonlySet<LayerId> {
    const unknown = new Set<LayerId>()
    for (const layer of layers) for (const parent of this.#nodes.get(layer)?.parents ?? []) if (!this.#nodes.has(parent)) unknown.add(parent)
    return unknown
  }

  /** Whether `ancestor` is `layer` or is reached from it over known parents. */
  reaches(layer: LayerId, ancestor: LayerId): boolean {
    return layer === ancestor || this.closure([layer]).has(ancestor)
  }

  /** Common ancestors of two layers of which none is an ancestor of another one; by id. */
  commonAncestors(a: LayerId, b: LayerId): LayerId[] {
    const ofB = this.closure([b])
    const common = new Set([...this.closure([a])].filter((layer) => ofB.has(layer)))
    const beneath = this.closure([...common].flatMap((layer) => this.#nodes.get(layer)!.parents))
    return [...common].filter((layer) => !beneath.has(layer)).sort(compareText)
  }

  /**
   * The contributor set of a layer. One that a member learned stands for itself; a merge (two parents or more) for the union of its parents' sets.
   * @returns the set, or the layers that must be known to tell
   */
  contributors(layer: LayerId): { readonly contributors: Contributors } | { readonly missing: readonly LayerId[] } {
    const missing = new Set<LayerId>()
    const sets: Contributors[] = []
    const seen = new Set<LayerId>()
    const queue = [layer]
    for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
      if (seen.has(at)) continue
      seen.add(at)
      const node = this.#nodes.get(at)
      if (node === undefined) missing.add(at)
      else if (node.parents.length < 2) sets.push([{ author: node.author, seq: node.seq, layer: at }])
      else queue.push(...node.parents)
    }
    return missing.size > 0 ? { missing: [...missing].sort(compareText) } : { contributors: joinContributors(...sets) }
  }
}

/** A binary heap: the layer that comes first among those whose children are all out. */
class Ready {
  readonly #heap: LayerNode[] = []

  push(node: LayerNode): void {
    const heap = this.#heap
    let at = heap.push(node) - 1
    while (at > 0) {
      const up = (at - 1) >>> 1
      if (compareNodes(heap[up]!, node) <= 0) break
      heap[at] = heap[up]!
      at = up
    }
    heap[at] = node
  }

  pop(): LayerNode | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return first
    let at = 0
    for (;;) {
      let down = 2 * at + 1
      if (down >= heap.length) break
      if (down + 1 < heap.length && compareNodes(heap[down + 1]!, heap[down]!) < 0) down++
      if (compareNodes(last, heap[down]!) <= 0) break
      heap[at] = heap[down]!
      at = down
    }
    heap[at] = last
    return first
  }
}

function compareNodes(a: LayerNode, b: LayerNode): number {
  if (a.epoch !== b.epoch) return a.epoch > b.epoch ? -1 : 1
  if (a.seq !== b.seq) return a.seq > b.seq ? -1 : 1
  return compareText(a.author, b.author) || compareText(a.layer, b.layer)
}
