/**
 * One Connect stream from its hello to its end: reports and beats go up, the controller's beats prove it alive.
 * Resolves with why it ended; never throws, never touches anything on the host.
 */
import type { ClientDuplexStream, StatusObject } from '@grpc/grpc-js';
import { status as grpcStatus } from '@grpc/grpc-js';
import type { HostFacts } from '../../src/domain/host-agent.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { callSink } from '../../src/runtime/message-sink.ts';
import { sleep } from '../../src/runtime/sleep.ts';
import type { FleetView } from '../../src/view/fleet-view.ts';
import { refusalReasonOf } from '../../src/wire/errors.ts';
import type { ConnectRequest, ConnectResponse, Welcome } from '../../src/wire/gen/fleet/v1/host_agent.ts';
import { hostFactsToWire } from '../../src/wire/host-agent.ts';
import { plainReason } from '../../src/wire/plain-reason.ts';
import type { EndedOrders } from './ended-orders.ts';
import { pumpReports } from './report-pump.ts';

export interface UplinkStreamOptions {
  view: FleetView;
  clock: Clock;
  version: string;
  facts(): HostFacts;
  /** Opens a tunnel beside this stream and serves it; resolves at its end, which the signal brings with the stream's. */
  tunnel(signal: AbortSignal): Promise<void>;
  /** Called once, when the controller has accepted the stream. */
  welcomed(welcome: Welcome): void;
  /** Our wall clock minus the controller's, at each of its beats. */
  skewed(clockSkewMs: number): void;
  /** The newest change in the controller's audit, at each of its beats; a controller of an older version tells none. */
  auditHead?(sequence: bigint, hash: string): void;
  /** Whom to trust from now on. */
  trustChanged?(trustBundlePem: string): void;
  /** Fingerprints of the authorities that are trusted here, as the disk has them. */
  authorities?(): string[];
  /** What is told of the orders of this host's own user. */
  ended?: Pick<EndedOrders, 'follow'>;
}

/** Why a stream ended. */
export interface UplinkEnd {
  reason: 'stopped' | 'silent' | 'closed' | 'unreachable' | 'refused' | 'superseded' | 'duplicate_identity' | 'revoked';
  detail: string;
  welcomed: boolean;
}

const WELCOME_DEADLINE_MS = 5_000;
const BEAT_INTERVAL_MS = 2_000;
const LOOK_MS = 500;
/** The controller says nothing for this long: its beats come every 2 s. */
const SILENT_MS = 6_000;
const GOODBYE_MS = 500;

type Call = ClientDuplexStream<ConnectRequest, ConnectResponse>;

export const runUplinkStream = async (
  call: Call,
  options: UplinkStreamOptions,
  signal: AbortSignal,
): Promise<UplinkEnd> => {
  const over = new AbortController();
  using telling = new DisposableStack();
  const ending: { end: UplinkEnd | null } = { end: null };
  let welcomed = false;
  let heardMono = options.clock.monotonicMs();
  const finish = (reason: UplinkEnd['reason'], detail: string): void => {
    ending.end ??= { reason, detail, welcomed };
    over.abort();
  };

  let tunnelled = false;
  let isAskedAgain = false;
  const openTunnel = (): void => {
    // The end of the one that stands may be on its way here behind this.
    isAskedAgain = tunnelled;
    if (tunnelled || !welcomed || over.signal.aborted) return;
    tunnelled = true;
    void options.tunnel(over.signal).finally(() => {
      tunnelled = false;
      if (isAskedAgain) openTunnel();
    });
  };

  call.on('error', () => {});
  call.on('status', (status: StatusObject) => finish(...endOf(status)));
  call.on('data', (message: ConnectResponse) => {
    heardMono = options.clock.monotonicMs();
    if (message.welcome && !welcomed) {
      welcomed = true;
      options.welcomed(message.welcome);
      void pumpReports(options.view, resumeOf(message.welcome), callSink(call), over.signal);
      if (options.ended) telling.use(options.ended.follow((orderEnded) => void call.write({ orderEnded })));
    } else if (message.trustChanged) options.trustChanged?.(message.trustChanged.trustBundlePem);
    else if (message.dismissed) finish(dismissal(message.dismissed.reason), message.dismissed.detail);
    else if (message.beat) {
      const { controllerNowMs, auditSequence, auditHash } = message.beat;
      options.skewed(options.clock.nowMs() - controllerNowMs);
      options.auditHead?.(auditSequence, auditHash);
    } else if (message.openTunnel) openTunnel();
  });

  const hello = {
    version: options.version,
    capabilities: [],
    inventoryId: options.view.log.id,
    machineId: options.facts().machineId,
    facts: hostFactsToWire(options.facts()),
    authorities: options.authorities?.() ?? [],
  };
  call.write({ hello });

  const stop = (): void => finish('stopped', 'this host-agent is stopping');
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  let sequence = 0n;
  let nextBeatMono = 0;
  while (!over.signal.aborted) {
    const now = options.clock.monotonicMs();
    if (now - heardMono > (welcomed ? SILENT_MS : WELCOME_DEADLINE_MS)) {
      finish(
        welcomed ? 'silent' : 'unreachable',
        welcomed ? 'no beat from the controller' : 'no welcome from the controller',
      );
    } else if (welcomed && now >= nextBeatMono) {
      nextBeatMono = now + BEAT_INTERVAL_MS;
      const authorities = options.authorities?.() ?? [];
      call.write({ beat: { sequence: ++sequence, facts: hostFactsToWire(options.facts()), authorities } });
    }
    await sleep(LOOK_MS, over.signal);
  }
  signal.removeEventListener('abort', stop);
  if (ending.end?.reason === 'stopped') await sayGoodbye(call);
  call.cancel();
  return ending.end ?? { reason: 'closed', detail: 'ended', welcomed };
};

const endOf = (status: StatusObject): [UplinkEnd['reason'], string] => {
  switch (status.code) {
    case grpcStatus.UNAVAILABLE:
    case grpcStatus.DEADLINE_EXCEEDED:
      return ['unreachable', plainReason(status.details)];
    case grpcStatus.OK:
    case grpcStatus.CANCELLED:
    // What a reset without trailers, or a fault on the other side, looks like: no word against us.
    case grpcStatus.INTERNAL:
    case grpcStatus.UNKNOWN:
      return ['closed', status.details || 'the controller closed the stream'];
    case grpcStatus.ALREADY_EXISTS:
      return ['duplicate_identity', status.details];
    default:
      return [refusalReasonOf(status) === 'revoked' ? 'revoked' : 'refused', status.details];
  }
};

const dismissal = (reason: string): UplinkEnd['reason'] =>
  reason === 'superseded' || reason === 'duplicate_identity' || reason === 'revoked' ? reason : 'closed';

const resumeOf = (welcome: Welcome) =>
  welcome.resumeInventoryId === ''
    ? null
    : { inventoryId: welcome.resumeInventoryId, revision: welcome.resumeRevision };

/** A clean stop is told, so that nobody has to guess; the controller closes its side in answer. */
const sayGoodbye = (call: Call): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, GOODBYE_MS);
    call.once('status', () => {
      clearTimeout(timer);
      resolve();
    });
    call.write({ goodbye: { reason: 'stopped' } });
    call.end();
  });
