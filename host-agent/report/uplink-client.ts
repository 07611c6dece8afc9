/**
 * Keeps the uplink up for ever: dials the known addresses in turn, with full-jitter backoff, and says how it stands.
 * A broken line is information; nothing on the host changes because of it.
 */
import type { Client } from '@grpc/grpc-js';
import { backoffDelayMs } from '../../src/runtime/backoff.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { Listeners } from '../../src/runtime/listeners.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { sleep } from '../../src/runtime/sleep.ts';
import type { HostAgentServiceClient, Welcome } from '../../src/wire/gen/fleet/v1/host_agent.ts';
import type { OwnCalls } from '../calls/own-calls.ts';
import { serveTunnel } from './tunnel.ts';
import { runUplinkStream, type UplinkEnd, type UplinkStreamOptions } from './uplink-stream.ts';

/** How this host-agent stands with its controller; `sinceMono` is the last change of `state`. */
export interface UplinkStanding {
  state: 'connecting' | 'connected' | 'unreachable' | 'refused';
  address: string;
  reason: string | null;
  sinceMono: number;
}

/** Makes channels to the controller with this host's present certificate. */
export interface ChannelMaker {
  /** Best first; read anew before each round. */
  addresses(): string[];
  client(address: string): HostAgentServiceClient;
}

export interface UplinkClientOptions extends Omit<UplinkStreamOptions, 'welcomed' | 'skewed' | 'tunnel'> {
  /** What is answered through the tunnel. */
  calls: OwnCalls;
  channels: ChannelMaker;
  log: Logger;
  clock: Clock;
  welcomed(welcome: Welcome): void;
  /** The controller said that this identity was revoked. */
  revoked?(): void;
}

/** An identity that is refused or held twice is not helped by haste. */
const PATIENT_MS = 30_000;

export class UplinkClient {
  readonly #options: UplinkClientOptions;
  readonly #changed = new Listeners();
  #standing: UplinkStanding;
  #client: HostAgentServiceClient | null = null;
  #redial = new AbortController();
  #clockSkewMs: number | null = null;

  constructor(options: UplinkClientOptions) {
    this.#options = options;
    this.#standing = { state: 'connecting', address: '', reason: null, sinceMono: options.clock.monotonicMs() };
  }

  /** Our wall clock minus the controller's, at its last beat. */
  get clockSkewMs(): number | null {
    return this.#clockSkewMs;
  }

  get standing(): UplinkStanding {
    return this.#standing;
  }

  /** The channel of the accepted stream, for calls that ride beside it; null while there is none. */
  get channel(): ReturnType<Client['getChannel']> | null {
    return this.#standing.state === 'connected' ? (this.#client?.getChannel() ?? null) : null;
  }

  onChange(listener: () => void): Disposable {
    return this.#changed.add(listener);
  }

  /** Dials again at once: ends a wait, or the present stream. */
  redial(): void {
    this.#redial.abort();
  }

  async run(signal: AbortSignal): Promise<void> {
    for (let attempt = 0; !signal.aborted; attempt++) {
      for (const address of this.#options.channels.addresses()) {
        if (signal.aborted) return;
        const end = await this.#connect(address, signal);
        if (end.welcomed) attempt = 0;
        if (end.reason === 'stopped') {
          // Called to dial anew: as whom, and where, is read afresh.
          this.#stand('connecting', address, null);
          break;
        }
        this.#options.log.info({ address, reason: end.reason, detail: end.detail }, 'uplink ended');
        const refused = end.reason === 'refused' || end.reason === 'duplicate_identity' || end.reason === 'revoked';
        if (end.reason === 'revoked') this.#options.revoked?.();
        this.#stand(refused ? 'refused' : 'unreachable', address, end.detail);
        if (refused || end.reason === 'superseded') await this.#pause(Math.random() * PATIENT_MS, signal);
        if (end.welcomed) break;
      }
      await this.#pause(backoffDelayMs(attempt), signal);
    }
  }

  #pause(ms: number, signal: AbortSignal): Promise<void> {
    this.#redial = new AbortController();
    return sleep(ms, AbortSignal.any([signal, this.#redial.signal]));
  }

  async #connect(address: string, signal: AbortSignal): Promise<UplinkEnd> {
    this.#redial = new AbortController();
    const either = AbortSignal.any([signal, this.#redial.signal]);
    let client: HostAgentServiceClient | null = null;
    try {
      const dialled = this.#options.channels.client(address);
      client = dialled;
      const end = await runUplinkStream(
        dialled.connect(),
        {
          ...this.#options,
          tunnel: (over) => serveTunnel(dialled.tunnel(), this.#options.calls, this.#options.log, over),
          skewed: (clockSkewMs) => {
            this.#clockSkewMs = clockSkewMs;
          },
          welcomed: (welcome) => {
            this.#client = dialled;
            this.#options.welcomed(welcome);
            this.#stand('connected', address, null);
            this.#options.log.info({ address, epoch: String(welcome.epoch) }, 'uplink welcomed');
          },
        },
        either,
      );
      return end;
    } catch (error) {
      return { reason: 'unreachable', detail: (error as Error).message, welcomed: false };
    } finally {
      this.#client = null;
      client?.close();
    }
  }

  #stand(state: UplinkStanding['state'], address: string, reason: string | null): void {
    const same = this.#standing.state === state;
    const sinceMono = same ? this.#standing.sinceMono : this.#options.clock.monotonicMs();
    this.#standing = { state, address, reason, sinceMono };
    this.#changed.emit();
  }
}
