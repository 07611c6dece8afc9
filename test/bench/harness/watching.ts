/** A WatchTerminal as the CLI asks it, on a connection of its own: every frame with the moment at which it could be read. */
import { type Endpoint, GrpcChannel, type Method } from '../../../src/cli/client/grpc-channel.ts';
import { watchTerminal } from '../../../src/cli/client/terminal-methods.ts';
import { ScreenLog } from '../../../src/screen/screen-log.ts';
import type {
  ScreenFrame,
  TerminalStatus,
  WatchTerminalRequest,
  WatchTerminalResponse,
} from '../../../src/wire/gen/fleet/v1/terminal.ts';
import type { Agent } from '../places/watched-pair.ts';

const FIRST_FRAME_TIMEOUT_MS = 10_000;

export interface Seen {
  frame: ScreenFrame;
  atMs: number;
}

/** Key of the message's first field: a frame. */
const FRAME_TAG = 0x0a;

/** Counts without reading what is in them, so that fifty cost the bench little. */
const unread: Method<WatchTerminalRequest, Uint8Array> = { ...watchTerminal, decode: (bytes) => bytes };

const requestFor = ({ hostAgent, key }: Agent): WatchTerminalRequest => ({ hostAgent, key, minIntervalMs: 0 });

export class Watching implements AsyncDisposable {
  readonly log = new ScreenLog();
  status: TerminalStatus | null = null;
  frames = 0;
  bytes = 0;
  readonly #stopping = new AbortController();
  readonly #listeners = new Set<(seen: Seen) => void>();
  readonly #first = Promise.withResolvers<Seen>();
  readonly #running: Promise<void>;

  constructor(endpoint: Endpoint, agent: Agent) {
    this.#first.promise.catch(() => undefined);
    this.#running = this.#run(endpoint, agent).catch((error: unknown) => {
      if (!this.#stopping.signal.aborted) this.#first.reject(error);
    });
  }

  onFrame(listener: (seen: Seen) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  async first(): Promise<Seen> {
    const late = setTimeout(() => this.#first.reject(new Error('no first frame')), FIRST_FRAME_TIMEOUT_MS);
    try {
      return await this.#first.promise;
    } finally {
      clearTimeout(late);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(endpoint: Endpoint, agent: Agent): Promise<void> {
    using channel = new GrpcChannel(endpoint);
    const stream = channel.stream(watchTerminal, requestFor(agent), { signal: this.#stopping.signal });
    for await (const { frame, status } of stream as AsyncIterable<WatchTerminalResponse>) {
      if (status) this.status = status;
      if (!frame) continue;
      const seen = { frame, atMs: performance.now() };
      this.log.apply(frame);
      this.frames += 1;
      this.#first.resolve(seen);
      for (const listener of [...this.#listeners]) listener(seen);
    }
  }
}

/** One of many: only counts. Paused, it reads nothing more from its connection. */
export class CountedWatching implements AsyncDisposable {
  frames = 0;
  bytes = 0;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  #paused: PromiseWithResolvers<void> | null = null;

  constructor(endpoint: Endpoint, agent: Agent) {
    this.#running = this.#run(endpoint, agent).catch((error: unknown) => {
      if (!this.#stopping.signal.aborted) throw error;
    });
    this.#running.catch(() => undefined);
  }

  pause(): void {
    this.#paused ??= Promise.withResolvers<void>();
  }

  /** Rejects when it broke by itself. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    this.#paused?.resolve();
    await this.#running;
  }

  async #run(endpoint: Endpoint, agent: Agent): Promise<void> {
    using channel = new GrpcChannel(endpoint);
    for await (const bytes of channel.stream(unread, requestFor(agent), { signal: this.#stopping.signal })) {
      this.bytes += bytes.length;
      if (bytes[0] === FRAME_TAG) this.frames += 1;
      if (this.#paused) await this.#paused.promise;
    }
  }
}
