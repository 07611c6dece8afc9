/**
 * A controller and two host-agents of the shipped program, each an instance with everything of its own, and
 * scripted agents for them to show. `down` ends and removes it all. May be run again at any point.
 */
import { spawnSync } from 'node:child_process';
import { join, relative } from 'node:path';
import { sleep } from '../src/runtime/sleep.ts';
import { CELL, DRAGON_LIN, MACHINES, W_JARVIS } from './quickstart/machines.ts';
import { removeTraces } from './quickstart/remove.ts';
import { endSessions, startSessions } from './quickstart/sessions.ts';

const SHIPPED = join(import.meta.dirname, '../dist/current');
const FLEET = join(SHIPPED, 'bin/fleet');
const SHOWN_TIMEOUT_MS = 20_000;

/** Runs the shipped `fleet`; what it says goes to stderr. Ends the quickstart where it fails. */
const fleet = (args: readonly string[], options: { input?: string; quiet?: boolean } = {}): string => {
  const result = spawnSync(FLEET, args, {
    encoding: 'utf8',
    input: options.input ?? '',
    stdio: ['pipe', 'pipe', options.quiet ? 'ignore' : 'inherit'],
  });
  if (result.error) throw result.error;
  if (result.status !== 0 && !options.quiet) throw new Error(`fleet ${args[0]} ended with exit code ${result.status}`);
  return result.stdout;
};

const as = ({ instance }: { instance: string }): string[] => ['--instance', instance];
const heading = (text: string): void => void process.stderr.write(`\n${text}\n`);

/** What is tried next, and what it shows. */
const NEXT: readonly (readonly [words: string, what: string])[] = [
  [`ps -w ${as(W_JARVIS).join(' ')}`, 'the same, kept current'],
  [`ps ${as(DRAGON_LIN).join(' ')}`, 'the same from the other machine'],
  [`watch dogfood-coder ${as(W_JARVIS).join(' ')}`, 'its live screen; q leaves'],
  [`send dogfood-coder ${as(W_JARVIS).join(' ')} "say hello"`, 'a message, and proof that the agent took it'],
  [`next ${as(W_JARVIS).join(' ')}`, 'who waits for you, and how to answer'],
  [`attach W-jarvis/dogfood-coder ${as(W_JARVIS).join(' ')}`, 'take over; ctrl-] leaves'],
  [`hosts ${as(W_JARVIS).join(' ')}`, 'machines and their links'],
];
const LONGEST_WORDS = Math.max(...NEXT.map(([words]) => words.length));

const up = async (): Promise<void> => {
  heading('scripted agents, on private tmux sockets');
  for (const machine of MACHINES) {
    await startSessions(machine, join(SHIPPED, 'node/bin/node'));
    process.stderr.write(` = ${machine.host.padEnd(12)} ${machine.agents.map(({ session }) => session).join(', ')}\n`);
  }
  heading(`${W_JARVIS.host}: a controller and a host-agent`);
  fleet(['up', ...as(W_JARVIS), '--name', W_JARVIS.host, '--cell', CELL]);
  heading(`${DRAGON_LIN.host}: a host-agent, enrolled with a token`);
  if (isEnrolled()) fleet(['up', ...as(DRAGON_LIN)]);
  else fleet(['host', 'join', ...as(DRAGON_LIN), '--replace'], { input: token() });
  await allShown();
  heading(`$ ${shown()} ps ${as(W_JARVIS).join(' ')}`);
  process.stdout.write(fleet(['ps', ...as(W_JARVIS)]));
  process.stderr.write(
    [
      '',
      'Type next:',
      ...NEXT.map(([words, what]) => `  ${`${shown()} ${words}`.padEnd(shown().length + LONGEST_WORDS + 3)}${what}`),
      'Stop it, and remove everything that it made in your home:',
      '  npm run quickstart -- down',
      '',
    ].join('\n'),
  );
};

const shown = (): string => relative(process.cwd(), FLEET) || FLEET;

const token = (): string => fleet(['token', DRAGON_LIN.host, ...as(W_JARVIS), '--user', userName(), '--replace']);
const userName = (): string => JSON.parse(fleet(['whoami', ...as(W_JARVIS), '-o', 'json'])).user as string;

interface Shown {
  complete: boolean;
  agents: { host: string }[];
  hosts: { host: string }[];
}

const look = (): Shown | null => {
  try {
    return JSON.parse(fleet(['ps', ...as(W_JARVIS), '-o', 'json'], { quiet: true })) as Shown;
  } catch {
    return null;
  }
};

const isEnrolled = (): boolean => look()?.hosts.some(({ host }) => host === DRAGON_LIN.host) ?? false;

/** Until the picture is whole: every machine connected, every session but the holder a row. */
const allShown = async (): Promise<void> => {
  const expected = MACHINES.flatMap(({ agents }) => agents).filter(({ mood }) => mood !== 'holder').length;
  const end = performance.now() + SHOWN_TIMEOUT_MS;
  while (performance.now() < end) {
    const now = look();
    if (now?.complete && now.hosts.length === MACHINES.length && now.agents.length >= expected) return;
    await sleep(200);
  }
  process.stderr.write(' ! not everything is shown yet; fleet ps says what is missing\n');
};

const down = async (): Promise<void> => {
  for (const machine of [...MACHINES].reverse()) {
    heading(machine.host);
    fleet(['down', ...as(machine)]);
    await endSessions(machine);
  }
  removeTraces(SHIPPED);
  process.stderr.write('\nquickstart: everything that it made in your home is gone\n');
};

const verb = process.argv[2] ?? 'up';
try {
  if (verb === 'up') await up();
  else if (verb === 'down') await down();
  else throw new Error(`"${verb}": use npm run quickstart, or npm run quickstart -- down`);
} catch (error) {
  process.stderr.write(`quickstart: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
