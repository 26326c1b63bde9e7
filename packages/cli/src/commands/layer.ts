import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { addGroup } from '../leaf.ts'
import { addBlame } from './layer/blame.ts'
import { addLook } from './layer/look.ts'
import { addMake } from './layer/make.ts'

export function addLayer(program: Command, context: Context): void {
  const layer = addGroup(program, 'layer', 'layers as a history: look at them, compare, clone, fork, merge, answer from them')
  addLook(layer, context)
  addBlame(layer, context)
  addMake(layer, context)
}
