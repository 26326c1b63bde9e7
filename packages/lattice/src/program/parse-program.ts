import { checkProgram, type ProgramResult } from './check-program.ts'
import { documentOfJson, jsonOfDocument } from './document.ts'
import type { ProgramFault } from './fault.ts'
import type { Program } from './program.ts'
import { readYaml } from './read-yaml.ts'

/** A program from its YAML source, and the same document as JSON for whoever runs it. Faults have positions. */
export function parseProgram(source: string): { readonly program: Program; readonly json: unknown } | { readonly faults: readonly ProgramFault[] } {
  const read = readYaml(source)
  if ('faults' in read) return read
  const checked = checkProgram(read.document)
  return 'faults' in checked ? checked : { ...checked, json: jsonOfDocument(read.document) }
}

/** A program from a document that came as JSON: checked as if it were written here. Faults have paths. */
export function parseProgramJson(value: unknown): ProgramResult {
  const read = documentOfJson(value)
  return 'faults' in read ? read : checkProgram(read.document)
}
