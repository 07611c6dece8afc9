/** Keys that came together, one by one; those with a name by it, whatever mode the terminal sends them in. */
const NAMES: Readonly<Record<string, string>> = {
  '\x1b[A': 'up',
  '\x1bOA': 'up',
  '\x1b[B': 'down',
  '\x1bOB': 'down',
  '\x1b[C': 'right',
  '\x1bOC': 'right',
  '\x1b[D': 'left',
  '\x1bOD': 'left',
  '\x1b[5~': 'page up',
  '\x1b[6~': 'page down',
};
const KEY = /\x1b(?:\[[0-9;?]*[ -/]*[@-~]|O[@-~])|[\s\S]/g;

export const splitKeys = (typed: string): string[] => (typed.match(KEY) ?? []).map((key) => NAMES[key] ?? key);
