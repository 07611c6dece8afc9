/**
 * The literal blocks of an operator note: what is typed where, and the lines that are then seen. A note and the test of it
 * cannot drift apart, because there is only the note.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from './testbed/host.ts';
import { until } from './until.ts';

const NOTES = join(import.meta.dirname, '../../deploy/operators');

export interface NoteStep {
  machine: string;
  commands: string;
  /** Repeated until the lines are seen. */
  isRepeated: boolean;
  /** In their order among others; `…` stands for anything. */
  lines: string[];
}

/** The steps below a heading of a note. Throws where there is none, or a block has no lines after it. */
export const stepsOf = (note: string, heading: string): NoteStep[] => {
  const text = readFileSync(join(NOTES, note), 'utf8');
  const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`));
  const blocks = section?.matchAll(/^```sh (\S+)( until)?\n([\s\S]*?)^```\n```text\n([\s\S]*?)^```$/gm) ?? [];
  const steps = [...blocks].map(([, machine = '', until, commands = '', lines = '']) => ({
    machine,
    commands: commands.trim(),
    isRepeated: until !== undefined,
    lines: lines.trim().split('\n'),
  }));
  if (steps.length === (section?.match(/^```sh /gm) ?? []).length && steps.length > 0) return steps;
  throw new Error(`${note}: "${heading}" has no steps, or one without the lines that one should see`);
};

/** Machine to host and user. */
export type Places = Readonly<Record<string, [Host, string]>>;

/** Types each step; throws at the first one after which a line is not seen, or that fails. */
export const followNote = async (places: Places, note: string, heading: string): Promise<void> => {
  for (const step of stepsOf(note, heading)) {
    const look = async (): Promise<true> => {
      const output = await typed(places, step);
      const unseen = unseenIn(output, step.isRepeated ? step.lines : [...step.lines, 'exit 0']);
      if (unseen === null) return true;
      throw new Error(`${note}, ${heading}: ${step.commands}\nunseen: ${unseen}\n${output}`);
    };
    if (step.isRepeated) await until(look, { timeoutMs: 90_000 });
    else await look();
  }
};

/** Stdout and stderr together. */
const typed = async (places: Places, { machine, commands }: NoteStep): Promise<string> => {
  const [host, user] = places[machine] ?? [];
  if (host === undefined || user === undefined) throw new Error(`no machine ${machine} in this test`);
  const command = `PATH=$HOME/.local/bin:$PATH; set -e; {\n${commands}\n} 2>&1`;
  const { stdout, exitCode } = await host.ssh(user, command, { timeoutMs: 180_000 });
  return `${stdout}exit ${exitCode}\n`;
};

/** The first line that is not seen; null when all are, in their order. Spaces count as one. */
const unseenIn = (output: string, lines: readonly string[]): string | null => {
  const shown = output.split('\n').map((line) => line.replace(/\s+/g, ' ').trim());
  let at = 0;
  for (const line of lines) {
    const found = shown.slice(at).findIndex((each) => patternOf(line).test(each));
    if (found < 0) return line;
    at += found + 1;
  }
  return null;
};

const patternOf = (line: string): RegExp => {
  const parts = line.replace(/\s+/g, ' ').trim().split(/ ?… ?/);
  return new RegExp(`^${parts.map((part) => RegExp.escape(part)).join('.*')}$`);
};
