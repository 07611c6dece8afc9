/** The `fleet` program before a host-agent of a newer version: frames with fields, events and words that it cannot know. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { Server, ServerCredentials, type ServerWritableStream, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeAgentRow } from '../../../src/wire/agent-row.ts';
import { FleetServiceService } from '../../../src/wire/gen/fleet/v1/fleet.ts';
import { OrderOutcome } from '../../../src/wire/gen/fleet/v1/orders.ts';
import { HostAgent } from '../../../src/wire/gen/fleet/v1/types.ts';
import * as view from '../../../src/wire/gen/fleet/v1/view.ts';
import { hostAgentToWire } from '../../../src/wire/host-agent.ts';
import { agentRow } from '../../helpers/agent-row.ts';
import { runFleetProgram } from '../../helpers/fleet-program.ts';
import { hostAgent, hostFacts } from '../../helpers/host-agent.ts';
import { grown, member, together } from '../../helpers/newer-bytes.ts';
import { ServedView } from '../../helpers/served-view.ts';

const asItIs = { responseSerialize: (bytes: Buffer): Buffer => bytes };
const NEWER = Object.fromEntries(
  Object.entries(FleetServiceService).map(([name, method]) => [name, { ...method, ...asItIs }]),
);

const here = hostAgent({
  here: true,
  facts: hostFacts({ hostNowMs: Date.now(), version: '9.0.0', control: 'omnipotent' }),
});
const there = hostAgent({
  id: 'dragon-lin/jwoltje',
  host: 'dragon-lin',
  user: 'jwoltje',
  link: { state: 'entangled', reason: 'wormhole', ageMs: 5_000 },
});
const row = agentRow({
  readiness: 'hibernating',
  reason: 'winter',
  reasonCode: 'season',
  heartbeat: { state: 'dreaming', tsMs: null, status: null, pid: null, source: 'neural' },
  attention: { id: 'a', need: 'hug', sinceMs: null, rule: 'r', summary: 'wants a hug' },
  flags: ['DRIFT', 'TIME-WARP'] as never,
});

let place: ServedView;
let server: Server;

const frames = (): Buffer[] => {
  const caller = grown(
    view.Caller.encode({ name: 'jarvis', role: 'archon', tenantId: 'default', kind: 'oracle' }).finish(),
  );
  const opened = together(
    view.Opened.encode({ cell: 'home', resumed: false, caller: undefined }).finish(),
    member(3, caller),
  );
  const hosts = [here, there].map((each) => member(1, grown(HostAgent.encode(hostAgentToWire(each)).finish())));
  const entry = { hostAgent: here.id, key: row.key, row: grown(encodeAgentRow(row)) };
  const agents = member(2, grown(view.AgentEntry.encode(entry).finish()));
  const upstream = grown(view.Upstream.encode({ state: 'connected', address: 'a:1', ageMs: 0, peers: [] }).finish());
  const bookmark = together(
    view.Bookmark.encode({ resumeToken: 't', upstream: undefined }).finish(),
    member(2, upstream),
  );
  return [
    together(member(1, opened)),
    member(77, grown(Buffer.from([8, 1]))),
    together(member(2, together(...hosts, agents))),
    together(member(3, bookmark)),
  ];
};

beforeEach(async () => {
  place = new ServedView();
  mkdirSync(dirname(place.paths.hostAgentSocket), { recursive: true, mode: 0o700 });
  server = new Server();
  const outcome = {
    id: 'o1',
    address: 'home/W-jarvis/jarvis/canary-pi',
    verb: 'enlighten',
    outcome: 'transcended',
    reason: 'beyond words',
    actor: 'ann',
    beganMs: 1_000,
    endedMs: 2_000,
    repeated: false,
  };
  const absent = (_: unknown, reply: (error: object) => void) =>
    reply({ code: status.UNIMPLEMENTED, details: 'not here' });
  const implementation = Object.fromEntries(Object.keys(NEWER).map((name) => [name, absent]));
  server.addService(
    NEWER as never,
    {
      ...implementation,
      watchAgents: (call: ServerWritableStream<unknown, Buffer>) => {
        for (const frame of frames()) call.write(frame);
        call.end();
      },
      getOrder: (_: unknown, reply: (error: null, bytes: Buffer) => void) =>
        reply(null, grown(OrderOutcome.encode(outcome).finish())),
    } as never,
  );
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${place.paths.hostAgentSocket}`, ServerCredentials.createInsecure(), (error) =>
      error ? reject(error) : resolve(),
    );
  });
});

afterEach(() => {
  server.forceShutdown();
  place.dispose();
});

const fleet = (...words: string[]) => runFleetProgram(['--instance', place.instance, ...words], { HOME: place.home });

describe('fleet before a newer host-agent', () => {
  test('ps shows its words as they are', async () => {
    const table = await fleet('ps');
    expect(table.code).toBe(0);
    expect(table.stdout).toMatch(/^ {2}! canary-pi .*hibernating.* DRIFT TIME-WARP$/m);
    const { agents, hosts } = JSON.parse((await fleet('ps', '-o', 'json')).stdout);
    expect(agents).toMatchObject([
      {
        agent: 'canary-pi',
        readiness: 'hibernating',
        reason_code: 'season',
        heartbeat: { state: 'dreaming', source: 'neural' },
        attention: { need: 'hug' },
        flags: ['DRIFT', 'TIME-WARP'],
        current: true,
      },
    ]);
    expect(hosts).toMatchObject([
      {
        host: 'W-jarvis',
        host_agents: [{ version: '9.0.0', control: 'omnipotent', link: { state: 'connected' }, current: true }],
      },
      { host: 'dragon-lin', host_agents: [{ link: { state: 'entangled', reason: 'wormhole' }, current: false }] },
    ]);
  });

  test('hosts shows them too, and a filter by known words finds what it knows', async () => {
    const { code, stdout } = await fleet('hosts');
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^ {2}dragon-lin +jwoltje +entangled .*wormhole/im)]);
    expect((await fleet('ps', '--flag', 'DRIFT', '-o', 'name')).stdout).toBe('home/W-jarvis/jarvis/canary-pi\n');
    expect((await fleet('ps', '--needs-me', '-o', 'name')).stdout).toBe('home/W-jarvis/jarvis/canary-pi\n');
  });

  test('an order with an outcome of its own is told in its words, and is no success', async () => {
    const { code, stdout, stderr } = await fleet('order', 'o1');
    expect(stdout + stderr).toContain('transcended');
    expect(code).not.toBe(0);
  });
});
