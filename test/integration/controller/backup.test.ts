/** A controller in one file, made while it runs and is written to, and put in its place again. */
import { appendFileSync, existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Restored, restore } from '../../../controller/backup/restore.ts';
import { readBackup } from '../../../controller/store/backup-file.ts';
import { backUp, quarantineHost, removeHost, verifyAudit } from '../../../src/cli/client/admin-methods.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import type { BackUpResponse } from '../../../src/wire/gen/fleet/v1/backup.ts';
import { RunningController } from '../../helpers/run-controller.ts';
import { RunningHostAgent } from '../../helpers/run-host-agent.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 60_000 };
let cell: RunningController;
let host: RunningHostAgent;
let file: string;

const folder = (): string => join(cell.config.paths.state, 'controller');
const idOf = (agent: RunningHostAgent): string => `${agent.config.name}/${agent.config.user}`;
const joins = async (agent: RunningHostAgent, token: string): Promise<void> => {
  await agent.join(token);
  await until(async () => (await cell.link(idOf(agent))) === 'connected null', SOON);
};
const makeBackup = (path = file): Promise<BackUpResponse> => cell.ask(backUp, { path }, 30_000);
const putBack = (force = false): Promise<Restored> =>
  restore(file, {
    folder: folder(),
    settingsPath: join(cell.config.paths.config, 'fleet-controller.env'),
    clock: systemClock,
    log: silentLogger(),
    actor: 'local:test',
    force,
  });
const removes = (name: string) => cell.ask(removeHost, { host: name, user: '' });

beforeEach(async () => {
  cell = await RunningController.start();
  file = join(cell.folder, 'cell.backup');
  host = await RunningHostAgent.start('W-jarvis');
  await joins(host, await cell.token('W-jarvis', host.config.user));
});
afterEach(async () => {
  await host?.remove();
  await cell?.remove();
});

describe('a backup', () => {
  it('is one closed file with the keys of the cell, made while the controller runs, and never overwrites another', async () => {
    const made = await makeBackup();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(made).toMatchObject({ path: file, cell: 'home', hosts: 1, bytes: statSync(file).size });
    expect(readdirSync(cell.folder).filter((name) => name.includes('backup'))).toEqual(['cell.backup']);
    const { about, files } = readBackup(file);
    expect(about.fingerprint).toBe(made.fingerprint);
    expect([...files.keys()]).toEqual(['audit.key', 'ca.crt', 'ca.key']);
    for (const [name, content] of files) {
      expect(Buffer.from(content).equals(readFileSync(join(folder(), name)))).toBe(true);
    }
    await expect(makeBackup()).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    await expect(makeBackup('cell.backup')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await cell.link(`W-jarvis/${host.config.user}`)).toBe('connected null');
  });

  it('that can be made nowhere says where and what to do, before anything is written', async () => {
    const none = join(cell.folder, 'none');
    writeFileSync(file, '');
    const nowhere = [
      [join(none, 'x'), `there is no folder ${none}: make it, or name another`],
      [join(file, 'x'), `${file} is no folder: name a file in one`],
      [join(file, 'y/x'), `${join(file, 'y')} is no folder: name a file in one`],
      ['/proc/x', 'no file can be made in /proc (ENOENT)'],
    ] as const;
    for (const [path, why] of nowhere) {
      await expect(makeBackup(path)).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: `no backup was made: ${why}`,
      });
    }
    expect(existsSync(none)).toBe(false);
  });

  it('that is damaged, cut off or none at all is refused before anything is changed', async () => {
    await makeBackup();
    await cell.stop();
    await rename(folder(), `${folder()}.lost`);
    const whole = readFileSync(file);
    const refusal = () =>
      putBack().then(
        () => null,
        (error: { code: string }) => error.code,
      );
    truncateSync(file, whole.length - 8_192);
    expect(await refusal()).toBe('DATA_LOSS');
    writeFileSync(file, 'no backup');
    expect(await refusal()).toBe('INVALID_ARGUMENT');
    await rm(file);
    expect(await refusal()).toBe('INVALID_ARGUMENT');
    await mkdir(file);
    expect(await refusal()).toBe('INVALID_ARGUMENT');
    await rm(file, { recursive: true });
    expect(existsSync(folder())).toBe(false);
    writeFileSync(file, whole);
    await putBack();
    await cell.begin();
  });

  it('with one byte changed after it was written is refused in words, and the cell that lives there is left as it is', async () => {
    await makeBackup();
    await cell.stop();
    const whole = readFileSync(file);
    const there = readdirSync(folder()).sort();
    const beside = readdirSync(join(folder(), '..')).sort();
    const [key, about] = [readFileSync(join(folder(), 'audit.key')), Buffer.from('"madeMs":')];
    for (const part of [Buffer.from('"machineId":"'), key.subarray(0, -1), about]) {
      const damaged = Buffer.from(whole);
      // Also where it stands in pages that are free.
      for (let at = whole.indexOf(part); at >= 0; at = whole.indexOf(part, at + 1)) {
        damaged[at + part.length] = (damaged[at + part.length] ?? 0) ^ 1;
      }
      writeFileSync(file, damaged);
      await expect(putBack(true)).rejects.toMatchObject({
        code: 'DATA_LOSS',
        message: expect.stringMatching(/use another backup; nothing was changed$/),
      });
      expect([readdirSync(folder()).sort(), readdirSync(join(folder(), '..')).sort()]).toEqual([there, beside]);
    }
    await cell.begin();
    await until(async () => (await cell.link(idOf(host))) === 'connected null', SOON);
  });
});

describe('a restored controller', () => {
  it('has its hosts back by themselves; what was revoked and used before stays so, and the gap is told', async () => {
    const other = await RunningHostAgent.start('dragon-lin');
    try {
      const used = await cell.token('dragon-lin', other.config.user);
      await joins(other, used);
      await removes('dragon-lin');
      const open = await cell.token('dragon-lin', other.config.user);
      const { auditSequence } = await makeBackup();
      // The chain goes on, and the host hears of it.
      for (let n = 0; n < 3; n++) await cell.token(`later-${n}`);
      const heads = async () => {
        const kept = readFileSync(join(host.config.paths.state, 'host-agent/audit-heads'), 'utf8');
        return kept
          .trim()
          .split('\n')
          .map((line) => line.split(' '))
          .map(([sequence, hash, heardMs]) => ({
            sequence: BigInt(sequence ?? 0),
            hash: hash ?? '',
            heardMs: Number(heardMs),
          }));
      };
      await until(async () => (await heads()).some(({ sequence }) => sequence > auditSequence + 2n), SOON);
      await cell.stop();
      await rm(folder(), { recursive: true });
      expect(await putBack()).toMatchObject({ kept: null, denials: null });
      await cell.begin();
      await until(async () => (await cell.link(idOf(host))) === 'connected null', SOON);
      expect(await cell.link(`dragon-lin/${other.config.user}`)).toBeNull();
      await other.join(open);
      await until(async () => !existsSync(join(other.config.paths.state, 'host-agent/join-token')), SOON);
      expect(await cell.link(`dragon-lin/${other.config.user}`)).toBeNull();

      const known = await heads();
      const verdict = await cell.ask(verifyAudit, { heads: known });
      expect(verdict).toMatchObject({ broken: undefined, rewritten: undefined });
      expect(verdict.restored).toMatchObject({ sequence: auditSequence + 1n });
      expect(verdict.restored?.reason).toContain(`after record ${auditSequence} is not in it`);
      expect(verdict.headsLost).toBeGreaterThan(0);
      // What was heard after it was no longer in the way: a chain written anew since is still found.
      const forged = { sequence: auditSequence + 1n, hash: 'ab'.repeat(32), heardMs: Date.now() };
      const found = await cell.ask(verifyAudit, { heads: [forged] });
      expect(found.rewritten?.hash).toBe(forged.hash);
    } finally {
      await other.remove();
    }
  });

  it('never takes the place of a living cell unless it is told to, keeps that, and what was revoked there stays revoked', async () => {
    await makeBackup();
    await expect(putBack(true)).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    await removes('W-jarvis');
    await cell.stop();
    await expect(putBack()).rejects.toThrow(/holds cell home: --force/);
    const restored = await putBack(true);
    expect(restored).toMatchObject({
      denials: { revoked: 1 },
      kept: expect.stringMatching(/controller\.before-\d+T\d+Z$/),
    });
    expect(existsSync(join(restored.kept ?? '', 'ca.key'))).toBe(true);
    await cell.begin();
    await until(async () => (await host.view()).upstreamAt(0)?.state === 'refused', SOON);
    expect(await cell.link(idOf(host))).toBeNull();
  });

  it('has a host that was put into quarantine since in quarantine: it reports, and asks nothing', async () => {
    await makeBackup();
    const shut = { host: 'W-jarvis', user: '', lift: false };
    await cell.ask(quarantineHost, shut);
    await cell.stop();
    expect(await putBack(true)).toMatchObject({ denials: { quarantined: 1 } });
    await cell.begin();
    await until(async () => (await cell.link(idOf(host))) === 'connected null', SOON);
    await until(async () => (await host.view()).upstreamAt(0)?.state === 'refused', SOON);
    expect((await cell.view()).momentOf(idOf(host), 0)?.host.quarantined).toBe(true);
  });

  it('keeps settings that a person wrote, and brings those of the backup where there are none', async () => {
    const settings = join(cell.config.paths.config, 'fleet-controller.env');
    await mkdir(cell.config.paths.config, { recursive: true });
    writeFileSync(settings, 'FLEET_CERTIFICATE_LIFETIME="3600"\n');
    await makeBackup();
    await cell.stop();
    appendFileSync(settings, '# mine\n');
    expect(await putBack(true)).toMatchObject({ settings: false });
    expect(readFileSync(settings, 'utf8')).toContain('# mine');
    await rm(settings);
    expect(await putBack(true)).toMatchObject({ settings: true });
    expect(readFileSync(settings, 'utf8')).toBe('FLEET_CERTIFICATE_LIFETIME="3600"\n');
    await cell.begin();
  });
});
