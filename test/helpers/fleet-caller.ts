/** FleetService as a program calls it: by the admin socket, by a host-agent's socket, or as an enrolled host. */
import { type Client, type ClientReadableStream, credentials, type ServiceError } from '@grpc/grpc-js';
import { FleetServiceClient } from '../../src/wire/gen/fleet/v1/fleet.ts';
import type { TerminalEnd, TerminalStatus, WatchTerminalResponse } from '../../src/wire/gen/fleet/v1/terminal.ts';
import { SeenScreen } from './simulated-screen.ts';

export const callerAt = (socket: string): FleetServiceClient =>
  new FleetServiceClient(`unix:${socket}`, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });

export const callerOn = (channel: ReturnType<Client['getChannel']>): FleetServiceClient =>
  new FleetServiceClient('', credentials.createInsecure(), { channelOverride: channel });

/** One WatchTerminal and what it has shown so far. */
export class Watching {
  readonly screen = new SeenScreen();
  readonly call: ClientReadableStream<WatchTerminalResponse>;
  readonly states: string[] = [];
  status: TerminalStatus | null = null;
  end: TerminalEnd | null = null;
  failure: ServiceError | null = null;
  isOver = false;

  constructor(client: FleetServiceClient, target: { hostAgent: string; key: string }, minIntervalMs = 0) {
    this.call = client.watchTerminal({ ...target, minIntervalMs });
    this.call.on('error', (error: ServiceError) => {
      this.failure = error;
      this.isOver = true;
    });
    this.call.on('end', () => {
      this.isOver = true;
    });
  }

  /** Reads; `call.pause()` after it has something makes it a watcher who stalls. */
  read(): this {
    this.call.on('data', ({ frame, status, end }: WatchTerminalResponse) => {
      if (frame) this.screen.take(frame);
      if (status) {
        this.status = status;
        const state = status.link?.state ?? '';
        if (this.states.at(-1) !== state) this.states.push(state);
      }
      if (end) this.end = end;
    });
    return this;
  }

  get shows(): string {
    return this.screen.lines.join('\n');
  }
}
