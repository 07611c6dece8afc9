/** One whole view, asked for once: what `ps` and `hosts` show without -w. */
import { FleetError } from '../../domain/errors.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Paths } from '../../runtime/paths.ts';
import { hostAgentEndpoint } from './endpoints.ts';
import { GrpcChannel } from './grpc-channel.ts';
import { watchAgents } from './methods.ts';
import { ViewMirror } from './view-mirror.ts';

const SNAPSHOT_DEADLINE_MS = 10_000;

export interface SnapshotOptions {
  localOnly: boolean;
  hostsOnly: boolean;
  clock: Clock;
  signal?: AbortSignal;
  deadlineMs?: number;
}

/** Throws UNAVAILABLE when the stream ends before its bookmark: a part is never taken for the whole. */
export const takeSnapshot = async (paths: Paths, options: SnapshotOptions): Promise<ViewMirror> => {
  const endpoint = hostAgentEndpoint(paths);
  using channel = new GrpcChannel(endpoint);
  const mirror = new ViewMirror({ follows: false });
  const { localOnly, hostsOnly, clock, signal } = options;
  const request = { follow: false, resumeToken: '', localOnly, hostsOnly };
  const deadlineMs = options.deadlineMs ?? SNAPSHOT_DEADLINE_MS;
  const call = { deadlineMs, ...(signal ? { signal } : {}) };
  try {
    for await (const frame of channel.stream(watchAgents, request, call)) mirror.apply(frame, clock.monotonicMs());
  } catch (error) {
    throw error instanceof FleetError && error.code === 'DEADLINE_EXCEEDED'
      ? noAnswer(paths, deadlineMs, error)
      : error;
  }
  if (mirror.isWhole) return mirror;
  throw new FleetError('UNAVAILABLE', `the ${endpoint.what} ended its list before it was whole: ask again`);
};

const noAnswer = ({ context }: Paths, deadlineMs: number, cause: FleetError): FleetError => {
  const late = `did not answer within ${deadlineMs / 1_000} s`;
  const words =
    context === null
      ? `the host-agent of this machine ${late}: systemctl --user status fleet-host-agent`
      : `the controller of context ${context} ${late}: ask again`;
  return new FleetError('DEADLINE_EXCEEDED', words, { cause });
};
