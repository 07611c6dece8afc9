/** One accepted stream of a host-agent, from its welcome to its end. */
import type { FleetError } from '../../src/domain/errors.ts';
import type { LinkReason } from '../../src/domain/host-agent.ts';
import type { ConnectRequest, ConnectResponse } from '../../src/wire/gen/fleet/v1/host_agent.ts';

/** An authenticated bidirectional stream; grpc/ makes it of a call. */
export interface UplinkStream {
  onMessage(listener: (message: ConnectRequest) => void): void;
  /** Once, however it ended. */
  onEnd(listener: () => void): void;
  write(message: ConnectResponse): boolean;
  end(): void;
  /** Ends it with the error's status. */
  fail(error: FleetError): void;
}

export interface Session {
  id: string;
  epoch: bigint;
  inventoryId: string;
  openedMono: number;
  stream: UplinkStream;
  goodbye: LinkReason | null;
  dismissed: LinkReason | null;
  /** Its rows are all there. */
  isReported: boolean;
  isOver: boolean;
  /** Of authorities, as it said last. */
  trusts: string;
}
