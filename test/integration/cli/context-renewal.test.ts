import { utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { revokeOperator } from '../../../src/cli/client/admin-methods.ts';
import { saveContext } from '../../../src/cli/client/context-files.ts';
import { openContext } from '../../../src/cli/client/context-line.ts';
import { GrpcChannel } from '../../../src/cli/client/grpc-channel.ts';
import { watchAgents, whoAmI } from '../../../src/cli/client/methods.ts';
import { authorityFingerprints, openAuthority } from '../../../src/identity/authority.ts';
import { readCertificate } from '../../../src/identity/certificate.ts';
import { loadKey } from '../../../src/identity/key.ts';
import { isOfSigner } from '../../../src/identity/trust.ts';
import { OperatorSeat } from '../../helpers/operator-seat.ts';
import { rotate } from '../../helpers/rotation-steps.ts';
import { RunningController } from '../../helpers/run-controller.ts';
import { until } from '../../helpers/until.ts';

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;

let controller: RunningController;
const seats: OperatorSeat[] = [];
let count = 0;
beforeAll(async () => {
  controller = await RunningController.start();
});
afterAll(() => controller.remove());
afterEach(() => {
  for (const seat of seats.splice(0)) seat.remove();
});

const newSeat = async (): Promise<OperatorSeat & { name: string }> => {
  const name = `maria-${++count}`;
  const seat = Object.assign(await OperatorSeat.joined(controller, { name }), { name });
  seats.push(seat);
  return seat;
};

/** Its context as if it had been made so long ago. */
const age = async (seat: OperatorSeat & { name: string }, ageMs: number): Promise<string> => {
  const authority = await openAuthority(
    join(controller.folder, '.local/state/fleet/instances/t/controller'),
    'home',
    0,
  );
  const held = await seat.held();
  const id = { kind: 'operator', cell: 'home', name: seat.name } as const;
  const key = await loadKey(join(held.folder, 'key.pem'));
  const certificatePem = authority.issue(id, key, { nowMs: Date.now() - ageMs, lifetimeMs: WEEK_MS });
  await saveContext(held.folder, { ...held, certificatePem });
  return certificatePem;
};

const ask = async (seat: OperatorSeat) => {
  using channel = seat.channel();
  return await channel.unary(whoAmI, {}, { deadlineMs: 10_000 });
};

test('a fresh certificate is left alone', async () => {
  const seat = await newSeat();
  const { certificatePem } = await seat.held();
  expect(await ask(seat)).toMatchObject({ caller: { name: seat.name } });
  expect((await seat.held()).certificatePem).toBe(certificatePem);
});

test.each([
  ['at two thirds of its life', 5 * DAY_MS],
  ['after its end', 8 * DAY_MS],
  ['90 days after its end, nearly', 96 * DAY_MS],
])('%s the call itself renews it, with the same key', async (_, ageMs) => {
  const seat = await newSeat();
  const { keyPem } = await seat.held();
  const old = await age(seat, ageMs);
  expect(await ask(seat)).toMatchObject({ caller: { name: seat.name } });
  const held = await seat.held();
  expect(held.keyPem).toBe(keyPem);
  expect(held.certificatePem).not.toBe(old);
  expect(readCertificate(held.certificatePem).notAfterMs).toBeGreaterThan(Date.now() + 6 * DAY_MS);
});

/** As if the controller had been asked whom to trust more than a minute ago. */
const minutesLater = async (seat: OperatorSeat): Promise<void> => {
  const past = new Date(Date.now() - 120_000);
  utimesSync(join((await seat.held()).folder, 'trust-bundle.pem'), past, past);
};

test('a context that is used while the authority changes comes along, and one that was told of it comes back later', async () => {
  const used = await newSeat();
  const told = await newSeat();
  const asks = async (seat: OperatorSeat): Promise<void> => {
    await minutesLater(seat);
    expect(await ask(seat)).toMatchObject({ caller: { kind: 'operator' } });
  };
  const { other } = await rotate(controller, 'begin');
  await asks(used);
  await asks(told);
  await rotate(controller, 'switch');
  await asks(used);
  expect(authorityFingerprints((await used.held()).trustBundlePem)[0]).toBe(other);
  expect(isOfSigner((await used.held()).certificatePem, (await used.held()).trustBundlePem)).toBe(true);
  await rotate(controller, 'finish');
  await asks(used);
  // Its certificate is of the authority that left.
  expect(await ask(told)).toMatchObject({ caller: { name: told.name } });
});

test('later than that it is refused, and so is a revoked one at any time', async () => {
  const late = await newSeat();
  await age(late, 98 * DAY_MS);
  await expect(ask(late)).rejects.toMatchObject({
    code: 'PERMISSION_DENIED',
    message: expect.stringContaining('not renewed'),
  });
  const revoked = await newSeat();
  await age(revoked, 8 * DAY_MS);
  await controller.ask(revokeOperator, { name: revoked.name });
  await expect(ask(revoked)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  await age(revoked, 5 * DAY_MS);
  await expect(ask(revoked)).rejects.toMatchObject({
    code: 'UNAUTHENTICATED',
    message: expect.stringMatching(/^revoked/),
  });
});

test('a line that stays open renews on the way', async () => {
  const seat = await newSeat();
  const { transport } = await openContext(
    seat.paths,
    'home',
    { signal: AbortSignal.timeout(60_000), withinMs: 60_000 },
    { lookMs: 20 },
  );
  using _line = transport;
  const old = await age(seat, 5 * DAY_MS);
  await until(async () => (await seat.held()).certificatePem !== old, { timeoutMs: 20_000 });
});

test('what stands by a line while the authority changes goes on, and its context comes along', async () => {
  const seat = await newSeat();
  const limits = { signal: AbortSignal.timeout(60_000), withinMs: 60_000 };
  const { transport, address } = await openContext(seat.paths, 'home', limits, { lookMs: 20 });
  using _line = transport;
  const at = { open: async () => ({ transport, address }), called: 'home' };
  const channel = new GrpcChannel({ at, what: 'controller', mend: '' });
  const request = { follow: true, resumeToken: '', localOnly: false, hostsOnly: false };
  let heard = 0;
  const standing = (async () => {
    for await (const frame of channel.stream(watchAgents, request, limits)) if (frame.heard) heard++;
  })();
  standing.catch(() => undefined);
  const { other } = await rotate(controller, 'begin');
  const knows = async (): Promise<boolean> => {
    await minutesLater(seat);
    return authorityFingerprints((await seat.held()).trustBundlePem).includes(other);
  };
  await until(knows, { timeoutMs: 20_000 });
  await rotate(controller, 'switch');
  const hasNew = async (): Promise<boolean> => {
    await minutesLater(seat);
    const { certificatePem, trustBundlePem } = await seat.held();
    return authorityFingerprints(trustBundlePem)[0] === other && isOfSigner(certificatePem, trustBundlePem);
  };
  await until(hasNew, { timeoutMs: 20_000 });
  await rotate(controller, 'finish');
  const before = heard;
  await Promise.race([until(() => heard > before + 1, { timeoutMs: 20_000 }), standing]);
});

test('an address that does not answer costs its deadline once: the one that worked comes first then', async () => {
  const seat = await newSeat();
  const worked = (await seat.held()).addresses[0] as string;
  // Takes connections and never says a word of TLS.
  const mute = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => mute.once('listening', resolve));
  const { port } = mute.address() as { port: number };
  await seat.dialsOnly('127.0.0.1:1', `127.0.0.1:${port}`, worked);
  expect(await ask(seat)).toMatchObject({ caller: { name: seat.name } });
  expect((await seat.held()).addresses).toEqual([worked, '127.0.0.1:1', `127.0.0.1:${port}`]);
  mute.close();
});

test('a controller that nobody reaches is exit 5 with each address and its reason, and no rows', async () => {
  const seat = await newSeat();
  await seat.dialsOnly('127.0.0.1:1', 'nowhere.invalid:7443');
  const ran = await seat.fleet('--context', 'home', 'ps');
  expect(ran).toMatchObject({ code: 5, stdout: '' });
  expect(ran.stderr).toMatch(
    /^fleet: controller of context home unreachable: 127\.0\.0\.1:1: connection refused; nowhere\.invalid:7443: .+\n$/,
  );
});

test('what a login left damaged says how to be rid of it', async () => {
  const seat = await newSeat();
  const { folder } = await seat.held();
  writeFileSync(join(folder, 'context.json'), '{}');
  expect(await seat.fleet('--context', 'home', 'ps')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('fleet context rm home'),
  });
});
