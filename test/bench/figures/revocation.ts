/** From an administrator's word that a person is revoked to the end of all that this person has open: rows, events, a screen. */
import { setTimeout as pause } from 'node:timers/promises';
import { inviteOperator, revokeOperator } from '../../../src/cli/client/admin-methods.ts';
import { contextFolder } from '../../../src/cli/client/contexts.ts';
import { hostAgentEndpoint } from '../../../src/cli/client/endpoints.ts';
import { GrpcChannel } from '../../../src/cli/client/grpc-channel.ts';
import { joinAsOperator } from '../../../src/cli/client/join-as-operator.ts';
import { watchAgents } from '../../../src/cli/client/methods.ts';
import { watchEvents } from '../../../src/cli/client/record-methods.ts';
import { watchTerminal } from '../../../src/cli/client/terminal-methods.ts';
import { parseToken } from '../../../src/identity/token.ts';
import { type Figure, figure, measured } from '../harness/figure.ts';
import { summary } from '../harness/statistics.ts';
import { type Agent, type WatchedPair, watchedPair } from '../places/watched-pair.ts';

const REACH_MS = 1_000;
const ROUNDS = 10;
const DEADLINE_MS = 10_000;
/** Longer than the controller waits between two looks at open calls. */
const STEP_MS = 1_500;

/** Logs `name` in from W-jarvis, over mutual TLS as from anywhere. */
const lineOf = async ({ jarvis }: WatchedPair, name: string): Promise<GrpcChannel> => {
  const wish = { name, role: 'viewer', tenants: [], takeover: false, validSeconds: 0 };
  const invite = (channel: GrpcChannel) => channel.unary(inviteOperator, wish, { deadlineMs: DEADLINE_MS });
  const { token } = await jarvis.ask(jarvis.admin, invite);
  const folder = contextFolder(jarvis.paths, name);
  await joinAsOperator(parseToken(token, 'operator'), folder, AbortSignal.timeout(DEADLINE_MS));
  return new GrpcChannel(hostAgentEndpoint({ ...jarvis.paths, context: name }));
};

/** `begun` once it says something; `endMs` when it is cut, which nobody asked for here. */
const follow = (stream: AsyncIterable<unknown>): { begun: Promise<unknown>; endMs: Promise<number> } => {
  const begun = Promise.withResolvers<unknown>();
  const run = async (): Promise<number> => {
    try {
      for await (const message of stream) begun.resolve(message);
    } catch (error) {
      begun.reject(error);
    }
    return performance.now();
  };
  return { begun: begun.promise, endMs: run() };
};

/** Of each of a person's streams, in ms after the administrator's call began. */
const cutOff = async (place: WatchedPair, agent: Agent, name: string) => {
  const { jarvis } = place;
  using line = await lineOf(place, name);
  const late = { signal: AbortSignal.timeout(3 * DEADLINE_MS) };
  const view = { follow: true, resumeToken: '', localOnly: false, hostsOnly: false };
  const screen = { hostAgent: agent.hostAgent, key: agent.key, minIntervalMs: 0 };
  const open = {
    rows: follow(line.stream(watchAgents, view, late)),
    events: follow(line.stream(watchEvents, { follow: true, afterRevision: 0n, sinceMs: 60_000, hosts: [] }, late)),
    screen: follow(line.stream(watchTerminal, screen, late)),
  };
  await Promise.all(Object.values(open).map(({ begun }) => begun));
  await pause(Math.random() * STEP_MS);
  const startMs = performance.now();
  await jarvis.ask(jarvis.admin, (channel) => channel.unary(revokeOperator, { name }, { deadlineMs: DEADLINE_MS }));
  return {
    answered: performance.now() - startMs,
    rows: (await open.rows.endMs) - startMs,
    events: (await open.events.endMs) - startMs,
    screen: (await open.screen.endMs) - startMs,
  };
};

export const revocation: Figure = figure({
  name: 'revocation',
  about: `a person revoked while they follow rows, events and a screen (${ROUNDS} people)`,
  place: watchedPair,
  async *measure(place: WatchedPair) {
    const agent = await place.agent('revoked', 'exec cat');
    const all: Awaited<ReturnType<typeof cutOff>>[] = [];
    for (let round = 0; round < ROUNDS; round++) all.push(await cutOff(place, agent, `person-${round}`));
    const of = (what: keyof (typeof all)[number]) => summary(all.map((one) => one[what]));
    const [rows, events, screen] = [of('rows'), of('events'), of('screen')];
    const worst = Math.max(rows.max, events.max, screen.max);
    yield measured('revocation.cut', worst, 'ms', REACH_MS, { rows, events, screen, answered: of('answered') });
    await place.end(agent);
  },
});
