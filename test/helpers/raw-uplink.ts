/** A host whose uplink a test writes byte by byte: enrolled with a real token, over real mTLS. */
import type { ClientDuplexStream, StatusObject } from '@grpc/grpc-js';
import { uplinkChannel } from '../../host-agent/report/controller-channel.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { ConnectResponse, HostAgentServiceService } from '../../src/wire/gen/fleet/v1/host_agent.ts';
import { type EnrolWish, enrolledIdentity } from './enrolled-identity.ts';

const asTheyAre = (bytes: Buffer): Buffer => bytes;

export class RawUplink {
  readonly said: ConnectResponse[] = [];
  status: StatusObject | null = null;
  readonly #call: ClientDuplexStream<Buffer, ConnectResponse>;
  readonly #close: () => void;

  private constructor(call: ClientDuplexStream<Buffer, ConnectResponse>, close: () => void) {
    this.#call = call;
    this.#close = close;
    call.on('data', (message: ConnectResponse) => this.said.push(message));
    call.on('error', () => {});
    call.on('status', (status: StatusObject) => {
      this.status = status;
    });
  }

  static async open(wish: EnrolWish): Promise<RawUplink> {
    const identity = await enrolledIdentity(wish);
    const channel = uplinkChannel(identity.addresses[0] as string, identity, systemClock.nowMs);
    const { path } = HostAgentServiceService.connect;
    const call = channel.makeBidiStreamRequest(path, asTheyAre, (bytes: Buffer) => ConnectResponse.decode(bytes));
    return new RawUplink(call, () => channel.close());
  }

  say(message: Uint8Array): void {
    this.#call.write(Buffer.from(message));
  }

  /** Nothing more will be said; the controller ends the stream in answer. */
  finish(): void {
    this.#call.end();
  }

  close(): void {
    this.#call.cancel();
    this.#close();
  }
}
