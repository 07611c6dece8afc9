import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { allowVerbs } from '../../../src/cli/client/admin-methods.ts';
import { RunningCommand, runCommand } from '../../helpers/run-command.ts';
import { RunningController } from '../../helpers/run-controller.ts';
import { RunningHostAgent } from '../../helpers/run-host-agent.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 30_000 };
let cell: RunningController;
let jarvis: RunningHostAgent;
let folder: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fleet-exec-'));
  jarvis = await RunningHostAgent.start('W-jarvis');
});

afterEach(async () => {
  await jarvis?.remove();
  rmSync(folder, { recursive: true, force: true });
});

const session = (name: string) => jarvis.tmux('new-session', '-d', '-s', name, 'sleep 1000');
const onHost = (...argv: string[]) => new RunningCommand(jarvis.config.paths, ...argv);
const objects = (stdout: string) =>
  stdout
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

test('without a controller events are of this host alone, live, and that is said', async () => {
  await session('keeper');
  const events = onHost('events', '-f', '-o', 'ndjson');
  await until(() => events.stderr.includes('LOCAL ONLY'), SOON);
  await session('alpha');
  await until(() => events.stdout.includes('"alpha"'), SOON);
  expect((await events.leave()).code).toBe(0);
  // The one before may come to be seen while somebody looks already.
  expect(objects(events.stdout).find(({ agent }) => agent === 'alpha')).toMatchObject({
    schema: 'fleet.event/v1',
    revision: null,
    kind: 'up',
    host: 'W-jarvis',
    agent: 'alpha',
    reason: null,
  });
});

describe('in a cell', () => {
  beforeEach(async () => {
    cell = await RunningController.start();
    await jarvis.join(await cell.token('W-jarvis', jarvis.config.user));
    await until(async () => (await cell.link(`W-jarvis/${jarvis.config.user}`)) === 'connected null', SOON);
  });

  afterEach(() => cell?.remove());

  test('events go on by themselves over a restart of the controller, and each is given to a program', async () => {
    await session('keeper');
    const seen = join(folder, 'seen');
    const program = join(folder, 'note.mjs');
    writeFileSync(
      program,
      `import { appendFileSync, readFileSync } from 'node:fs';
       appendFileSync(${JSON.stringify(seen)}, JSON.stringify([process.argv.slice(2), JSON.parse(readFileSync(0, 'utf8')).kind]) + '\\n');
       console.log('noted');`,
    );
    const events = onHost('events', '-f', '--exec', `${process.execPath} ${program} '$(touch x)'`);
    await until(async () => {
      await session(`a${Math.round(performance.now())}`);
      return events.stdout !== '';
    }, SOON);
    await cell.stop();
    await until(() => events.stderr.includes('trying again'), SOON);
    await session('beta');
    await cell.begin();
    await until(() => events.stdout.includes('beta'), SOON);
    await until(() => readFileSync(seen, 'utf8').trim().split('\n').length >= 2, SOON);
    expect((await events.leave()).code).toBe(0);
    expect(events.stdout).toMatch(/^TIME +HOST +AGENT +EVENT\n/);
    expect(events.stdout).toMatch(/W-jarvis +beta +is up\n/);
    expect(JSON.parse(readFileSync(seen, 'utf8').split('\n')[0] as string)).toEqual([['$(touch x)'], 'up']);
    expect(events.stderr).toContain('noted');
    const past = await runCommand(jarvis.config.paths, 'events', '--since', '1h', '--exec', 'false');
    expect(past.code).toBe(3);
    expect(past.stdout).toMatch(/AGE +HOST[\s\S]* beta +is up/);
    expect(past.stderr).toContain('false failed (exit 1)');
    expect(await runCommand(jarvis.config.paths, 'events', '-f', '--exec', '/nowhere/at-all')).toEqual({
      code: 2,
      stdout: '',
      stderr: 'fleet: --exec /nowhere/at-all: there is no such file\n',
    });
  });

  test('an order that a host was given on its own socket is told like one that came through the controller, each once', async () => {
    await session('keeper');
    await using after = new AsyncDisposableStack();
    const dragon = await RunningHostAgent.start('dragon-lin');
    after.defer(() => dragon.remove());
    const { user } = jarvis.config;
    await dragon.join(await cell.token('dragon-lin', user));
    await until(async () => (await cell.link(`dragon-lin/${user}`)) === 'connected null', SOON);
    const ceiling = { host: 'dragon-lin', user, verbs: ['send'] };
    await cell.ask(allowVerbs, ceiling);
    const events = onHost('events', '-f', '-o', 'ndjson');
    const told = () => objects(events.stdout).filter(({ kind }) => kind === 'order-done');
    await until(async () => {
      await session(`a${Math.round(performance.now())}`);
      return events.stdout !== '';
    }, SOON);
    const own = await runCommand(jarvis.config.paths, 'send', 'keeper', 'hello', '--id', 'own-1');
    expect(own).toMatchObject({ code: 8, stdout: expect.stringContaining('not-a-runtime') });
    await until(() => told().length > 0, SOON);
    expect(await runCommand(jarvis.config.paths, 'send', 'keeper', 'hello', '--id', 'own-1')).toMatchObject({
      code: 8,
    });
    const relayed = await runCommand(dragon.config.paths, 'send', 'W-jarvis/keeper', 'hello', '--id', 'relayed-1');
    expect(relayed.code).toBe(8);
    await until(() => told().length > 1, SOON);
    await session('last');
    await until(() => events.stdout.includes('"last"'), SOON);
    const order = { host: 'W-jarvis', agent: 'keeper', verb: 'send', outcome: 'not-a-runtime' };
    expect(told()).toMatchObject([
      { ...order, order_id: 'own-1', actor: `spiffe://home/host/W-jarvis/user/${user}` },
      { ...order, order_id: 'relayed-1', actor: `spiffe://home/host/dragon-lin/user/${user}` },
    ]);
    expect((await events.leave()).code).toBe(0);
  });

  test('the audit is a table, a stream and a chain that is looked through; a host has its own journal', async () => {
    const admin = (...argv: string[]) => runCommand(cell.config.paths, 'audit', ...argv);
    const table = await admin('--since', '1h');
    expect(table.stdout).toMatch(/^TIME +WHO +VERB +OUTCOME +TOOK +BYTES +WHAT\n/);
    expect(table.stdout).toMatch(/local:admin socket +CreateToken +done +\d+ms +\d+ /);
    expect((await admin('-n', '3')).stdout.trim().split('\n')).toHaveLength(4);
    const { records, schema } = JSON.parse((await admin('--since', '1h', '-o', 'json')).stdout);
    expect(schema).toBe('fleet.audit/v1');
    expect(records[0]).toMatchObject({ sequence: 1, cell: 'home', rpc: expect.stringContaining('/fleet.v1.') });
    // As on the machine of both: the admin socket of the one, the host-agent of the other.
    const paths = { ...cell.config.paths, hostAgentSocket: jarvis.config.paths.hostAgentSocket };
    const kept = join(jarvis.config.paths.state, 'host-agent/audit-heads');
    await until(() => statSync(kept).size > 0, SOON);
    expect(await runCommand(paths, 'audit', '--verify')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /^the chain holds: \d+ records, 1 to \d+\n\d+ of its records are those that this host/,
      ),
    });
    await cell.stop();
    const db = new DatabaseSync(join(cell.config.paths.state, 'controller/controller.db'));
    db.prepare(
      "UPDATE entry SET value = CAST(replace(value, 'CreateToken', 'createToken') AS BLOB) WHERE key LIKE 'audit/%'",
    ).run();
    db.close();
    await cell.begin();
    expect(await runCommand(paths, 'audit', '--verify')).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^BROKEN at record \d+ of .*: it was altered; /),
    });
    expect(await runCommand(jarvis.config.paths, 'audit', '--local', '-o', 'json')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('"orders":[]'),
    });
    expect((await runCommand(jarvis.config.paths, 'audit', '-f', '--verify')).code).toBe(2);
  });
});
