import type { Done, StatusDocument } from '@sgsd/daemon'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { addLeaf, controlOf, optionsOf, printJson } from '../leaf.ts'

export function addLeave(program: Command, context: Context): void {
  addLeaf(program, {
    name: 'leave',
    summary: 'take no more work from the mesh, and tell the others',
    details: 'What this node has learnt stays in the consensus. Its range and radicals go to the others at once. The daemon stops.',
    examples: ['sgsd leave'],
  }).action(async (_flags, command: Command) => {
    const flags = optionsOf(command)
    const control = await controlOf(context, flags)
    const { mesh } = await control.get<StatusDocument>('/v1/status', context.signal)
    await control.post<Done>('/v1/leave', undefined, context.signal)
    if (flags.json === true) printJson(context, { schema: 'sgsd.leave/1', meshId: mesh.id, meshName: mesh.name })
    else context.terminal.print(`left mesh ${mesh.name}`)
  })
}
