/** What `up`, `host add` and `host join` ask the daemons of this machine. */
import { FleetError } from '../../domain/errors.ts';
import type { HostAgent } from '../../domain/host-agent.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { Paths } from '../../runtime/paths.ts';
import type {
  ControllerStatusResponse,
  CreateTokenRequest,
  ListenRequest,
  ListenResponse,
} from '../../wire/gen/fleet/v1/admin_messages.ts';
import { controllerStatus, createToken, listen, removeHost } from '../client/admin-methods.ts';
import { adminEndpoint } from '../client/endpoints.ts';
import { GrpcChannel } from '../client/grpc-channel.ts';
import { watchAgents } from '../client/methods.ts';
import { takeSnapshot } from '../client/snapshot.ts';
import { ViewMirror } from '../client/view-mirror.ts';

const CALL_DEADLINE_MS = 10_000;
const TOKEN_VALID_SECONDS = 900;

const admin = async <T>(paths: Paths, call: (channel: GrpcChannel) => Promise<T>): Promise<T> => {
  using channel = new GrpcChannel(adminEndpoint(paths));
  return await call(channel);
};

export const askStatus = (paths: Paths, deadlineMs = CALL_DEADLINE_MS): Promise<ControllerStatusResponse> =>
  admin(paths, (channel) => channel.unary(controllerStatus, {}, { deadlineMs }));

/** The token's text: a secret. */
export const askToken = async (paths: Paths, request: Omit<CreateTokenRequest, 'validSeconds'>): Promise<string> => {
  const whole = { ...request, validSeconds: TOKEN_VALID_SECONDS };
  return (await admin(paths, (channel) => channel.unary(createToken, whole, { deadlineMs: CALL_DEADLINE_MS }))).token;
};

export const askListen = (paths: Paths, request: ListenRequest): Promise<ListenResponse> =>
  admin(paths, (channel) => channel.unary(listen, request, { deadlineMs: CALL_DEADLINE_MS }));

/** Identities that were revoked; empty when there were none. */
export const askRemoval = async (paths: Paths, host: string, user: string): Promise<string[]> => {
  try {
    const request = { host, user };
    const answer = await admin(paths, (channel) =>
      channel.unary(removeHost, request, { deadlineMs: CALL_DEADLINE_MS }),
    );
    return answer.removed;
  } catch (error) {
    if (error instanceof FleetError && error.code === 'NOT_FOUND') return [];
    throw error;
  }
};

export interface SeenHosts {
  mirror: ViewMirror;
  hosts: HostAgent[];
  upstreamState: string;
  /** Why the controller cannot be asked, or null. */
  upstreamReason: string | null;
}

/**
 * Every host of the cell, as the controller of this user sees it; agents of other tenants as well, which this
 * machine's host-agent may not be told of.
 */
export const lookAtCell = async (paths: Paths, options = { hostsOnly: false }): Promise<SeenHosts> => {
  using channel = new GrpcChannel(adminEndpoint(paths));
  const mirror = new ViewMirror();
  const request = { follow: false, resumeToken: '', localOnly: false, ...options };
  for await (const frame of channel.stream(watchAgents, request, { deadlineMs: CALL_DEADLINE_MS })) {
    mirror.apply(frame, systemClock.monotonicMs());
  }
  return seenIn(mirror);
};

/** What `fleet ps` would be answered now. */
export const lookAtHosts = async (paths: Paths, options: { hostsOnly: boolean }): Promise<SeenHosts> => {
  const mirror = await takeSnapshot(paths, { localOnly: false, clock: systemClock, deadlineMs: 5_000, ...options });
  return seenIn(mirror);
};

const seenIn = (mirror: ViewMirror): SeenHosts => {
  const nowMono = systemClock.monotonicMs();
  const hosts = [...mirror.hostAgentIds()]
    .flatMap((id) => mirror.momentOf(id, nowMono)?.host ?? [])
    .filter(({ cell }) => cell === mirror.cell);
  const upstream = mirror.upstreamAt(nowMono);
  return { mirror, hosts, upstreamState: upstream?.state ?? 'none', upstreamReason: upstream?.reason ?? null };
};
