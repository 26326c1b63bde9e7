import { ComputeError } from '@sgsd/compute'
import type { AskDocument } from './control/api.ts'
import { DaemonError } from './daemon-error.ts'
import type { DaemonParts } from './parts.ts'

/** s(t+1) of a text with what answered. @throws DaemonError TEXT_UNKNOWN */
export async function askLattice(
  { lattice, core, merging, history }: Pick<DaemonParts, 'lattice' | 'core' | 'merging' | 'history'>,
  text: string,
  k: number,
): Promise<AskDocument> {
  const answer = await lattice.ask(text, k).catch((error: unknown) => {
    if (error instanceof ComputeError && error.code === 'TEXT_UNKNOWN') {
      throw new DaemonError('TEXT_UNKNOWN', 'the lattice knows no character of this text', 'ask with Chinese characters: sgsd ask 人工智能', {
        cause: error,
      })
    }
    throw error
  })
  const layer = core.state.heads.get(core.state.self)?.value.layer ?? ''
  return { schema: 'sgsd.ask/1', text, ...answer, layer, consensus: merging.current?.id ?? '', answersFrom: history.answersFrom }
}
