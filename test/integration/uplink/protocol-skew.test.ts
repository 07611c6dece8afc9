/** A controller and host-agents of other versions: an older one's recorded words, and a newer one's that nobody knows. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { diagnose } from '../../../src/cli/client/methods.ts';
import type { AgentRow } from '../../../src/domain/agent-row.ts';
import { agentView } from '../../../src/domain/make-views.ts';
import { encodeAgentRow } from '../../../src/wire/agent-row.ts';
import { Beat, Goodbye, Hello, Report, ReportedRow } from '../../../src/wire/gen/fleet/v1/host_agent.ts';
import * as wire from '../../../src/wire/gen/fleet/v1/types.ts';
import { hostFactsToWire } from '../../../src/wire/host-agent.ts';
import { agentRow } from '../../helpers/agent-row.ts';
import { hostFacts } from '../../helpers/host-agent.ts';
import { grown, member, together } from '../../helpers/newer-bytes.ts';
import { RawUplink } from '../../helpers/raw-uplink.ts';
import { RunningController } from '../../helpers/run-controller.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 60_000 };
const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const each of cleanUp.splice(0).reverse()) await each();
});

const cell = async (): Promise<RunningController> => {
  const controller = await RunningController.start();
  cleanUp.push(() => controller.remove());
  return controller;
};

const uplinkOf = async (controller: RunningController, host: string, user: string): Promise<RawUplink> => {
  const token = await controller.token(host, user);
  const uplink = await RawUplink.open({ folder: controller.folder, token, host, user });
  cleanUp.push(() => uplink.close());
  return uplink;
};

const rowsOf = async (controller: RunningController, id: string): Promise<AgentRow[]> =>
  [...(await controller.view()).rowsOf(id)].map(({ row }) => row).sort((a, b) => (a.key < b.key ? -1 : 1));

interface Recorded {
  version: string;
  messages: { kind: string; bytes: string }[];
  rows: AgentRow[];
}

const FOLDER = join(import.meta.dirname, '../../fixtures/protocol');
const recordings = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.json'))
  .map((name) => JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as Recorded);

describe.each(recordings)('a host-agent of version $version', ({ version, messages, rows }) => {
  const id = 'W-jarvis/jarvis';

  test('is understood as it was recorded: its rows, its ages by its own clock, and its goodbye', async () => {
    const controller = await cell();
    const uplink = await uplinkOf(controller, 'W-jarvis', 'jarvis');
    for (const { bytes } of messages.filter(({ kind }) => kind !== 'goodbye')) uplink.say(Buffer.from(bytes, 'base64'));
    await until(async () => (await rowsOf(controller, id)).length === rows.length, SOON);
    // Fields that came later are whatever they are now.
    expect(await rowsOf(controller, id)).toMatchObject(rows);
    expect(await controller.link(id)).toBe('connected null');

    const moment = (await controller.view()).momentOf(id, 0)!;
    expect(moment.host.facts).toMatchObject({
      version,
      build: '',
      warnings: ['1 BOOT-ENABLE'],
      needs: 1,
      control: 'lifecycle',
    });
    const seen = agentView(rows[0] as AgentRow, moment);
    expect(seen.idle_seconds).toBeGreaterThanOrEqual(4);
    expect(seen.idle_seconds).toBeLessThan(60);
    expect(seen.unit?.since).toBe('2026-01-31T10:00:00.000Z');

    const goodbye = messages.find(({ kind }) => kind === 'goodbye');
    uplink.say(Buffer.from(goodbye!.bytes, 'base64'));
    uplink.finish();
    await until(async () => (await controller.link(id)) === 'lost stopped', SOON);
    expect(await rowsOf(controller, id)).toMatchObject(rows);
  });
});

describe('a newer host-agent', () => {
  const id = 'dragon-lin/jwoltje';
  const row = agentRow({
    key: 'k',
    agent: 'coder0-0',
    source: 'ether',
    lifecycle: 'seasonal',
    readiness: 'hibernating',
    reason: 'winter',
    reasonCode: 'season',
    heartbeat: { state: 'dreaming', tsMs: 1_000, status: 'rem', pid: 7, source: 'neural' },
    attention: { id: 'a', need: 'hug', sinceMs: 1_000, rule: 'codex/hug', summary: 'wants a hug' },
    flags: ['DRIFT', 'TIME-WARP'] as never,
  });
  const facts = hostFacts({
    version: '9.0.0',
    build: '9.0.0-0123456789ab',
    control: 'omnipotent',
    via: 'pigeon',
    warnings: ['1 TIME-WARP'],
    capabilities: ['telepathy'],
  });
  const factsBytes = grown(wire.HostFacts.encode(hostFactsToWire(facts)).finish());

  const hello = (): Buffer => {
    const said = { version: '9.0.0', capabilities: ['telepathy'], inventoryId: 'i', machineId: 'm' };
    const known = { ...said, facts: undefined, authorities: [] };
    return together(member(1, together(Hello.encode(known).finish(), member(5, factsBytes))));
  };
  const report = (revision: bigint, over: Partial<AgentRow> = {}): Buffer => {
    const reported = { key: row.key, row: grown(encodeAgentRow({ ...row, ...over })) };
    const known = { snapshotBegin: revision === 1n, rows: [], removed: [], revision, complete: true };
    const rows = member(2, grown(ReportedRow.encode(reported).finish()));
    return together(member(2, together(Report.encode(known).finish(), rows)));
  };

  test('is shown with the words that it uses, and whatever else it says changes nothing', async () => {
    const controller = await cell();
    const uplink = await uplinkOf(controller, 'dragon-lin', 'jwoltje');
    uplink.say(hello());
    uplink.say(report(1n));
    // A kind of message that this controller has never heard of.
    uplink.say(member(77, grown(Buffer.from([8, 1]))));
    uplink.say(
      together(
        member(
          3,
          together(Beat.encode({ sequence: 1n, facts: undefined, authorities: [] }).finish(), member(2, factsBytes)),
        ),
      ),
    );
    await until(async () => (await rowsOf(controller, id)).length === 1, SOON);
    expect(await rowsOf(controller, id)).toEqual([row]);
    const view = await controller.view();
    expect(view.momentOf(id, 0)?.host.facts).toEqual(facts);
    expect(await controller.link(id)).toBe('connected null');

    uplink.say(report(2n, { readiness: 'thawing' }));
    await until(async () => (await rowsOf(controller, id))[0]?.readiness === 'thawing', SOON);
    expect(uplink.status).toBeNull();
    uplink.say(together(member(4, grown(Goodbye.encode({ reason: 'ascended' }).finish()))));
    uplink.finish();
    await until(async () => (await controller.link(id)) === 'lost stopped', SOON);
  });

  test('that answers no call is said to answer none, and stays connected', async () => {
    const controller = await cell();
    const uplink = await uplinkOf(controller, 'dragon-lin', 'jwoltje');
    uplink.say(hello());
    uplink.say(report(1n));
    await until(async () => (await rowsOf(controller, id)).length === 1, SOON);
    const { findings } = await controller.ask(diagnose, { host: 'dragon-lin' }, 15_000);
    expect(findings.map(({ check, outcome, what }) => [check, outcome, what])).toEqual([
      ['link', 'ok', 'dragon-lin/jwoltje connected by pigeon'],
      ['answer', 'failed', 'dragon-lin/jwoltje opened no tunnel within 5 s'],
    ]);
    expect(uplink.said.some(({ openTunnel }) => openTunnel !== undefined)).toBe(true);
    expect(uplink.status).toBeNull();
  });
});
