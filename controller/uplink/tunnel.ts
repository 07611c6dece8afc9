/**
 * One tunnel to one host: calls go down, what they say comes up, each by its number. Its end fails every call in it; one
 * that was written by then may have been delivered, and says so.
 */
import { FleetError, type FleetErrorCode } from '../../src/domain/errors.ts';
import { fromGrpcError } from '../../src/wire/errors.ts';
import type { CallBegin, TunnelCall, TunnelReply } from '../../src/wire/gen/fleet/v1/host_agent.ts';
import { MAX_TUNNEL_CALLS } from '../../src/wire/host-calls.ts';
import { RelayedError } from '../grpc/relayed-error.ts';
import { PeersAtHost } from './peers-at-host.ts';

/** The stream as the tunnel sees it; `flushed` is told when the transport has taken a message. */
export interface TunnelStream {
  write(call: TunnelCall, flushed: () => void): void;
  /** Ends it with the error's status. */
  fail(error: FleetError): void;
}

/** What a call in the tunnel hears. `ended` comes once, with null or why not. */
export interface CallEars {
  message(bytes: Buffer): void;
  ended(error: Error | null): void;
}

/** The line broke, or time ran out, after the call was written: whether the host acted is not known. */
export class BrokenCall extends FleetError {
  constructor(code: Extract<FleetErrorCode, 'UNAVAILABLE' | 'DEADLINE_EXCEEDED'>, message: string) {
    super(code, message);
    this.name = 'BrokenCall';
  }
}

/** A peer sees no such agent now: it grants it no more, the agent is gone, or the peer has only just begun. */
export class UnseenByPeer extends FleetError {
  override readonly name = 'UnseenByPeer';

  constructor(cell: string) {
    super('PERMISSION_DENIED', `cell ${cell} does not grant this, or the agent has just gone`);
  }
}

/** More than this that a host does not take, and it is no way to it. */
const MAX_UNREAD_BYTES = 4 * 1024 * 1024;
const MESSAGE_OVERHEAD_BYTES = 64;

export class Tunnel {
  readonly #id: string;
  readonly #stream: TunnelStream;
  readonly #calls = new Map<bigint, { ears: CallEars; giveBack: () => void }>();
  readonly #peers: PeersAtHost;
  #lastCall = 0n;
  #unreadBytes = 0;
  #isOver = false;

  /** `id` is host/user, for words. */
  constructor(id: string, stream: TunnelStream) {
    this.#id = id;
    this.#stream = stream;
    this.#peers = new PeersAtHost(id);
  }

  /** Throws RESOURCE_EXHAUSTED or UNAVAILABLE when it cannot take the call; then nothing was sent. */
  begin(begin: CallBegin, ears: CallEars): bigint {
    if (this.#isOver) throw new FleetError('UNAVAILABLE', `the way to ${this.#id} has just closed: try again`);
    if (this.#calls.size >= MAX_TUNNEL_CALLS) {
      throw new FleetError(
        'RESOURCE_EXHAUSTED',
        `${this.#calls.size} calls to ${this.#id} run already: try again later`,
      );
    }
    if (this.#unreadBytes > MAX_UNREAD_BYTES)
      throw new FleetError('UNAVAILABLE', `${this.#id} does not read its calls`);
    const giveBack = this.#peers.take(begin.caller);
    const callId = ++this.#lastCall;
    this.#calls.set(callId, { ears, giveBack });
    this.#write({ callId, begin }, begin.request.length);
    return callId;
  }

  audience(callId: bigint, watchers: readonly string[]): void {
    if (this.#calls.has(callId)) this.#write({ callId, audience: { watchers: [...watchers] } }, watchers.join().length);
  }

  /** So many bytes of its messages are away: the host may send more. */
  credit(callId: bigint, bytes: number): void {
    if (this.#calls.has(callId)) this.#write({ callId, credit: { bytes } }, 0);
  }

  /** The host is told to give up; nothing more is heard of the call. */
  cancel(callId: bigint): void {
    if (this.#forget(callId)) this.#write({ callId, cancel: {} }, 0);
  }

  take({ callId, message, end }: TunnelReply): void {
    const ears = this.#calls.get(callId)?.ears;
    if (ears === undefined) return;
    if (message !== undefined) ears.message(message);
    if (end === undefined) return;
    this.#forget(callId);
    ears.ended(end.code === 0 ? null : hostError(end.code, end.details));
  }

  /** Ends the stream and all calls; once. */
  close(why: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const broken = [...this.#calls.values()];
    this.#calls.clear();
    for (const { ears } of broken) ears.ended(new BrokenCall('UNAVAILABLE', `${this.#id}: ${why}`));
    this.#stream.fail(new FleetError('ABORTED', why));
  }

  /** false: it has ended. */
  #forget(callId: bigint): boolean {
    this.#calls.get(callId)?.giveBack();
    return this.#calls.delete(callId);
  }

  #write(call: TunnelCall, payloadBytes: number): void {
    if (this.#isOver) return;
    const bytes = payloadBytes + MESSAGE_OVERHEAD_BYTES;
    this.#unreadBytes += bytes;
    this.#stream.write(call, () => {
      this.#unreadBytes -= bytes;
    });
  }
}

/** A status travels in a header, which is small. */
const MAX_DETAILS_CHARACTERS = 1_000;

/** The host's own word. One that we do not know is no reason to lose its text. */
const hostError = (code: number, details: string): RelayedError => {
  const { code: name, message } = fromGrpcError({
    code,
    details: details.slice(0, MAX_DETAILS_CHARACTERS).toWellFormed(),
  });
  return new RelayedError(name, message);
};
