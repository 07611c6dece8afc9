import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Addresses } from '../../../controller/admin/addresses.ts';
import { FleetError } from '../../../src/domain/errors.ts';
import { probeController } from '../../../src/identity/probe.ts';
import { FleetServiceClient } from '../../../src/wire/gen/fleet/v1/fleet.ts';
import { openCell, Uplink } from '../../helpers/door-ground.ts';
import { type TestCell, unary } from '../../helpers/test-cell.ts';

describe('the addresses of the door', () => {
  let cell: TestCell;
  beforeEach(async () => {
    cell = await openCell();
  });
  afterEach(() => cell.stop());

  it('proves itself to a joining machine by the fingerprint of its token, and a stranger there does not', async () => {
    const { fingerprint } = await cell.token();
    const target = { address: cell.address, cell: 'home', fingerprint };
    const options = { timeoutMs: 5_000, nowMs: Date.now };
    expect(await probeController(target, options)).toEqual({
      trustBundlePem: cell.authority.pem,
      controller: 'spiffe://home/controller/main',
    });
    const wrong = probeController({ ...target, fingerprint: 'ab'.repeat(32) }, options);
    await expect(wrong).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    const other = probeController({ ...target, cell: 'elsewhere' }, options);
    await expect(other).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await expect(probeController({ ...target, address: '127.0.0.1:1' }, options)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
  });

  it('opens further addresses while streams live, and opens them again at the next start', async () => {
    const enrolled = await cell.enroll(await cell.token());
    const uplink = await Uplink.open(cell, enrolled);
    expect(await cell.addresses.open('', ['w-jarvis.example:7443'])).toBe(true);
    expect(await cell.addresses.open('', [])).toBe(false);
    expect(cell.server.listening).toEqual([
      expect.stringMatching(new RegExp(`^(0\\.0\\.0\\.0|\\[::\\]):${cell.port}$`)),
    ]);
    expect(cell.addresses.dialable()[0]).toBe('w-jarvis.example:7443');
    expect(cell.addresses.dialable()).toContain(`127.0.0.1:${cell.port}`);
    await uplink.answered();
    const client = cell.client(FleetServiceClient, enrolled, `127.0.0.1:${cell.port}`);
    expect(await unary((done) => client.whoAmI({}, done))).toMatchObject({ host: 'W-jarvis' });
    const opened: string[] = [];
    const listener = {
      listening: opened,
      listen: async (host: string, port: number) => {
        opened.push(`${host}:${port}`);
        return `${host}:${port}`;
      },
    };
    await new Addresses(listener, cell.records, cell.log).start(0);
    expect(opened).toEqual([`127.0.0.1:${cell.port}`, `:::${cell.port}`]);
  });

  it('that is none of this machine says so', async () => {
    await expect(cell.server.listen('192.0.2.77', 0)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: 'address 192.0.2.77:0 is none of this machine: choose another',
    });
  });

  it('whose port is taken says what to type: another at first, and later none, since hosts dial it', async () => {
    const taken = {
      listening: [],
      listen: async () => {
        throw new FleetError('ALREADY_EXISTS', 'address 127.0.0.1:7443 is taken by another program: choose another');
      },
    };
    const starting = () => new Addresses(taken, cell.records, cell.log).start(7_443);
    await expect(starting()).rejects.toThrow(
      `port ${cell.port} of 127.0.0.1 is taken by another program, and hosts dial it`,
    );
    const { settings, store } = cell.records;
    await store.commit({ remove: [settings.keyOf('controller')] });
    await expect(starting()).rejects.toThrow('fleet up --port PORT takes another');
  });
});
