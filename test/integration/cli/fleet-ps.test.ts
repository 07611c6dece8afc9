import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { agentRow } from '../../helpers/agent-row.ts';
import { FLEET_MAIN, type Ran, type Running, runFleetProgram } from '../../helpers/fleet-program.ts';
import { ServedView } from '../../helpers/served-view.ts';
import { until } from '../../helpers/until.ts';

const SLOW = { timeoutMs: 60_000 };
let served: ServedView;
let running: Running | null = null;

beforeEach(() => {
  served = new ServedView();
});

afterEach(() => served.dispose());

const fleet = (...args: string[]): Promise<Ran> =>
  runFleetProgram(['--instance', served.instance, ...args], { HOME: served.home });
const follow = (...args: string[]): Running => {
  running = served.fleet(...args);
  return running;
};
/** For a shell. */
const program = (): string => `'${process.execPath}' '${FLEET_MAIN}' --instance ${served.instance}`;
/** What a shell and its programs say on stderr. */
const saidBy = async (line: string): Promise<string> => {
  const shell = spawn('bash', ['-c', line], { env: { HOME: served.home, PATH: process.env.PATH }, stdio: 'pipe' });
  let stderr = '';
  shell.stderr.on('data', (text) => {
    stderr += text;
  });
  await once(shell, 'close');
  return stderr;
};
const events = (text: string): { event: string; [field: string]: unknown }[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));

const canary = agentRow({ flags: ['DRIFT'], runtimeSeen: 'stub' });
const coder = agentRow({ key: 'c', agent: 'coder0-0', managed: false, flags: ['UNMANAGED'] });
const dragon = { id: 'dragon-lin/jwoltje', host: 'dragon-lin', user: 'jwoltje' };
const lost = { state: 'lost', reason: 'silent', ageMs: 134_000 };

const serveTwoHosts = async (): Promise<void> => {
  await served.start();
  served.put({ here: true }, canary);
  served.put({ ...dragon, link: lost, heardAgeMs: 134_000 }, coder);
};

describe('one question', () => {
  test('the table goes to stdout, the footer to stderr', async () => {
    await serveTwoHosts();
    const { code, stdout, stderr } = await fleet('ps');
    // It grows older while a slow machine starts the program.
    const plainly = (text: string): string => text.replaceAll(/2m[12]\ds/g, '2m14s');
    expect({ code, stdout: plainly(stdout), stderr: plainly(stderr) }).toEqual({
      code: 0,
      stdout:
        '    AGENT      RUNS            STATE               FLAGS\n' +
        '  W-jarvis  this host\n' +
        '    canary-pi  stub (not pi)   working             DRIFT\n' +
        '  dragon-lin  LOST 2m14s (silent); rows as last seen\n' +
        '  ~ coder0-0   pi              was working         UNMANAGED\n',
      stderr:
        '2 agents, 1 current · dragon-lin lost 2m14s: fleet doctor dragon-lin · cell home, as jarvis (operator)\n',
    });
  });

  test('json is one document, ndjson one agent a line, name one address a line', async () => {
    await serveTwoHosts();
    const document = await fleet('ps', '-o', 'json');
    expect(JSON.parse(document.stdout)).toMatchObject({
      complete: false,
      hosts: [{ host: 'W-jarvis' }, { host: 'dragon-lin', host_agents: [{ link: { state: 'lost' } }] }],
      agents: [
        { agent: 'canary-pi', current: true },
        { agent: 'coder0-0', current: false },
      ],
    });
    expect(document.stderr).toBe('');
    expect(events((await fleet('ps', '-o', 'ndjson')).stdout)).toMatchObject([
      { agent: 'canary-pi' },
      { agent: 'coder0-0' },
    ]);
    expect((await fleet('ps', '-o', 'name', '--host', 'dragon-lin')).stdout).toBe('home/dragon-lin/jwoltje/coder0-0\n');
  });

  test('what cannot be written out is one line and a failure', async () => {
    await serveTwoHosts();
    const said = await saidBy(`${program()} ps > /dev/full; echo $? >&2`);
    expect(said).toBe('fleet: cannot write: ENOSPC: no space left on device, write\n1\n');
  });

  test('prose that nobody reads does not change how it ends', async () => {
    await serveTwoHosts();
    const said = await saidBy(`exec 3>&2; { ${program()} ps --strict 2>&1 >/dev/null; echo $? >&3; } | :`);
    expect(said).toBe('3\n');
  });

  test('--strict ends with 3 when a host does not answer, and shows the same', async () => {
    await serveTwoHosts();
    const { code, stdout } = await fleet('ps', '--strict');
    expect(code).toBe(3);
    expect(stdout).toContain('coder0-0');
    const heard = await fleet('ps', '--strict', '--host', 'W-jarvis');
    expect(heard.code).toBe(0);
  });

  test('a host or tenant that is not there is an error, never an empty table', async () => {
    await serveTwoHosts();
    expect(await fleet('ps', '--host', 'dragon')).toEqual({
      code: 4,
      stdout: '',
      stderr: 'fleet: no host "dragon" in this view; known: W-jarvis, dragon-lin\n',
    });
    expect(await fleet('ps', '--tenant', 'acme')).toEqual({
      code: 4,
      stdout: '',
      stderr: 'fleet: no host of tenant "acme" in this view; known: default\n',
    });
  });

  test('without its controller it shows what it has, and says so first', async () => {
    await served.start();
    served.upstream = { state: 'unreachable', address: 'W-jarvis:7443', reason: 'refused', ageMs: 40_500, peers: [] };
    served.put({ here: true }, canary);
    const { code, stdout, stderr } = await fleet('ps', '-o', 'json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ complete: false, agents: [{ agent: 'canary-pi', current: true }] });
    expect(stderr).toMatch(/^LOCAL ONLY: controller W-jarvis:7443 unreachable 4\ds \(refused\)\n$/);
  });

  test.each([
    ['--host', 'host "elsewhere"', 'known: W-jarvis'],
    ['--tenant', 'host of tenant "elsewhere"', 'known: default'],
    ['--cell', 'cell "elsewhere"', 'known: home'],
  ])('without its controller it says of an unknown %s that it cannot be known now', async (flag, what, known) => {
    await served.start();
    served.upstream = { state: 'unreachable', address: 'W-jarvis:7443', reason: 'refused', ageMs: 40_500, peers: [] };
    served.put({ here: true }, canary);
    const { code, stdout, stderr } = await fleet('ps', flag, 'elsewhere');
    expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
    expect(stderr.replace(/4\ds/, '40s')).toBe(
      'LOCAL ONLY: controller W-jarvis:7443 unreachable 40s (refused)\n' +
        `fleet: no ${what} is known here, and the controller cannot be asked now; ${known}\n`,
    );
    // Who asked for this machine alone has all of it.
    expect(await fleet('ps', '--local', flag, 'elsewhere')).toEqual({
      code: 4,
      stdout: '',
      stderr: `fleet: no ${what} in this view; ${known}; --local shows this machine only\n`,
    });
  });

  test('hosts and whoami answer from the same service', async () => {
    await serveTwoHosts();
    expect((await fleet('hosts')).stdout).toMatch(
      /^ {2}HOST +USER +LINK[\s\S]*\n {2}W-jarvis \* +jarvis +connected[\s\S]*\n {2}dragon-lin +jwoltje +LOST/,
    );
    expect(JSON.parse((await fleet('whoami', '-o', 'json')).stdout)).toMatchObject({
      cell: 'home',
      name: 'jarvis',
      kind: 'local',
    });
    expect((await fleet('version')).stdout).toMatch(/^fleet 1\.0\.0 \(node 24\.\d+\.\d+; host-agent 1\.0\.0\)\n$/);
  });

  test('completion offers the agents of now, and no name that a shell would act upon', async () => {
    await serveTwoHosts();
    served.put({ id: 'x/u', host: '$(touch pwned)', user: 'u' });
    expect((await fleet('__complete', '--', 'doctor', '')).stdout).toBe('W-jarvis\ndragon-lin\n');
  });

  test('doctor prints findings with their mends and ends with 1 when something failed', async () => {
    await serveTwoHosts();
    served.findings = [
      { check: 'tmux', outcome: 'ok', what: 'tmux 3.3a' },
      {
        check: 'linger',
        outcome: 'failed',
        what: 'off\x1b[2J',
        why: 'no polkit',
        mend: 'sudo loginctl enable-linger jarvis',
      },
    ];
    expect(await fleet('doctor')).toMatchObject({
      code: 1,
      stdout:
        'ok    tmux    tmux 3.3a\n' +
        'FAIL  linger  off␛[2J\n' +
        '              no polkit\n' +
        '              mend: sudo loginctl enable-linger jarvis\n',
    });
  });

  test('a reader that leaves early is no error', async () => {
    await served.start();
    served.put(
      { here: true },
      ...Array.from({ length: 3_000 }, (_, n) => agentRow({ key: `${n}`, agent: `agent-${n}` })),
    );
    expect(await saidBy(`${program()} ps -o ndjson | head -1; echo "\${PIPESTATUS[0]}" >&2`)).toBe('0\n');
  });
});

describe('when nothing runs', () => {
  test('fleet alone says what to type', async () => {
    const { code, stdout, stderr } = await fleet();
    expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
    expect(stderr).toMatch(/no host-agent at .*\n\n {2}fleet up /);
  });

  test.each(['ps', 'hosts', 'whoami', 'ps -w'])('fleet %s is one line and 5', async (line) => {
    const { code, stdout, stderr } = await fleet(...line.split(' '));
    expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
    expect(stderr).toMatch(
      new RegExp(`^fleet: no host-agent at .*: fleet up --instance ${served.instance} starts it\n$`),
    );
  });

  test('doctor tells what it can by itself', async () => {
    const { code, stdout } = await fleet('doctor', '-o', 'json');
    expect(code).toBe(5);
    expect(JSON.parse(stdout).findings).toMatchObject([
      { check: 'host-agent', outcome: 'failed', mend: expect.stringContaining('fleet up') },
      { check: 'run folder' },
      { check: 'tmux' },
      { check: 'user manager' },
      { check: 'linger' },
    ]);
  });

  test('wrong usage is 2, one line, nothing on stdout', async () => {
    expect(await fleet('ps', '--wach')).toEqual({
      code: 2,
      stdout: '',
      stderr: 'fleet: unknown flag --wach: did you mean --watch?\n',
    });
  });
});

describe('kept current', () => {
  test.each([
    ['ps', '--host', 'dragon', 'no host "dragon" in this view; known: W-jarvis, dragon-lin'],
    ['ps', '--tenant', 'acme', 'no host of tenant "acme" in this view; known: default'],
    ['hosts', '--cell', 'lab', 'no cell "lab" in this view; known: home'],
  ])('%s -w of a %s that is not there is the same error as once', async (verb, flag, name, words) => {
    await serveTwoHosts();
    for (const form of [[], ['-o', 'ndjson']]) {
      expect(await fleet(verb, '-w', flag, name, ...form)).toEqual({
        code: 4,
        stdout: '',
        stderr: `fleet: ${words}\n`,
      });
    }
  });

  test('what is named may leave meanwhile', async () => {
    await serveTwoHosts();
    const ps = follow('ps', '-w', '--host', 'dragon-lin');
    await until(() => events(ps.stdout).some(({ event }) => event === 'agent'), SLOW);
    served.view.removeHostAgent(dragon.id);
    await until(() => events(ps.stdout).some(({ event }) => event === 'agent_removed'), SLOW);
    served.put({ here: true }, { ...canary, readiness: 'dead' });
    expect(ps.child.exitCode).toBeNull();
  });

  test('a pipe gets whole rows when they change, and removals', async () => {
    await serveTwoHosts();
    const ps = follow('ps', '-w');
    await until(() => events(ps.stdout).filter(({ event }) => event === 'agent').length === 2, SLOW);
    served.put({ here: true }, { ...canary, readiness: 'dead', reason: 'exit 1' });
    await until(
      () => events(ps.stdout).some(({ agent }) => (agent as { readiness?: string })?.readiness === 'dead'),
      SLOW,
    );
    served.view.removeRow(dragon.id, coder.key);
    const gone = { event: 'agent_removed', address: 'home/dragon-lin/jwoltje/coder0-0', gone: true };
    await until(() => events(ps.stdout).find(({ event }) => event === gone.event), SLOW);
    expect(events(ps.stdout).at(-1)).toEqual(gone);
    ps.child.kill('SIGINT');
    expect((await ps.ended).code).toBe(0);
  });

  test('a host-agent that restarts is found again, and what stayed the same is not said again', async () => {
    await serveTwoHosts();
    const ps = follow('ps', '-w');
    await until(() => events(ps.stdout).filter(({ event }) => event === 'agent').length === 2, SLOW);
    served.stop();
    await until(() => events(ps.stdout).some(({ state }) => state === 'broken'), SLOW);
    const before = events(ps.stdout).length;
    await served.start();
    served.put({ here: true }, canary, agentRow({ key: 'new', agent: 'new', order: 1 }));
    await until(
      () =>
        events(ps.stdout).some(
          ({ event, address }) => event === 'agent_removed' && String(address).endsWith('coder0-0'),
        ),
      SLOW,
    );
    const after = events(ps.stdout).slice(before);
    expect(after.filter(({ event }) => event === 'agent')).toMatchObject([{ agent: { agent: 'new' } }]);
    expect(after.some(({ event, state }) => event === 'stream' && state === 'live')).toBe(true);
    expect(ps.child.exitCode).toBeNull();
  });

  test('a host-agent that is frozen makes every row as last seen', async () => {
    await serveTwoHosts();
    served.isHeard = false;
    const ps = follow('ps', '-w', '--host', 'W-jarvis');
    const last = () =>
      events(ps.stdout).findLast(({ event }) => event === 'agent')?.agent as { current: boolean } | undefined;
    // It is heard until it was seen so, however long a program takes to start.
    await until(() => {
      served.beat();
      return last()?.current === true;
    }, SLOW);
    await until(() => last()?.current === false, SLOW);
    served.beat();
    await until(() => last()?.current === true, SLOW);
  });
});
