/** The key that leaves: typed as tmux, ssh and people name it, meant as one stroke. */
import { isKeyName } from '../../domain/key-stroke.ts';
import { UsageError } from '../usage-error.ts';

/** Keys without which nobody can work: one of them as the detach key would be a mistake. */
const NEEDED = /^(Enter|Space|BSpace|Tab|Up|Down|Left|Right)$/;

/** `C-]`, `ctrl-]`, `^]`, `F12`. Throws UsageError for what is no key, or is a character that is typed. */
export const parseDetachKey = (typed: string): string => {
  const key = typed
    .replace(/^(?:ctrl-|\^(?=.))/i, 'C-')
    .replace(/^C-(M-)?([A-Z])$/, (_, meta = '', letter: string) => `C-${meta}${letter.toLowerCase()}`);
  if (isKeyName(key) && !NEEDED.test(key)) return key;
  throw new UsageError(
    `--detach-key ${typed}: not a key that can be spared; name one as tmux does: C-], C-\\, M-q, F12`,
  );
};

/** For people: `ctrl-]`. */
export const keyWords = (key: string): string =>
  key.replace('C-', 'ctrl-').replace('M-', 'alt-').replace('S-', 'shift-');
