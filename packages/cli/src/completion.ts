/** A command as completion sees it. */
export interface CommandTree {
  readonly name: string
  readonly summary: string
  /** Long flags, with their dashes. */
  readonly flags: readonly string[]
  readonly commands: readonly CommandTree[]
}

export type Shell = 'bash' | 'zsh' | 'fish'
export const SHELLS: readonly Shell[] = ['bash', 'zsh', 'fish']

/** A completion script for a shell: commands, their subcommands and flags; files where nothing else fits. */
export function completionScript(shell: Shell, root: CommandTree): string {
  switch (shell) {
    case 'bash':
      return bash(root)
    case 'zsh':
      return zsh(root)
    case 'fish':
      return fish(root)
  }
}

interface Place {
  /** Words that lead here, after the program's name. */
  readonly path: readonly string[]
  readonly node: CommandTree
}

function places(node: CommandTree, path: readonly string[] = []): Place[] {
  return [{ path, node }, ...node.commands.flatMap((child) => places(child, [...path, child.name]))]
}

function bash(root: CommandTree): string {
  const cases = places(root).map(({ path, node }) => {
    const words = [...node.commands.map((child) => child.name), ...node.flags].join(' ')
    return `    '${path.join(' ')}') words='${words}' ;;`
  })
  return `# bash completion for ${root.name}: source <(${root.name} completion bash)
_${root.name}() {
  local current=\${COMP_WORDS[COMP_CWORD]} path='' word words='' known
  known=' ${places(root)
    .filter(({ path }) => path.length > 0)
    .map(({ path }) => path.join('/'))
    .join(' ')} '
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    local next=\${path:+$path/}$word
    [[ $known == *" $next "* ]] && path=$next
  done
  case "\${path//\\// }" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [[ \${#COMPREPLY[@]} -eq 0 ]] && COMPREPLY=($(compgen -f -- "$current"))
}
complete -o filenames -F _${root.name} ${root.name}
`
}

function zsh(root: CommandTree): string {
  const cases = places(root).map(({ path, node }) => {
    const words = [...node.commands.map((child) => `${child.name}:${child.summary}`), ...node.flags].map(quoted).join(' ')
    return `    ${quoted(path.join(' '))}) found=(${words}) ;;`
  })
  return `#compdef ${root.name}
# zsh completion for ${root.name}: ${root.name} completion zsh > "\${fpath[1]}/_${root.name}"
_${root.name}() {
  local -a typed known found
  local trail='' word next
  typed=("\${(@)words[2,CURRENT-1]}")
  known=(${places(root)
    .filter(({ path }) => path.length > 0)
    .map(({ path }) => quoted(path.join(' ')))
    .join(' ')})
  for word in $typed; do
    next="\${trail:+$trail }$word"
    (( \${known[(Ie)$next]} )) && trail=$next
  done
  case $trail in
${cases.join('\n')}
  esac
  _describe '${root.name}' found || _files
}
compdef _${root.name} ${root.name}
`
}

function fish(root: CommandTree): string {
  const lines = places(root).flatMap(({ path, node }) => {
    const here = `'__${root.name}_at ${path.join(' ')}'`
    return [
      ...node.commands.map((child) => `complete -c ${root.name} -n ${here} -f -a ${child.name} -d ${quoted(child.summary)}`),
      ...node.flags.map((flag) => `complete -c ${root.name} -n ${here} -l ${flag.slice(2)}`),
    ]
  })
  const known = places(root)
    .filter(({ path }) => path.length > 0)
    .map(({ path }) => quoted(path.join(' ')))
    .join(' ')
  return `# fish completion for ${root.name}: ${root.name} completion fish | source
function __${root.name}_at
  set -l trail
  for word in (commandline -opc)[2..]
    contains -- (string join ' ' $trail $word) ${known}; and set -a trail $word
  end
  test "$trail" = "$argv"
end
${lines.join('\n')}
`
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
