import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { addLeaf, dataDirOf, optionsOf, printJson } from '../leaf.ts'

export function addToken(program: Command, context: Context): void {
  addLeaf(program, {
    name: 'token',
    summary: 'print the token of the OpenAI-compatible API',
    details: 'Whoever has it can ask this node for embeddings; it says nothing to the mesh. `sgsd status` names the address.',
    examples: ['sgsd token', 'export OPENAI_API_KEY=$(sgsd token) OPENAI_BASE_URL=http://127.0.0.1:42070/v1', 'sgsd token --rotate'],
  })
    .option('--rotate', 'make a new one; the old one stops working at once')
    .action(async (_flags, command: Command) => {
      const flags = optionsOf<{ rotate?: boolean }>(command)
      const daemon = await context.edges.daemon()
      const { apiToken: file } = daemon.dataDir(await dataDirOf(context, flags))
      const token = await (flags.rotate === true ? daemon.rotateApiToken(file) : daemon.ensureApiToken(file))
      if (flags.json === true) return printJson(context, { schema: 'sgsd.token/1', token, file })
      context.terminal.print(token)
    })
}
