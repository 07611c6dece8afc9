/**
 * One gRPC call behind the door: admitted, announced, acted, concluded, and ended with a status whatever happens.
 */
import type { EventEmitter } from 'node:events';
import {
  Metadata,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { FleetError } from '../../src/domain/errors.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { GRPC_CODES, REASON_KEY, type RefusalReason, SAID_KEY, toGrpcStatus } from '../../src/wire/errors.ts';
import { actorOf, type Caller } from '../tenancy/caller.ts';
import { GrantEnded, GrantsChanged } from '../tenancy/granted.ts';
import { ON_BEHALF_OF_KEY } from '../tenancy/on-behalf-of.ts';
import type { Subject } from '../tenancy/subject.ts';
import type { Admission, Transport } from './admission.ts';
import type { ByteCount } from './byte-meter.ts';
import { CutShort } from './cut-short.ts';
import type { Door } from './door.ts';
import type { CallContext } from './handlers.ts';
import type { LogBudget } from './log-budget.ts';
import { Refusal } from './refusal.ts';
import { keptReason, RelayedError } from './relayed-error.ts';

/** Any of the library's four shapes of a call, as the emitter that all of them are. */
export type AnyCall = EventEmitter &
  Pick<ServerUnaryCall<unknown, unknown>, 'getPeer' | 'getAuthContext' | 'metadata'> & { request?: unknown };

export interface CallSteps {
  subject: (caller: Caller) => Subject;
  /** Of the call's messages, as far as they went. */
  count: ByteCount;
  act: (caller: Caller, context: CallContext) => unknown;
  end: (failure: ReturnType<typeof failureOf> | null, result: unknown) => void;
}

const MAX_SAID = 32;

/** What became of an order is a word of a closed set, whatever its host adds to it. */
const saidOf = (result: unknown): string => {
  const { outcome } = (result ?? {}) as { outcome?: unknown };
  return typeof outcome === 'string' ? outcome.slice(0, MAX_SAID) : '';
};

/** By the door, not by its caller. */
const isCut = ({ aborted, reason }: AbortSignal): boolean =>
  aborted && !(reason instanceof FleetError && reason.code === 'CANCELLED');

const failureOf = (failure: unknown, id: string): Error & { code: number; details: string; metadata: Metadata } => {
  const error = failure instanceof CutShort ? failure.why : failure;
  const metadata = new Metadata();
  metadata.set(SAID_KEY, '1');
  const reason = reasonOf(error);
  if (reason !== null) metadata.set(REASON_KEY, reason);
  const isRelayed = error instanceof RelayedError;
  const status = isRelayed ? { code: GRPC_CODES[error.code], details: error.message } : toGrpcStatus(error, id);
  return Object.assign(new Error(status.details), { ...status, metadata });
};

const reasonOf = (error: unknown): RefusalReason | null =>
  error instanceof Refusal || error instanceof GrantEnded || error instanceof GrantsChanged ? error.reason : null;

/** What a call says of whom it is made for; a word said twice is no word. */
const behalfOf = ({ metadata }: AnyCall): Uint8Array | null => {
  const told = metadata.get(ON_BEHALF_OF_KEY);
  if (told.length === 0) return null;
  const [only] = told;
  return told.length === 1 && Buffer.isBuffer(only) ? only : UNREADABLE;
};

/** A tag without its value. */
const UNREADABLE = Buffer.from([0x0a]);

export class GuardedCalls {
  readonly #door: Door;
  readonly #log: Logger;
  readonly #budget: LogBudget;

  /** `budget` bounds the lines that strangers cause. */
  constructor(door: Door, log: Logger, budget: LogBudget) {
    this.#door = door;
    this.#log = log;
    this.#budget = budget;
  }

  /** Runs `act` for an admitted caller; `end` is called exactly once, with null or the failure. */
  async run(call: AnyCall, path: string, transport: Transport, { subject, count, act, end }: CallSteps): Promise<void> {
    let admission: Admission;
    try {
      admission = this.#door.admit(path, transport, behalfOf(call));
    } catch (error) {
      await this.#door.denialsWritten();
      end(failureOf(error, 'door'), undefined);
      return;
    }
    const { id, caller, signal } = admission;
    let ended = false;
    const endOnce = (error: unknown, result?: unknown): void => {
      if (ended) return;
      ended = true;
      end(error === null ? null : failureOf(error, id), result);
    };
    const cancel = (): void => admission.abort(new FleetError('CANCELLED', 'the caller left'));
    call.on('cancelled', cancel);
    signal.addEventListener('abort', () => setImmediate(endOnce, signal.reason), { once: true });
    let announced: Subject | null = null;
    try {
      const { refusal, ...named } = subject(caller);
      if (refusal === undefined) await this.#door.announce(admission, named);
      // What is refused already is written down once, as that.
      announced = named;
      if (refusal !== undefined) throw refusal;
      // While that was written its caller may have fallen: nothing is begun for one who is no longer let in.
      signal.throwIfAborted();
      const result = await act(caller, { id, signal });
      // Whoever stops for a call that the door cut ends well; its caller is told why all the same.
      endOnce(result === undefined && isCut(signal) ? signal.reason : null, result);
      void this.#door.conclude(admission, named, { error: null, said: saidOf(result), bytes: count.bytes });
    } catch (error) {
      if (announced !== null) await this.#door.conclude(admission, announced, { error, said: '', bytes: count.bytes });
      if (!signal.aborted) this.#explain(error, admission);
      endOnce(error);
    } finally {
      call.off('cancelled', cancel);
      admission.leave();
    }
  }

  /** For implementations that know nothing of callers, such as health: admitted, then left alone. */
  admitRaw(call: AnyCall, path: string, transport: Transport): Error | null {
    try {
      const admission = this.#door.admit(path, transport);
      call.on('cancelled', () => admission.leave());
      call.on('close', () => admission.leave());
      call.on('finish', () => admission.leave());
      admission.signal.addEventListener('abort', () =>
        call.emit('error', failureOf(admission.signal.reason, admission.id)),
      );
      return null;
    } catch (error) {
      return failureOf(error, 'door');
    }
  }

  #explain(error: unknown, { id, path, caller }: Admission): void {
    const keptBack = caller.kind === 'none' ? this.#budget.take() : 0;
    if (keptBack === null) return;
    const facts = { call: id, path, actor: actorOf(caller), keptBack };
    if (error instanceof FleetError && (error instanceof RelayedError || error.code !== 'INTERNAL')) {
      this.#log.info({ ...facts, code: error.code, why: keptReason(error) }, 'call failed');
    } else this.#log.error({ ...facts, err: error }, 'call failed unexpectedly');
  }
}

/** Ends a unary call. */
export const endUnary =
  (callback: sendUnaryData<unknown>) =>
  (failure: Error | null, result: unknown): void =>
    failure === null ? callback(null, result) : callback(failure);

/** Ends a stream: what was written before goes out first. */
export const endStream =
  (call: ServerWritableStream<unknown, unknown> | ServerDuplexStream<unknown, unknown>) =>
  (failure: Error | null): void => {
    if (failure === null) call.end();
    else call.emit('error', failure);
  };
