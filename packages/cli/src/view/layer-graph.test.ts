import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type GraphNode, graphLines } from './layer-graph.ts'

const node = (layer: string, ...parents: string[]): GraphNode => ({ layer, parents })
const drawing = (nodes: readonly GraphNode[], unknown: readonly string[] = []): string[] =>
  graphLines(nodes, new Set(unknown)).map(({ text, layer }) => `${text}${layer === undefined ? '' : ` ${layer}`}`)

test('one line of descent', () => {
  expect(drawing([node('c', 'b'), node('b', 'a'), node('a')])).toEqual(['● c', '● b', '● a'])
})

test('two members beside each other', () => {
  expect(drawing([node('a2', 'a1'), node('b2', 'b1'), node('a1'), node('b1')])).toEqual(['● a2', '│ ● b2', '● │ a1', '  ● b1'])
})

test('a merge opens a lane, a common ancestor closes it', () => {
  expect(drawing([node('m', 'a', 'b'), node('a', 'r'), node('b', 'r'), node('r')])).toEqual(['◆ m', '├─╮', '● │ a', '│ ● b', '●─╯ r'])
})

test('an unknown parent ends its lane', () => {
  expect(drawing([node('b', 'a')], ['a'])).toEqual(['● b', '○'])
})

test('every layer is drawn once, in the order given, whatever the graph', () => {
  const graphs = fc
    .array(fc.array(fc.nat(), { maxLength: 3 }), { maxLength: 14 })
    .map((list) =>
      list.map((parents, i) =>
        node(String(i), ...(i === list.length - 1 ? [] : [...new Set(parents.map((p) => String(i + 1 + (p % (list.length - 1 - i)))))])),
      ),
    )
  fc.assert(
    fc.property(graphs, fc.nat(14), (nodes, lost) => {
      const lines = graphLines(nodes, new Set([String(lost + nodes.length)]))
      expect(lines.flatMap(({ layer }) => layer ?? [])).toEqual(nodes.map(({ layer }) => layer))
      for (const { text, layer } of lines) expect([...text].filter((character) => '●◆'.includes(character))).toHaveLength(layer === undefined ? 0 : 1)
    }),
  )
})
