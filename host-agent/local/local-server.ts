/** The gRPC server on this user's Unix socket. The folder's mode is the door: 0700, owner checked. */
import { chmodSync } from 'node:fs';
import { Server, ServerCredentials, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { FleetError } from '../../src/domain/errors.ts';
import { claimSocket } from '../../src/runtime/socket-claim.ts';

/** A request of a local reader is small; what is larger is no request. */
const MAX_REQUEST_BYTES = 1024 * 1024;

export class LocalServer {
  readonly #path: string;
  readonly #server: Server;
  #claim: Disposable | null = null;

  constructor(path: string) {
    this.#path = path;
    this.#server = new Server({ 'grpc.max_receive_message_length': MAX_REQUEST_BYTES });
  }

  serve(definition: ServiceDefinition, service: UntypedServiceImplementation): void {
    this.#server.addService(definition, service);
  }

  /** Throws ALREADY_EXISTS when another host-agent of this user runs. */
  async claim(): Promise<void> {
    this.#claim = await claimSocket(this.#path);
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.bindAsync(`unix:${this.#path}`, ServerCredentials.createInsecure(), (error) =>
        error
          ? reject(new FleetError('UNAVAILABLE', `cannot listen on ${this.#path}: ${error.message}`, { cause: error }))
          : resolve(),
      );
    });
    chmodSync(this.#path, 0o600);
  }

  stop(): void {
    this.#server.forceShutdown();
    this.#claim?.[Symbol.dispose]();
  }
}
