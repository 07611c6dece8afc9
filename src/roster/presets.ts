/** The rosters with which a fleet begins: text that a person goes on writing. Pure. */
import { stringify } from 'yaml';
import { resetCommandOf } from '../domain/runtime-reset.ts';

export const PRESETS = ['minimal', 'coding'] as const;
export type Preset = (typeof PRESETS)[number];

/** pi on codex: the recipe known to last detached. Another runtime is used only where it is named. */
export const DEFAULT_RUNTIME = 'pi';
export const DEFAULT_MODELS: Readonly<Record<string, string>> = { pi: 'openai-codex/gpt-5.5:high' };

export interface PresetChoice {
  preset: Preset;
  runtime: string;
  /** null: as the runtime itself chooses. */
  model: string | null;
  workingDirectory: string;
  /** Of the one agent of `minimal`. */
  name: string;
}

interface PresetAgent {
  name: string;
  role: string;
  lifecycle: 'core' | 'ephemeral';
  about: string;
}

const AGENTS: Record<Preset, (name: string) => readonly PresetAgent[]> = {
  minimal: (name) => [{ name, role: 'assistant', lifecycle: 'core', about: 'Always there, also after a reboot.' }],
  coding: () => [
    { name: 'orchestrator', role: 'orchestrator', lifecycle: 'core', about: 'Plans the work and hands it out.' },
    { name: 'coder', role: 'coder', lifecycle: 'core', about: 'Writes the code.' },
    { name: 'reviewer', role: 'reviewer', lifecycle: 'core', about: 'Reads what was written.' },
    {
      name: 'worker',
      role: 'worker',
      lifecycle: 'ephemeral',
      about: 'One task from beginning to end; its last lines and its exit status stay.',
    },
  ],
};

export const presetNames = (preset: Preset, name: string): string[] => AGENTS[preset](name).map((agent) => agent.name);

/** Not checked: whoever asks reads it again, as any roster. */
export const presetRoster = ({ preset, runtime, model, workingDirectory, name }: PresetChoice): string => {
  const reset = resetCommandOf(runtime, new Map());
  const lines = [
    '# Which agents should exist here. fleet apply makes it so, fleet diff tells what differs.',
    'version: 2',
    ...(reset === null ? [] : ['', 'runtimes:', `  ${word(runtime)}:`, `    reset_command: ${word(reset)}`]),
    '',
    'defaults:',
    `  working_directory: ${word(workingDirectory)}`,
    '',
    'agents:',
    AGENTS[preset](name)
      .map(({ name: each, role, lifecycle, about }) =>
        [
          `  # ${about}`,
          `  - name: ${word(each)}`,
          `    runtime: ${word(runtime)}`,
          ...(model === null ? [] : [`    model_hint: ${word(model)}`]),
          `    class: ${role}`,
          `    lifecycle: ${lifecycle}`,
        ].join('\n'),
      )
      .join('\n\n'),
  ];
  return `${lines.join('\n')}\n`;
};

/** Quoted where YAML would read something else. */
const word = (text: string): string => stringify(text, { lineWidth: 0 }).trimEnd();
