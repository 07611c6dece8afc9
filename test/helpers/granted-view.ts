/** A WatchAgents stream as a peer follows it: what it holds now, and how it ended. */
import type { ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import { decodeAgentRow } from '../../src/wire/agent-row.ts';
import type { FleetServiceClient } from '../../src/wire/gen/fleet/v1/fleet.ts';
import type { HostAgent } from '../../src/wire/gen/fleet/v1/types.ts';
import type { WatchAgentsResponse } from '../../src/wire/gen/fleet/v1/view.ts';

export class GrantedView {
  readonly hosts = new Map<string, HostAgent>();
  /** Agents by `hostAgent key`. */
  readonly rows = new Map<string, ReturnType<typeof decodeAgentRow>>();
  readonly call: ClientReadableStream<WatchAgentsResponse>;
  /** Every frame, as it came. */
  readonly frames: WatchAgentsResponse[] = [];
  failure: ServiceError | null = null;
  withheld = 0;
  bookmarks = 0;
  resumeToken = '';

  constructor(client: FleetServiceClient, resumeToken = '') {
    this.call = client.watchAgents({ follow: true, resumeToken, localOnly: false, hostsOnly: false });
    this.call.on('error', (error: ServiceError) => {
      this.failure = error;
    });
    this.call.on('data', (frame: WatchAgentsResponse) => this.#take(frame));
  }

  /** `host/user agent`, sorted. */
  get names(): string[] {
    return [...this.rows].map(([name, { agent }]) => `${name.split(' ')[0]} ${agent}`).sort();
  }

  #take(frame: WatchAgentsResponse): void {
    this.frames.push(frame);
    const { changes, bookmark } = frame;
    for (const host of changes?.hostAgents ?? []) this.hosts.set(host.id, host);
    for (const { hostAgent, key, row } of changes?.agents ?? []) {
      if (!this.hosts.has(hostAgent)) throw new Error(`a row of ${hostAgent} before its host-agent`);
      this.rows.set(`${hostAgent} ${key}`, decodeAgentRow(row));
    }
    for (const { hostAgent, key } of changes?.removedAgents ?? []) this.rows.delete(`${hostAgent} ${key}`);
    for (const id of changes?.removedHostAgents ?? []) {
      this.hosts.delete(id);
      for (const name of [...this.rows.keys()]) if (name.startsWith(`${id} `)) this.rows.delete(name);
    }
    if (bookmark === undefined) return;
    this.bookmarks++;
    this.withheld = bookmark.withheld ?? 0;
    this.resumeToken = bookmark.resumeToken;
  }
}
