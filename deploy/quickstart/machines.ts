/** The two machines that the quickstart plays, like the first users' own: data only. */

export interface PlayedAgent {
  session: string;
  /** Base name of its script, by which the process table shows what runs. */
  runs: 'pi' | 'codex' | 'claude' | 'agent';
  /** How the scripted agent behaves; `composer` and `asks` draw themselves as codex does. */
  mood: 'busy' | 'quiet' | 'lost-beat' | 'holder' | 'composer' | 'asks';
  /** Session group, for tools that open several views of one session. */
  group?: string;
}

export interface PlayedMachine {
  /** Short: a socket's path holds 107 bytes. */
  instance: string;
  host: string;
  /** tmux socket name; null: the default one. */
  socket: string | null;
  agents: readonly PlayedAgent[];
  /** null: in no roster. */
  roster: string | null;
}

export const CELL = 'quickstart';

/** Another name makes a second quickstart beside the first. */
const PREFIX = process.env.FLEET_QUICKSTART ?? 'qs';

export const W_JARVIS: PlayedMachine = {
  instance: `${PREFIX}-jarvis`,
  host: 'W-jarvis',
  socket: 'mosaic-factory',
  agents: [
    { session: '_holder', runs: 'agent', mood: 'holder' },
    { session: 'canary-pi', runs: 'codex', mood: 'busy' },
    { session: 'dogfood-orchestrator', runs: 'codex', mood: 'quiet' },
    { session: 'dogfood-coder', runs: 'codex', mood: 'composer' },
    { session: 'dogfood-reviewer', runs: 'claude', mood: 'lost-beat' },
  ],
  roster: `version: 1
transport: tmux
tmux:
  socket_name: mosaic-factory
  holder_session: _holder
agents:
  - { name: canary-pi, runtime: pi, class: canary, socket: mosaic-factory, reset_between_tasks: true }
  - { name: dogfood-orchestrator, runtime: codex, class: orchestrator, socket: mosaic-factory, persistent_persona: true }
  - { name: dogfood-coder, runtime: codex, class: coder, socket: mosaic-factory, reset_between_tasks: true }
  - { name: dogfood-reviewer, runtime: claude, class: reviewer, socket: mosaic-factory, reset_between_tasks: true }
`,
};

export const DRAGON_LIN: PlayedMachine = {
  instance: `${PREFIX}-dragon`,
  host: 'dragon-lin',
  socket: null,
  agents: [
    { session: 'coder0-0', runs: 'agent', mood: 'busy', group: 'coder0' },
    { session: 'reviewer0-0', runs: 'codex', mood: 'asks' },
  ],
  roster: null,
};

export const MACHINES: readonly PlayedMachine[] = [W_JARVIS, DRAGON_LIN];
