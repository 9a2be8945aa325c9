import type { Command, Option } from 'commander'

export const completionShells = ['bash', 'zsh', 'fish'] as const

export type CompletionShell = typeof completionShells[number]

interface Word {
  readonly word: string
  readonly meaning: string
}

/** What may follow a command on the command line. */
interface Place {
  /** The command with its parents, each after a slash. Empty for the program itself. */
  readonly path: string
  readonly words: readonly Word[]
  /** Options that take a value, with the allowed values. `values` is empty if any value is allowed. */
  readonly valued: ReadonlyArray<{ readonly flags: readonly string[], readonly values: readonly string[] }>
}

/** Creates a shell's completion script from the definition of the command line. */
export function completionScript (program: Command, shell: CompletionShell): string {
  const places = placesOf(program, '')
  switch (shell) {
    case 'bash': return bash(places)
    case 'zsh': return zsh(places)
    case 'fish': return fish(places)
  }
}

function placesOf (command: Command, path: string): readonly Place[] {
  const help = command.createHelp()
  const options = help.visibleOptions(command)
  const flagsOf = ({ short, long }: Option): readonly string[] => [long, short].filter((flag) => flag !== undefined)
  return [{
    path,
    words: [
      ...command.commands.map((each) => ({ word: each.name(), meaning: firstLine(each.description()) })),
      ...command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices.map((word) => ({ word, meaning: '' }))),
      ...options.flatMap((option) => flagsOf(option).filter((flag) => flag.startsWith('--')).map((word) => ({ word, meaning: firstLine(option.description) })))
    ],
    valued: options.filter(({ required }) => required).map((option) => ({ flags: flagsOf(option), values: option.argChoices ?? [] }))
  }, ...command.commands.flatMap((each) => placesOf(each, `${path}/${each.name()}`))]
}

function firstLine (text: string): string {
  return text.split(/[\n;]/, 1)[0] ?? ''
}

function quoted (text: string): string {
  return `'${text.replaceAll('\'', '\'\\\'\'')}'`
}

/** Shell code, for bash and zsh, that finds the command named by the words so far. */
function findPath (places: readonly Place[], words: string): string {
  return `  for word in ${words}; do
    case "$path/$word" in
      ${places.flatMap(({ path }) => path === '' ? [] : [path]).join('|')}) path="$path/$word" ;;
    esac
  done`
}

/** Cases for an option before the word: they propose its allowed values. If any value is allowed, the shell proposes files. */
function valueCases (places: readonly Place[], propose: (values: readonly string[]) => string): string {
  return places.flatMap(({ path, valued }) => valued.map(({ flags, values }) => `    ${flags.map((flag) => quoted(`${path} ${flag}`)).join('|')}) ${values.length === 0 ? 'own=1' : propose(values)} ;;`)).join('\n')
}

function bash (places: readonly Place[]): string {
  return `# tierhook's completion for bash: put  eval "$(tierhook completion bash)"  into ~/.bashrc
_tierhook () {
  local path='' word own='' values='' current="\${COMP_WORDS[COMP_CWORD]}"
${findPath(places, '"${COMP_WORDS[@]:1:COMP_CWORD-1}"') /* eslint-disable-line no-template-curly-in-string */}
  case "$path \${COMP_WORDS[COMP_CWORD-1]}" in
${valueCases(places, (values) => `values=${quoted(values.join(' '))}`)}
  esac
  COMPREPLY=()
  if [[ -n "$own" ]]; then return; fi
  if [[ -z "$values" ]]; then
    case "$path" in
${places.map(({ path, words }) => `      ${quoted(path)}) values=${quoted(words.map(({ word }) => word).join(' '))} ;;`).join('\n')}
    esac
  fi
  COMPREPLY=($(compgen -W "$values" -- "$current"))
}
complete -o default -F _tierhook tierhook
`
}

function zsh (places: readonly Place[]): string {
  return `#compdef tierhook
# tierhook's completion for zsh: put  source <(tierhook completion zsh)  into ~/.zshrc, below compinit
_tierhook () {
  local path_='' word own=''
  local -a values
${findPath(places, '"${words[@]:1:$((CURRENT-2))}"').replaceAll('$path', '$path_').replaceAll('path=', 'path_=') /* eslint-disable-line no-template-curly-in-string */}
  case "$path_ \${words[CURRENT-1]}" in
${valueCases(places, (values) => `values=(${values.map(quoted).join(' ')})`)}
  esac
  if [[ -n "$own" ]]; then _files; return; fi
  if (( \${#values} == 0 )); then
    case "$path_" in
${places.map(({ path, words }) => `      ${quoted(path)}) values=(${words.map(({ word, meaning }) => quoted(`${word}${meaning === '' ? '' : `:${meaning.replaceAll(':', ' ')}`}`)).join(' ')}) ;;`).join('\n')}
    esac
  fi
  _describe tierhook values || _files
}
compdef _tierhook tierhook
`
}

function fish (places: readonly Place[]): string {
  const lines = places.flatMap(({ path, words, valued }) => {
    const names = path.split('/').slice(1)
    const below = places.filter((place) => place.path.startsWith(`${path}/`)).map((place) => place.path.slice(path.length + 1).split('/')[0] ?? '')
    // fish does not know nested commands, so list the words that must and must not have been typed.
    const conditions = names.length === 0
      ? ['__fish_use_subcommand']
      : [...names.map((name) => `__fish_seen_subcommand_from ${name}`), ...below.length === 0 ? [] : [`not __fish_seen_subcommand_from ${[...new Set(below)].join(' ')}`]]
    const when = `complete -c tierhook -n ${quoted(conditions.join('; and '))}`
    return words.map(({ word, meaning }) => {
      const about = meaning === '' ? '' : ` -d ${quoted(meaning)}`
      if (!word.startsWith('--')) return `${when} -f -a ${quoted(word)}${about}`
      const option = valued.find(({ flags }) => flags.includes(word))
      return `${when} -l ${word.slice(2)}${option === undefined ? '' : option.values.length === 0 ? ' -r' : ` -x -a ${quoted(option.values.join(' '))}`}${about}`
    })
  })
  return `# tierhook's completion for fish: tierhook completion fish > ~/.config/fish/completions/tierhook.fish\n${lines.join('\n')}\n`
}
