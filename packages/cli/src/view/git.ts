import type { GitPullDocument, GitPushDocument } from '../commands/git.ts'
import { plainText } from '../text/display-width.ts'
import { count, shortPeer } from '../text/figures.ts'
import type { Style } from '../text/style.ts'
import { table } from '../text/table.ts'

type Layer = GitPullDocument['layers'][number]

/** What became of a push. */
export function gitPushView({ result, commit, branch, layer, consensus, attempts, leftOut }: GitPushDocument): string[] {
  const tries = attempts > 1 ? `, at the ${attempts}. attempt: others pushed too` : ''
  const done = result === 'same' ? `${branch} holds all of it already (${commit.slice(0, 12)})` : `${commit.slice(0, 12)} on ${branch}${tries}`
  return [
    `pushed     ${done}`,
    `layer      ${layer}`,
    `consensus  ${consensus === '' ? 'none yet' : consensus}`,
    ...leftOut.map((name) => `left out   ${name}: too large for a repository`),
  ]
}

/** What others pushed and what became of it. */
export function gitPullView({ commit, branch, layers, ignored }: GitPullDocument, width: number, style: Style): string[] {
  const head = `pulled ${commit.slice(0, 12)} of ${branch}${ignored === 0 ? '' : `; ${count(ignored)} files are no layers and were passed over`}`
  if (layers.length === 0) return [head, 'nobody else has pushed yet']
  return [
    head,
    ...table<Layer>(
      [
        { title: 'MEMBER', text: ({ member }) => shortPeer(member) },
        { title: 'LAYER', text: ({ layer }) => layer.slice(0, 12) },
        { title: 'RESULT', text: ({ result }) => result, paint: (text, { result }) => (result === 'refused' ? style.red(text) : text) },
        { title: 'WHY', text: ({ reason }) => plainText(reason), min: 10 },
      ],
      layers,
      width,
      (text) => style.dim(text),
    ),
  ]
}
