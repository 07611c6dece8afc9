/**
 * How a runtime begins a new conversation by itself: data only. Lines of its own that stand above its composer whatever
 * was said before are named, so that what is left of a conversation can be told from them.
 */

export interface RuntimeReset {
  command: string;
  /** Its banner, and what it says of a new conversation. */
  ownLines: readonly RegExp[];
}

/**
 * As seen of pi 0.73, codex 0.171, claude 2.1 (test/runtimes). codex's own /new asks in a git repository where the new
 * conversation shall run; its /clear does not.
 */
const RESETS: Readonly<Record<string, RuntimeReset>> = {
  pi: {
    command: '/new',
    ownLines: [/^\s*pi v\d/, /^\s*escape interrupt/, /^\s*Press ctrl\+o/, /^\s*Pi can explain/, /New session started/],
  },
  codex: { command: '/clear', ownLines: [/>_ OpenAI Codex/, /^\s*[/~]\S*$/, /^[\s\u2800-\u28ff]+$/] },
  claude: { command: '/clear', ownLines: [/Claude Code v\d/, /[▝▐▘▛▜█]/, /\/clear/, /\(no content\)/] },
  opencode: { command: '/new', ownLines: [/[█▀▄]{2}/] },
};

/** The roster's own command first; null: none is known. */
export const resetCommandOf = (runtime: string, ofRoster: ReadonlyMap<string, string>): string | null =>
  ofRoster.get(runtime) ?? (Object.hasOwn(RESETS, runtime) ? (RESETS[runtime] as RuntimeReset).command : null);

/** Whether a line above the composer is the program's own. */
export const isOwnLine = (runtime: string, line: string): boolean =>
  Object.hasOwn(RESETS, runtime) && (RESETS[runtime] as RuntimeReset).ownLines.some((own) => own.test(line));
