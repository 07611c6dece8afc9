import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseRoster } from '../../../src/roster/parse.ts';
import { agentRow } from '../../helpers/agent-row.ts';
import { type Ran, runFleetProgram } from '../../helpers/fleet-program.ts';
import { hostFacts } from '../../helpers/host-agent.ts';
import { ServedView } from '../../helpers/served-view.ts';
import { paneRow } from './served-orders.ts';

let served: ServedView;

beforeEach(() => {
  served = new ServedView();
});
afterEach(() => served.dispose());

const fleet = (...args: string[]): Promise<Ran> =>
  runFleetProgram(['--instance', served.instance, ...args], { HOME: served.home });
const path = (): string => join(served.paths.mosaicHome, 'fleet/roster.yaml');
const written = () => parseRoster(readFileSync(path(), 'utf8'), 'r').roster!.agents;

describe('on an empty host', () => {
  test('it writes a roster of one agent, makes its folder, and says what to type next', async () => {
    const { code, stderr } = await fleet('init');
    expect(code).toBe(0);
    expect(stderr).toContain(`wrote ${path()}: assistant\n`);
    expect(stderr).toContain(`made ${join(served.home, 'src')}\n`);
    const at = `fleet --instance ${served.instance}`;
    expect(stderr).toContain(`next: ${at} up, then ${at} host control HOST deploy, then ${at} apply\n`);
    expect(written()).toMatchObject([
      { name: 'assistant', runtime: 'pi', model: 'openai-codex/gpt-5.5:high', lifecycle: 'core', layout: 'isolated' },
    ]);
  });

  test('flags choose, and the policy is granted where that was said', async () => {
    await served.start();
    served.put({ here: true, facts: hostFacts({ hostNowMs: Date.now() }) });
    const words = ['--preset', 'coding', '--runtime', 'codex', '--workdir', join(served.home, 'w'), '--deploy'];
    const { code, stdout } = await fleet('init', ...words, '-o', 'json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      schema: 'fleet.init/v1',
      path: path(),
      dry_run: false,
      agents: ['orchestrator', 'coder', 'reviewer', 'worker'],
      adopted: [],
      control: 'deploy',
      linger: null,
      next: [`fleet --instance ${served.instance} apply`],
    });
    expect(written()[0]).toMatchObject({ runtime: 'codex', model: null });
    expect(JSON.parse(readFileSync(join(served.paths.config, 'host-policy.json'), 'utf8'))).toMatchObject({
      control: 'deploy',
    });
  });

  test('--dry-run shows the roster, and writes nothing', async () => {
    const { code, stdout } = await fleet('init', '--dry-run', '--name', 'me');
    expect([code, parseRoster(stdout, 'r').roster!.agents[0]!.name, existsSync(path())]).toEqual([0, 'me', false]);
  });

  test.each([
    [['--name', 'a/b'], '`a/b` is no agent name'],
    [['--preset', 'coding', '--name', 'x'], '--name is for the preset minimal'],
    [['--adopt', '--no-adopt'], 'contradict each other'],
  ])('%j is wrong, and nothing is written', async (words, why) => {
    await served.start();
    served.put({ here: true });
    const { code, stderr } = await fleet('init', ...words);
    expect([code, stderr, existsSync(path())]).toEqual([2, expect.stringContaining(why), false]);
  });
});

test.each(['roster.yaml', 'roster.json'])('a %s that is there stays as it is', async (name) => {
  const there = join(dirname(path()), name);
  mkdirSync(dirname(there), { recursive: true });
  writeFileSync(there, 'mine');
  const { code, stderr } = await fleet('init', '--preset', 'coding');
  expect([code, stderr]).toEqual([8, expect.stringContaining(`${there} is there already, and stays`)]);
  expect(readFileSync(there, 'utf8')).toBe('mine');
});

describe('what runs here already', () => {
  const socket = (name: string): string => join(served.paths.tmuxTmpdir, `tmux-${process.getuid!()}`, name);
  const session = (name: string, at: string, over: object) => {
    const row = paneRow(name, '%1', 1, { key: `s:${at}:${name}`, managed: false, source: 'socket', ...over });
    return { ...row, tmux: { ...row.tmux!, socket: socket(at), cwd: '/srv' } };
  };

  beforeEach(async () => {
    await served.start();
    served.put(
      { here: true },
      session('worker', 'mine', { runtimeSeen: 'claude' }),
      session('notes', 'default', { runtimeSeen: 'bash' }),
      session('coder', 'default', { runtimeSeen: 'codex' }),
      agentRow({ key: 'x', agent: 'managed' }),
    );
  });

  test('is shown, and left alone where nobody says otherwise', async () => {
    const { code, stderr } = await fleet('init', '--preset', 'coding');
    expect(code).toBe(0);
    expect(stderr).toContain('runs here, in no roster:\n');
    expect(stderr).toContain('  worker  claude, working\n');
    expect(stderr).toContain('  notes   bash, working; stays as it is: bash is no agent’s runtime\n');
    expect(written().map(({ name }) => name)).toEqual(['orchestrator', 'coder', 'reviewer', 'worker']);
  });

  test('is taken into the roster as it runs, in place of what the preset calls so', async () => {
    expect((await fleet('init', '--preset', 'coding', '--adopt')).code).toBe(0);
    expect(
      written().map(({ name, runtime, layout, socketName, workingDirectory }) => [
        name,
        runtime,
        layout,
        socketName,
        workingDirectory,
      ]),
    ).toEqual([
      ['orchestrator', 'pi', 'isolated', 'fleet-orchestrator', '~/src'],
      ['reviewer', 'pi', 'isolated', 'fleet-reviewer', '~/src'],
      ['worker', 'claude', 'shared', 'mine', '/srv'],
      ['coder', 'codex', 'shared', null, '/srv'],
    ]);
  });
});

test('where no session runs it says so', async () => {
  await served.start();
  served.put({ here: true, facts: hostFacts({ hostNowMs: Date.now() }) });
  expect((await fleet('init', '--dry-run')).stderr).toMatch(/^no session of an agent runs here yet$/m);
});

test('a folder that this machine lets nobody write is one line that names it, and no bug of ours', async () => {
  const { code, stderr } = await runFleetProgram(['--instance', 'x', 'init'], { HOME: '/sys/fs' });
  expect(code).toBe(1);
  expect(stderr.split('\n').at(-2)).toMatch(
    /^fleet: \/sys\/fs\/.*: (you may not do that there|it is on a file system)/,
  );
  expect(stderr).not.toContain('bug in fleet');
});
