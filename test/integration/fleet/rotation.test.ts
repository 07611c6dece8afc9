/** The cell goes from one authority to the next: what lives on, who comes back by itself, and who does not. */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { connect } from 'node:tls';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { controllerStatus } from '../../../src/cli/client/admin-methods.ts';
import { authorityFingerprint, authorityFingerprints } from '../../../src/identity/authority.ts';
import { parseToken } from '../../../src/identity/token.ts';
import { bundleFromPem, isOfSigner } from '../../../src/identity/trust.ts';
import { createLogger } from '../../../src/runtime/logger.ts';
import type { WatchAgentsResponse } from '../../../src/wire/gen/fleet/v1/view.ts';
import { callerAt, Watching } from '../../helpers/fleet-caller.ts';
import { rotate, rotationOf, untilAll } from '../../helpers/rotation-steps.ts';
import { RunningController } from '../../helpers/run-controller.ts';
import { RunningHostAgent } from '../../helpers/run-host-agent.ts';
import { SimulatedHost } from '../../helpers/simulated-host.ts';
import { unary } from '../../helpers/test-cell.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 60_000 };
let logged: string[];
let cell: RunningController;
let jarvis: RunningHostAgent;
let dragon: RunningHostAgent;

const idOf = (host: RunningHostAgent): string => `${host.config.name}/${host.config.user}`;
const linkOf = (host: RunningHostAgent): Promise<string | null> => cell.link(idOf(host));
const opened = (): number => logged.filter((line) => line.includes('"uplink opened"')).length;
const identityOf = async (host: RunningHostAgent): Promise<{ certificatePem: string; trustBundlePem: string }> =>
  JSON.parse(await readFile(join(host.config.paths.state, 'host-agent/identity.json'), 'utf8'));

const joins = async (host: RunningHostAgent): Promise<void> => {
  await host.join(await cell.token(host.config.name, host.config.user));
  await until(async () => (await linkOf(host)) === 'connected null', SOON);
};

/** As a client meets it in a handshake. */
const servedAuthority = async (): Promise<string> => {
  const { listening } = await cell.ask(controllerStatus, {});
  const port = Number(listening[0]?.split(':').at(-1));
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: ['h2'] });
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  const { raw, issuerCertificate } = socket.getPeerCertificate(true);
  socket.destroy();
  const [authority] = bundleFromPem(pemOf(issuerCertificate.raw));
  expect(isOfSigner(pemOf(raw), pemOf(issuerCertificate.raw))).toBe(true);
  return authority === undefined ? '' : authorityFingerprint(authority);
};

const pemOf = (der: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`;

beforeEach(async () => {
  logged = [];
  const destination = new Writable({
    write: (chunk, _encoding, done) => {
      logged.push(String(chunk));
      done();
    },
  });
  cell = await RunningController.start({ log: createLogger({ name: 't', level: 'info', destination }) });
  jarvis = await RunningHostAgent.start('W-jarvis');
  dragon = await RunningHostAgent.start('dragon-lin');
  for (const host of [jarvis, dragon]) await joins(host);
});

afterEach(async () => {
  await Promise.all([jarvis?.remove(), dragon?.remove()]);
  await cell?.remove();
});

test('no stream ends from its beginning to its finish, and all that is made afterwards is the new authority’s', async () => {
  await dragon.tmux('new-session', '-d', '-s', 'coder0-0', '-x', '60', '-y', '10', 'cat');
  const key = await until(async () => [...(await jarvis.view()).rowsOf(idOf(dragon))][0]?.row.key, SOON);
  const client = callerAt(jarvis.config.paths.hostAgentSocket);
  const screen = new Watching(client, { hostAgent: idOf(dragon), key }).read();
  const rows: WatchAgentsResponse[] = [];
  const following = { follow: true, resumeToken: '', localOnly: false, hostsOnly: false };
  const list = client.watchAgents(following).on('data', (frame: WatchAgentsResponse) => rows.push(frame));
  let isListOver = false;
  list
    .on('error', () => undefined)
    .on('close', () => {
      isListOver = true;
    });
  const types = async (text: string): Promise<void> => {
    await dragon.tmux('send-keys', '-t', '=coder0-0:', '-l', text);
    await until(() => screen.shows.includes(text), SOON);
  };
  await types('one,');
  const streams = opened();
  const { signing: old } = await rotationOf(cell);
  const servedBefore = await servedAuthority();

  const begun = await rotate(cell, 'begin');
  expect([begun.phase, begun.signing]).toEqual(['begun', old]);
  await untilAll(cell, 'trusts', 2);
  await types('two,');
  expect(parseToken(await cell.token('third')).fingerprint).toBe(old);
  expect(servedBefore).toBe(old);

  const switched = await rotate(cell, 'switch');
  expect(switched).toMatchObject({ phase: 'switched', signing: begun.other, other: old });
  await untilAll(cell, 'renewed', 2);
  await types('three,');
  expect(await servedAuthority()).toBe(begun.other);

  const finished = await rotate(cell, 'finish');
  expect(finished).toMatchObject({ phase: 'none', signing: begun.other, other: '' });
  await until(
    async () => authorityFingerprints((await identityOf(dragon)).trustBundlePem).join() === begun.other,
    SOON,
  );
  await types('four,');

  // New calls, too, on connections whose certificate is of the authority that left.
  expect([...(await jarvis.view()).rowsOf(idOf(dragon))]).toHaveLength(1);
  const later = new Watching(client, { hostAgent: idOf(dragon), key }).read();
  await until(() => later.shows.includes('four,'), SOON);
  expect([screen.isOver, isListOver, opened()]).toEqual([false, false, streams]);
  expect([...new Set(screen.states)]).toEqual(['connected']);
  expect(isOfSigner((await identityOf(dragon)).certificatePem, (await identityOf(dragon)).trustBundlePem)).toBe(true);

  expect(parseToken(await cell.token('third')).fingerprint).toBe(begun.other);
  // Another rotation on the heels of the first.
  for (const [step, what] of [['begin', 'trusts'] as const, ['switch', 'renewed'] as const]) {
    await rotate(cell, step);
    await untilAll(cell, what, 2);
  }
  await rotate(cell, 'finish');
  expect([screen.isOver, isListOver, opened()]).toEqual([false, false, streams]);
  await dragon.stop();
  await dragon.begin();
  await until(async () => (await linkOf(dragon)) === 'connected null', SOON);
  client.close();
});

test('under load no call fails and no stream ends: all certificates are made anew beneath them', async () => {
  const counting = 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done';
  await dragon.tmux('new-session', '-d', '-s', 'busy', '-x', '60', '-y', '10', counting);
  const key = await until(async () => [...(await jarvis.view()).rowsOf(idOf(dragon))][0]?.row.key, SOON);
  const target = { hostAgent: idOf(dragon), key };
  const clients = Array.from({ length: 8 }, () => callerAt(jarvis.config.paths.hostAgentSocket));
  const screens = clients.map((client) => new Watching(client, target).read());
  const over = new AbortController();
  const failures: string[] = [];
  let answered = 0;
  const asking = clients.map(async (client) => {
    while (!over.signal.aborted) {
      await unary((done) => client.explainAgent(target, done)).then(
        () => answered++,
        (error: Error) => failures.push(error.message),
      );
    }
  });
  /** Everybody is answered, and every screen goes on, after what was just done. */
  const goesOn = async (): Promise<void> => {
    const [before, shown] = [answered, screens.map(({ shows }) => shows)];
    await until(() => answered > before + 10 * clients.length, SOON);
    await until(() => screens.every(({ shows }, at) => shows !== shown[at]), SOON);
  };
  try {
    await goesOn();
    const streams = opened();
    for (const [step, what] of [['begin', 'trusts'] as const, ['switch', 'renewed'] as const]) {
      await rotate(cell, step);
      await goesOn();
      await untilAll(cell, what, 2);
    }
    await rotate(cell, 'finish');
    await goesOn();
    expect(failures).toEqual([]);
    expect([opened(), screens.map(({ isOver }) => isOver)]).toEqual([streams, clients.map(() => false)]);
    expect([...new Set(screens.flatMap(({ states }) => states))]).toEqual(['connected']);
  } finally {
    over.abort();
    await Promise.all(asking);
    for (const client of clients) client.close();
  }
});

test('a host that was away from the begin to the finish comes back by itself if it had the new authority', async () => {
  await rotate(cell, 'begin');
  await untilAll(cell, 'trusts', 2);
  await dragon.stop();
  await rotate(cell, 'switch');
  await untilAll(cell, 'renewed', 1);
  const { holders } = await rotate(cell, 'finish');
  expect(holders.map(({ connected, trusts, renewed }) => ({ connected, trusts, renewed }))).toEqual([
    { connected: true, trusts: true, renewed: true },
    { connected: false, trusts: true, renewed: false },
  ]);
  await dragon.begin();
  await until(async () => (await linkOf(dragon)) === 'connected null', SOON);
  expect((await rotationOf(cell)).holders.every(({ renewed }) => renewed)).toBe(true);
});

test('a host that was away the whole time cannot know the cell any more, and joins again with a token', async () => {
  await dragon.stop();
  await rotate(cell, 'begin');
  await untilAll(cell, 'trusts', 1);
  await rotate(cell, 'switch');
  await untilAll(cell, 'renewed', 1);
  await rotate(cell, 'finish');
  await dragon.begin();
  await until(async () => (await dragon.view()).upstreamAt(0)?.state === 'unreachable', SOON);
  expect(await linkOf(dragon)).not.toBe('connected null');
  await joins(dragon);
});

test('a step that would leave connected hosts behind is refused and names them; each step waits for its turn', async () => {
  const refusal = (step: string) => rotate(cell, step).catch((error: Error) => error.message);
  const token = await cell.token('older');
  // As one of an older version: it does not say whom it trusts, and does not renew when it is told.
  const older = await SimulatedHost.enrol({ folder: cell.folder, token, host: 'older' });
  older.start();
  await untilAll(cell, 'trusts', 3);
  expect(await refusal('switch')).toContain('"fleet controller rotate-ca begin" comes first');
  expect(await refusal('finish')).toContain('"fleet controller rotate-ca begin" comes first');
  expect(await refusal('sideways')).toContain('one of begin, switch, finish, abort');
  const begun = await rotate(cell, 'begin');
  expect(await rotate(cell, 'begin')).toMatchObject({ phase: 'begun', other: begun.other });
  expect(await refusal('finish')).toContain('"fleet controller rotate-ca switch" comes first');
  await until(async () => /^older\/u is connected and not trusting/.test(String(await refusal('switch'))), SOON);
  expect(await rotate(cell, 'switch', true)).toMatchObject({ phase: 'switched', signing: begun.other });
  expect(await refusal('abort')).toContain('"fleet controller rotate-ca finish" comes first');
  await until(
    async () => /^older\/u is connected and without a certificate/.test(String(await refusal('finish'))),
    SOON,
  );
  await older.stop();
  expect(await rotate(cell, 'finish')).toMatchObject({ phase: 'none', signing: begun.other });
});

test('a switch that cannot be written says so and harms nobody; then the rotation is given up, and begun anew', async () => {
  const { signing } = await rotationOf(cell);
  await rotate(cell, 'begin');
  await untilAll(cell, 'trusts', 2);
  const inTheWay = join(cell.config.paths.state, 'controller/ca-old.crt');
  await mkdir(inTheWay);
  const words = /^switch could not be written \(.*ca-old\.crt.*\): all stands as before it; mend that and repeat it$/;
  await expect(rotate(cell, 'switch')).rejects.toThrow(words);
  const streams = opened();
  expect(await rotationOf(cell)).toMatchObject({ phase: 'begun', signing });
  expect(await rotate(cell, 'abort')).toMatchObject({ phase: 'none', signing, other: '' });
  await rm(inTheWay, { recursive: true });
  await until(async () => authorityFingerprints((await identityOf(jarvis)).trustBundlePem).join() === signing, SOON);
  const again = await rotate(cell, 'begin');
  await untilAll(cell, 'trusts', 2);
  await rotate(cell, 'switch');
  await untilAll(cell, 'renewed', 2);
  expect(await rotate(cell, 'finish')).toMatchObject({ phase: 'none', signing: again.other });
  expect(opened()).toBe(streams);
});

test('a rotation that is given up leaves everything as it was; one under way outlives the controller', async () => {
  const { signing } = await rotationOf(cell);
  await rotate(cell, 'begin');
  await untilAll(cell, 'trusts', 2);
  expect(await rotate(cell, 'abort')).toMatchObject({ phase: 'none', signing, other: '' });
  await until(async () => authorityFingerprints((await identityOf(jarvis)).trustBundlePem).join() === signing, SOON);
  const again = await rotate(cell, 'begin');
  await untilAll(cell, 'trusts', 2);
  await rotate(cell, 'switch');
  await cell.stop();
  await cell.begin();
  expect(await rotationOf(cell)).toMatchObject({ phase: 'switched', signing: again.other, other: signing });
  await untilAll(cell, 'renewed', 2);
});
