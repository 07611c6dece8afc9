import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { FILES } from '../files-word.ts';
import { UsageError } from '../usage-error.ts';

/** Each asks `fleet __complete` with the words typed so far; the last one may be empty. Names of files a shell knows itself. */
const SCRIPTS: Record<string, string> = {
  // Not compgen -W: it expands what it is given, and names come from other machines.
  bash: `_fleet() {
  mapfile -t COMPREPLY < <(fleet __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  if [[ \${COMPREPLY[0]} == '${FILES}' ]]; then
    COMPREPLY=()
    compopt -o default
  fi
}
complete -F _fleet fleet
`,
  zsh: `#compdef fleet
_fleet() {
  local -a candidates
  candidates=("\${(@f)$(fleet __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ $candidates[1] == '${FILES}' ]]; then _files; else compadd -a candidates; fi
}
compdef _fleet fleet
`,
  fish: `function __fleet_candidates
  set -l found (fleet __complete -- (commandline -opc)[2..-1] (commandline -ct | string collect --allow-empty) 2>/dev/null)
  if test "$found[1]" = '${FILES}'
    __fish_complete_path (commandline -ct)
  else
    printf '%s\\n' $found
  end
end
complete -c fleet -f -a '(__fleet_candidates)'
`,
};

export const run = async ({ positionals, stdout }: CommandContext): Promise<number> => {
  const [shell = ''] = positionals;
  const script = SCRIPTS[shell];
  if (script === undefined)
    throw new UsageError(`no completion for "${shell}": one of ${Object.keys(SCRIPTS).join(', ')}`);
  stdout.write(script);
  return EXIT.done;
};
