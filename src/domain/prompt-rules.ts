/**
 * What the screen of one runtime means, as data with compiled patterns. The first rule that fits decides; a screen that
 * none fits is unknown. Where the data comes from and how it is checked: host-agent/prompts.
 */
import type { Need, ReasonCode } from './agent-row.ts';

export type PromptState = 'working' | 'available' | 'blocked';

/** Part of what is shown that a condition looks at. */
export type Region =
  | 'title'
  | 'screen'
  /** The lowest lines that are not blank. */
  | 'bottom'
  /** The lines that are not blank right above the composer; without a composer nothing. */
  | 'above-composer'
  /** The prompt's own lines (`PromptRule.prompt`). */
  | 'prompt';

export interface Condition {
  where: Region;
  /** How many lines that are not blank; of `screen`, `title` and `prompt` all. */
  lines: number;
  /** Each fits a line. */
  has: readonly RegExp[];
  /** None fits any line. */
  hasNot: readonly RegExp[];
}

/** How the choices of a prompt are written. */
export type ChoiceList =
  /** `❯ 1. Yes`: named by their numbers. */
  | { list: 'numbered'; selected: RegExp }
  /** A block of lines one of which has the marker: named 1 to n. */
  | { list: 'marked'; selected: RegExp }
  /** Words in one line, the selected one on another background: named 1 to n. */
  | { list: 'inline'; labels: readonly string[] }
  /** Told by the rule: what the screen says is always the same. */
  | { list: 'fixed'; choices: readonly FixedChoice[] };

export interface FixedChoice {
  name: string;
  label: string;
  /** tmux's names. */
  keys: readonly string[];
  /** What Enter takes. */
  selected: boolean;
}

/** `digit`: its number takes it at once. `arrows`: Up and Down go to it, Enter takes it; `sideways`: Left and Right. */
export type ChoiceKeys = 'digit' | 'arrows' | 'sideways' | 'fixed';

export interface PromptRule {
  name: string;
  state: PromptState;
  /** Seen on the real program; false: written from what is published about it. */
  seen: boolean;
  reasonCode: ReasonCode | null;
  need: Need | null;
  /** In a few words of our own: it is logged and stored, so nothing of the screen is in it. */
  reason: string | null;
  /** Whether a composer must, or must not, be found. */
  composer: 'present' | 'absent' | null;
  when: readonly Condition[];
  /**
   * Where the prompt is. It begins with the lowest line that fits `from`, or after it, without a pattern some lines above
   * the end, and ends with the screen; or it takes the composer's place, `inside` its borders. Lines may be left out.
   */
  prompt: {
    from: RegExp | null;
    after: boolean;
    inside: boolean;
    leaveOut: readonly RegExp[];
    /** The line that says most: a summary begins with it. */
    gist: RegExp | null;
  };
  choices: (ChoiceList & { keys: ChoiceKeys }) | null;
}

/** Where what is typed stands. */
export interface ComposerRule {
  /** Lines that close it above and below; null where the frame or the marker alone tells. */
  above: RegExp | null;
  below: RegExp | null;
  /** Start of every line of it. */
  frame: RegExp | null;
  /** Start of its first line; its text follows. A dim marker is no composer's but a message's. */
  marker: RegExp | null;
  /** Lines inside that nobody typed. */
  leaveOut: readonly RegExp[];
  /** Text that no one typed: shown dim, or in one of these colours, or in these words. */
  hintColors: readonly number[];
  hintWords: RegExp | null;
}

export interface RuleSet {
  runtime: string;
  version: string;
  /** File of a user, where rules of it are among these. */
  file: string | null;
  composer: ComposerRule | null;
  rules: readonly PromptRule[];
}
