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
  using channel = new GrpcChannel(hostAgentEndpoint(paths));
  const mirror = new ViewMirror({ follows: false });
  const { localOnly, hostsOnly, clock, signal } = options;
  const request = { follow: false, resumeToken: '', localOnly, hostsOnly };
  const deadlineMs = options.deadlineMs ?? SNAPSHOT_DEADLINE_MS;
  const call = { deadlineMs, ...(signal ? { signal } : {}) };
  try {
    for await (const frame of channel.stream(watchAgents, request, call)) mirror.apply(frame, clock.monotonicMs());
  } catch (error) {
    throw error instanceof FleetError && error.code === 'DEADLINE_EXCEEDED' ? noAnswer(deadlineMs, error) : error;
  }
  if (mirror.isWhole) return mirror;
  throw new FleetError('UNAVAILABLE', 'the host-agent ended its list before it was whole: ask again');
};

const noAnswer = (deadlineMs: number, cause: FleetError): FleetError =>
  new FleetError(
    'DEADLINE_EXCEEDED',
    `the host-agent of this machine did not answer within ${deadlineMs / 1_000} s: systemctl --user status fleet-host-agent`,
    { cause },
  );
