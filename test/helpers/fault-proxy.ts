/**
 * A TCP proxy that fails on purpose: the faults of a network that the kernel here cannot make. Comes in: connections on
 * loopback; goes out: the same bytes to the target, until a verb says otherwise. A verb holds for connections that stand
 * and those to come, until `mend`.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

export type Direction = 'toTarget' | 'toClient';

export interface Target {
  host: string;
  port: number;
}

interface Flow {
  delayMs: number;
  bytesPerSecond: number;
  /** Nothing is read: the sender's buffers fill, as with a peer that does not read. */
  stalled: boolean;
  /** Read and dropped: the sender believes that it arrived. */
  swallowed: boolean;
}

interface Arrival {
  slice: Buffer;
  arrivedMs: number;
}

interface Pair {
  client: Socket;
  target: Socket;
}

const CLEAR: Flow = { delayMs: 0, bytesPerSecond: Number.POSITIVE_INFINITY, stalled: false, swallowed: false };
const DIRECTIONS: readonly Direction[] = ['toTarget', 'toClient'];
const SLICE_BYTES = 16_384;
const SLICES_UNDER_WAY = 64;

export class FaultProxy {
  readonly #target: Target;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  readonly #flows: Record<Direction, Flow> = { toTarget: { ...CLEAR }, toClient: { ...CLEAR } };
  #refusing = false;
  #changed = Promise.withResolvers<void>();

  private constructor(target: Target) {
    this.#target = target;
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => this.#join(client));
  }

  static async start(target: Target, listen: { host?: string; port?: number } = {}): Promise<FaultProxy> {
    const proxy = new FaultProxy(target);
    proxy.#server.listen(listen.port ?? 0, listen.host ?? '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  /** Every byte arrives `ms` later than it would, in both directions. */
  delay(ms: number): void {
    this.#set(DIRECTIONS, { delayMs: ms });
  }

  throttle(bytesPerSecond: number): void {
    this.#set(DIRECTIONS, { bytesPerSecond });
  }

  /** One direction is no longer read: its sender is held back once the buffers are full. */
  stall(direction: Direction): void {
    this.#set([direction], { stalled: true });
  }

  /** Both ends stay open and hear nothing more: no data, no end, no refusal. New connections end the same way. */
  halfOpen(): void {
    this.#set(DIRECTIONS, { swallowed: true });
  }

  /** Ends every connection with a reset and refuses new ones the same way. */
  cut(): void {
    this.#refusing = true;
    this.reset();
  }

  /** Ends every connection with a reset; new ones are served. */
  reset(): void {
    for (const { client, target } of this.#pairs) {
      client.resetAndDestroy();
      target.resetAndDestroy();
    }
  }

  /** Sends bytes of the test's own amid the stream of every connection. */
  garbage(bytes: Uint8Array, direction: Direction): void {
    for (const { client, target } of this.#pairs) (direction === 'toTarget' ? target : client).write(bytes);
  }

  /** Back to passing everything on. What was swallowed is lost: those connections are reset, as they would be. */
  mend(): void {
    this.#refusing = false;
    if (this.#flows.toClient.swallowed || this.#flows.toTarget.swallowed) this.reset();
    this.#set(DIRECTIONS, CLEAR);
  }

  async stop(): Promise<void> {
    this.cut();
    this.#set(DIRECTIONS, CLEAR);
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #set(directions: readonly Direction[], change: Partial<Flow>): void {
    for (const direction of directions) Object.assign(this.#flows[direction], change);
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  #join(client: Socket): void {
    if (this.#refusing) {
      client.resetAndDestroy();
      return;
    }
    const target = connect({ ...this.#target, allowHalfOpen: true });
    const pair = { client, target };
    this.#pairs.add(pair);
    for (const [socket, peer] of [
      [client, target],
      [target, client],
    ] as const) {
      socket.setNoDelay(true);
      socket.on('error', () => peer.resetAndDestroy());
      socket.on('close', () => {
        if (!peer.destroyed && !this.#isSwallowing) peer.destroySoon();
        // While all is swallowed one end outlives the other, and must still be ended with the proxy.
        if (client.destroyed && target.destroyed) this.#pairs.delete(pair);
      });
    }
    target.once('connect', () => {
      void this.#carry(client, target, this.#flows.toTarget);
      void this.#carry(target, client, this.#flows.toClient);
    });
  }

  get #isSwallowing(): boolean {
    return this.#flows.toClient.swallowed || this.#flows.toTarget.swallowed;
  }

  /** One direction of one connection, to its end. Bytes are stamped when they come, and passed on when they are due. */
  async #carry(from: Socket, to: Socket, flow: Flow): Promise<void> {
    const underWay = new PassThrough({ objectMode: true, highWaterMark: SLICES_UNDER_WAY });
    const collect = async () => {
      for await (const chunk of from.iterator({ destroyOnReturn: false })) {
        for (const slice of slices(chunk as Buffer)) {
          if (!underWay.write({ slice, arrivedMs: performance.now() })) await once(underWay, 'drain');
        }
      }
      underWay.end();
    };
    const passOn = async () => {
      for await (const { slice, arrivedMs } of underWay as AsyncIterable<Arrival>) {
        await this.#pass(slice, arrivedMs, to, flow);
      }
      if (!flow.swallowed) to.end();
    };
    // A rejection is a connection that broke, by a verb or by an end: its close event has told the peer.
    const collected = collect().catch(() => underWay.destroy());
    await Promise.allSettled([collected, passOn()]);
  }

  async #pass(slice: Buffer, arrivedMs: number, to: Socket, flow: Flow): Promise<void> {
    while (flow.stalled && !to.destroyed) await this.#changed.promise;
    const dueMs = arrivedMs + flow.delayMs - performance.now();
    const paceMs = (slice.length / flow.bytesPerSecond) * 1_000;
    if (Math.max(dueMs, paceMs) > 0) await delay(Math.max(dueMs, paceMs));
    if (flow.swallowed || to.destroyed) return;
    if (!to.write(slice)) await Promise.race([once(to, 'drain'), once(to, 'close')]);
  }
}

const slices = function* (chunk: Buffer): Generator<Buffer> {
  for (let at = 0; at < chunk.length; at += SLICE_BYTES) yield chunk.subarray(at, at + SLICE_BYTES);
};
