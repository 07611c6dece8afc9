/**
 * The keyboard of one agent: held by a HoldTerminal stream, typed on by TypeKeys. Never: a stroke kept for later once the
 * hold has ended, or a hold taken again without a person saying so.
 */
import { FleetError } from '../../domain/errors.ts';
import type { KeyStroke } from '../../domain/key-stroke.ts';
import type {
  HoldEnded,
  HoldGranted,
  HoldTerminalRequest,
  HoldTerminalResponse,
} from '../../wire/gen/fleet/v1/orders.ts';
import type { GrpcChannel } from '../client/grpc-channel.ts';
import { holdTerminal, typeKeys } from './attach-methods.ts';
import { TypeQueue } from './type-queue.ts';

export interface KeyboardOptions {
  channel: GrpcChannel;
  request: HoldTerminalRequest;
  /** Words of the host for the status line. */
  onNotice: (words: string) => void;
  onRoom: () => void;
  signal: AbortSignal;
}

/** Longer than a host waits for its tmux, twice. */
const TYPE_DEADLINE_MS = 15_000;
/** For the one before to let go, the way there and back included. */
const GRANT_DEADLINE_MS = 40_000;

export class Keyboard {
  readonly #options: KeyboardOptions;
  readonly #leaving = new AbortController();
  readonly #ended = new AbortController();
  readonly #queue: TypeQueue;
  #lease = '';
  #following: Promise<HoldEnded> = new Promise(() => undefined);

  constructor(options: KeyboardOptions) {
    this.#options = options;
    this.#queue = new TypeQueue({
      send: (sequence, strokes) => this.#send(sequence, strokes),
      onRoom: options.onRoom,
      signal: AbortSignal.any([this.#ended.signal, this.#leaving.signal]),
    });
  }

  get isFull(): boolean {
    return this.#queue.isFull;
  }

  /** Resolves when it is granted. Rejects with FAILED_PRECONDITION when it is refused: busy, policy, size. */
  async take(): Promise<HoldGranted> {
    const { channel, request, signal } = this.#options;
    const stop = AbortSignal.any([signal, this.#leaving.signal]);
    const stream = channel.stream(holdTerminal, request, { signal: stop });
    const late = setTimeout(() => this.#leaving.abort(), GRANT_DEADLINE_MS);
    try {
      const first = await stream.next();
      if (first.done || !first.value.granted) {
        const detail = first.done ? 'it said nothing' : (first.value.ended?.detail ?? 'it said something else');
        throw new FleetError('FAILED_PRECONDITION', `the host did not hand over the keyboard: ${detail}`);
      }
      this.#lease = first.value.granted.lease;
      this.#following = this.#follow(stream);
      this.#following.catch(() => undefined);
      return first.value.granted;
    } catch (error) {
      if (!this.#leaving.signal.aborted || signal.aborted) throw error;
      throw new FleetError('DEADLINE_EXCEEDED', `the host did not hand over the keyboard in ${GRANT_DEADLINE_MS} ms`);
    } finally {
      clearTimeout(late);
    }
  }

  /** Resolves with the host's word that it is over; rejects when the line or a batch of keys was lost. */
  ended(): Promise<HoldEnded> {
    // The host says in its stream why a key was refused, and says it at once.
    return Promise.race([this.#following, this.#queue.failed.catch((error) => this.#whyFailed(error))]);
  }

  type(strokes: readonly KeyStroke[]): void {
    if (!this.#ended.signal.aborted) this.#queue.push(strokes);
  }

  /** Lets go, after what was typed has arrived, for which it waits so long. */
  async release(settleMs: number): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, settleMs);
    await Promise.race([this.#queue.settled(), late.promise]);
    clearTimeout(timer);
    this.#leaving.abort();
    await this.#following.catch(() => undefined);
  }

  async #send(sequence: bigint, strokes: KeyStroke[]): Promise<void> {
    const { channel, request } = this.#options;
    const typed = { target: request.target, lease: this.#lease, sequence, strokes };
    await channel.unary(typeKeys, typed, { deadlineMs: TYPE_DEADLINE_MS });
  }

  async #follow(stream: AsyncGenerator<HoldTerminalResponse, void, void>): Promise<HoldEnded> {
    try {
      for await (const { notice, ended } of stream) {
        if (notice) this.#options.onNotice(notice.words);
        if (ended) return ended;
      }
      throw new FleetError('UNAVAILABLE', 'the takeover ended without a word');
    } finally {
      this.#ended.abort();
    }
  }

  async #whyFailed(error: unknown): Promise<HoldEnded> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(error), WHY_MS);
    try {
      return await Promise.race([this.#following, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }
}

const WHY_MS = 500;
