import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RosterSource } from '../../../host-agent/roster/source.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 40_000 };
let home: string;
let fleet: string;
let stop: AbortController;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'fleet-roster-'));
  fleet = join(home, 'fleet');
  stop = new AbortController();
});
afterEach(() => {
  stop.abort();
  rmSync(home, { recursive: true, force: true });
});

const rosterText = (...names: string[]) =>
  `version: 1\nagents:\n${names.map((name) => `- {name: ${name}, runtime: pi}\n`).join('')}`;
const save = (name: string, text: string) => {
  mkdirSync(join(fleet, 'agents'), { recursive: true });
  writeFileSync(join(fleet, `${name}.tmp`), text);
  renameSync(join(fleet, `${name}.tmp`), join(fleet, name));
};
// A rescan so slow that only inotify can explain what the tests see.
const started = async (rescanMs = 3_600_000) => {
  const source = new RosterSource({ mosaicHome: home, rescanMs });
  await source.start(stop.signal);
  return source;
};
const namesOf = (source: RosterSource) => source.current().roster?.agents.map(({ name }) => name) ?? null;

test('no roster is no problem, and one that appears with its folder is read', async () => {
  const source = await started();
  const path = join(fleet, 'roster.yaml');
  expect(source.current()).toEqual({ path, roster: null, problem: null, warnings: [], env: new Map() });
  save('roster.yaml', rosterText('a'));
  await until(() => namesOf(source)?.join() === 'a', SOON);
  save('roster.yaml', rosterText('a', 'b'));
  await until(() => namesOf(source)?.join() === 'a,b', SOON);
});

test('an edit in place is seen as well', async () => {
  save('roster.yaml', rosterText('a'));
  const source = await started();
  writeFileSync(join(fleet, 'roster.yaml'), rosterText('c'));
  await until(() => namesOf(source)?.join() === 'c', SOON);
});

test('a roster that breaks keeps its last good agents, with the problem, until it is mended or gone', async () => {
  save('roster.yaml', rosterText('a'));
  const source = await started();
  save('roster.yaml', 'version: 1\nagents:\n- nmae: a\n');
  await until(() => source.current().problem, SOON);
  expect(source.current().problem).toBe(
    `${join(fleet, 'roster.yaml')}:3:3: unknown key \`nmae\`; did you mean \`name\`? (and 2 more)`,
  );
  expect(namesOf(source)).toEqual(['a']);
  save('roster.yaml', rosterText('b'));
  await until(() => source.current().problem === null, SOON);
  expect(namesOf(source)).toEqual(['b']);
  rmSync(join(fleet, 'roster.yaml'));
  await until(() => source.current().roster === null, SOON);
  expect(source.current().problem).toBeNull();
});

test('a roster that was never good is a problem without agents', async () => {
  save('roster.yaml', '{');
  const { roster, problem } = (await started()).current();
  expect(roster).toBeNull();
  expect(problem).toMatch(/roster\.yaml:1:2: no valid YAML/);
});

test('JSON is read where there is no YAML, and passed over aloud where there is', async () => {
  save('roster.json', '{"version": 1, "agents": [{"name": "j", "runtime": "pi"}]}');
  const source = await started();
  expect(namesOf(source)).toEqual(['j']);
  expect(source.current().path).toBe(join(fleet, 'roster.json'));
  save('roster.yaml', rosterText('y'));
  await until(() => namesOf(source)?.join() === 'y', SOON);
  expect(source.current().warnings).toEqual([
    `${join(fleet, 'roster.json')} is not read: roster.yaml stands beside it`,
  ]);
});

test('env files are values by agent, and decide the socket of the launch', async () => {
  save('roster.yaml', rosterText('a', 'b'));
  writeFileSync(join(fleet, 'agents', 'a.env'), 'export MOSAIC_AGENT_MODEL="x y"\n');
  const source = await started();
  expect(source.current().env).toEqual(new Map([['a', new Map([['MOSAIC_AGENT_MODEL', 'x y']])]]));
  writeFileSync(join(fleet, 'agents', 'b.env'), 'MOSAIC_TMUX_SOCKET=mosaic-fleet\n');
  await until(() => source.current().roster?.agents[1]?.socketName === 'mosaic-fleet', SOON);
  expect(source.current().roster?.agents[0]?.socketName).toBeNull();
  rmSync(join(fleet, 'agents'), { recursive: true });
  await until(() => source.current().env.size === 0, SOON);
  expect(source.current().roster?.agents[1]?.socketName).toBeNull();
});

test('an env file that is broken is told with its place, keeps what can be read, and decides no socket by a bad name', async () => {
  save('roster.yaml', rosterText('a'));
  writeFileSync(join(fleet, 'agents', 'a.env'), 'MOSAIC_TMUX_SOCKET=../x\nMOSAIC_AGENT_MODEL\nMOSAIC_AGENT_CLASS=y\n');
  const source = await started();
  expect(source.current().warnings).toEqual([
    `${join(fleet, 'agents', 'a.env')}:1:20: MOSAIC_TMUX_SOCKET: \`../x\` is no socket name: it takes no \`/\` and no blanks (and 1 more)`,
  ]);
  expect(source.current().env.get('a')?.get('MOSAIC_AGENT_CLASS')).toBe('y');
  expect(source.current().roster?.agents[0]?.socketName).toBeNull();
  writeFileSync(join(fleet, 'agents', 'a.env'), Buffer.from([0, 255]));
  await until(() => source.current().warnings?.[0]?.includes('belongs in no text'), SOON);
});

test('files that are none are told, and neither waited for nor read without end', async () => {
  save('roster.yaml', rosterText('a'));
  execFileSync('mkfifo', [join(fleet, 'agents', 'fifo.env')]);
  mkdirSync(join(fleet, 'agents', 'folder.env'));
  writeFileSync(join(fleet, 'agents', 'huge.env'), 'x'.repeat(1_000_000));
  const source = await started();
  expect(namesOf(source)).toEqual(['a']);
  expect(source.current().warnings).toEqual([
    `${join(fleet, 'agents', 'fifo.env')}: is no regular file`,
    `${join(fleet, 'agents', 'folder.env')}: is no regular file`,
    `${join(fleet, 'agents', 'huge.env')}: is larger than 65536 bytes`,
  ]);
  rmSync(join(fleet, 'roster.yaml'));
  execFileSync('mkfifo', [join(fleet, 'roster.yaml')]);
  await until(() => source.current().problem, SOON);
  expect(source.current().problem).toBe(`${join(fleet, 'roster.yaml')}: is no regular file`);
  expect(namesOf(source)).toEqual(['a']);
});

test('a roster behind a link is read, and its changes are found by the rescan', async () => {
  mkdirSync(fleet);
  writeFileSync(join(home, 'real.yaml'), rosterText('a'));
  symlinkSync(join(home, 'real.yaml'), join(fleet, 'roster.yaml'));
  const source = await started(50);
  expect(namesOf(source)).toEqual(['a']);
  writeFileSync(join(home, 'real.yaml'), rosterText('b'));
  await until(() => namesOf(source)?.join() === 'b', SOON);
});

test('heartbeats and temporary files beside the roster change nothing', async () => {
  save('roster.yaml', rosterText('a'));
  const source = await started();
  let changes = 0;
  source.onChange(() => {
    changes += 1;
  });
  writeFileSync(join(fleet, 'other.txt'), 'x');
  save('roster.yaml', rosterText('a'));
  await source.refresh();
  expect(changes).toBe(0);
});
