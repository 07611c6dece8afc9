import type { ServiceError } from '@grpc/grpc-js';
import type { FleetServiceClient } from '../../src/wire/gen/fleet/v1/fleet.ts';
import type { WatchAgentsResponse } from '../../src/wire/gen/fleet/v1/view.ts';

/** What a caller is shown, kept up over whatever ends its stream. */
export class ShownHosts {
  readonly ids = new Set<string>();
  readonly removed: string[] = [];
  opened = 0;
  end: ServiceError | null = null;
  readonly cancel: () => void;

  constructor(client: FleetServiceClient) {
    const call = client.watchAgents({ follow: true, resumeToken: '', localOnly: false, hostsOnly: false });
    call.on('error', (error: ServiceError) => {
      this.end = error;
    });
    call.on('data', ({ opened, changes }: WatchAgentsResponse) => {
      if (opened) this.opened += 1;
      for (const { id } of changes?.hostAgents ?? []) this.ids.add(id);
      for (const id of changes?.removedHostAgents ?? []) {
        this.ids.delete(id);
        this.removed.push(id);
      }
    });
    this.cancel = () => call.cancel();
  }
}
