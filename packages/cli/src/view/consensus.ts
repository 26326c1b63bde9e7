import type { ConsensusDocument, ConsensusLogDocument, ConsensusVerifyDocument } from '@sgsd/daemon'
import { plainText } from '../text/display-width.ts'
import { count } from '../text/figures.ts'
import type { Style } from '../text/style.ts'
import { type Column, table } from '../text/table.ts'

type Fold = ConsensusLogDocument['folds'][number]
type Head = ConsensusDocument['heads'][number]

const SHORT = 12

export function consensusLog({ folds, kept }: ConsensusLogDocument, width: number, style: Style): string[] {
  if (folds.length === 0) return ['nothing was folded yet  →  sgsd farm <file>']
  const columns: Column<Fold>[] = [
    { title: 'N', align: 'right', text: ({ n }) => String(n) },
    {
      title: 'CONSENSUS',
      text: ({ id }) => `[${id.slice(0, 6)}]${id.slice(6, SHORT)}`,
      paint: (_, { id }) => `${style.block(id)}${id.slice(6, SHORT)}`,
    },
    { title: 'DIGEST', text: ({ digest }) => digest.slice(0, SHORT), dropOrder: 2 },
    { title: 'HEADS', align: 'right', text: ({ heads }) => count(heads) },
    { title: 'EPOCH', align: 'right', text: ({ epoch }) => epoch, dropOrder: 1 },
    { title: 'AT', text: ({ at }) => at },
  ]
  return [...table(columns, folds, width, (text) => style.dim(text)), style.dim(`${count(kept)} are kept (history.keep)`)]
}

export function consensusView({ fold, foldId, current, heads }: ConsensusDocument, width: number, style: Style): string[] {
  const columns: Column<Head>[] = [
    { title: 'MEMBER', text: ({ name }) => plainText(name), paint: (text) => style.bold(text), min: 6 },
    { title: 'SEQ', align: 'right', text: ({ seq }) => seq },
    {
      title: 'LAYER',
      text: ({ layer }) => `[${layer.slice(0, 6)}]${layer.slice(6, SHORT)}`,
      paint: (_, { layer }) => `${style.block(layer)}${layer.slice(6, SHORT)}`,
    },
    { title: 'WEIGHT', align: 'right', text: ({ weight }) => weight.toFixed(3), dropOrder: 1 },
    { title: 'BLOCKS', text: ({ missing }) => (missing === 0 ? 'here' : missing < 0 ? 'unknown' : `${count(missing)} missing`) },
  ]
  return [
    `consensus ${style.block(fold.id)} ${fold.id}${current ? '  (running)' : ''}`,
    `digest    ${fold.digest}`,
    `fold      ${foldId}, number ${fold.n}, colour epoch ${fold.epoch}, ${fold.at}`,
    '',
    ...table(columns, heads, width, (text) => style.dim(text)),
  ]
}

/** What folding it again gave. */
export function refoldView({ fold, agrees, id, digest, rows, nnz, fetched, foldMs }: ConsensusVerifyDocument, style: Style): string[] {
  const how = `${count(fold.heads)} heads, ${count(rows)} rows, ${count(nnz)} edges, ${foldMs.toFixed(0)} ms${fetched === 0 ? '' : `, ${count(fetched)} blocks fetched`}`
  if (agrees) return [style.green(`✓ consensus ${fold.id.slice(0, SHORT)} comes out again, byte for byte`), `  digest ${digest}`, `  ${how}`]
  return [
    style.red(`✗ consensus ${fold.id.slice(0, SHORT)} comes out otherwise`),
    `  id      recorded ${fold.id}`,
    `          now      ${id}`,
    `  digest  recorded ${fold.digest}`,
    `          now      ${digest}`,
    `  ${how}`,
  ]
}
