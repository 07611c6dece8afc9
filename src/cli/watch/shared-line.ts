/** One connection to whoever answers here for all views of a program; a new one once nobody uses the broken one. */
import { type Endpoint, GrpcChannel } from '../client/grpc-channel.ts';

export class SharedLine {
  readonly #endpoint: Endpoint;
  #channel: GrpcChannel | null = null;
  #users = 0;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  /** Who is at its other end, in words. */
  get whose(): string {
    const { at, what } = this.#endpoint;
    return 'path' in at ? `${what} of this machine` : what;
  }

  /** Disposing the lease gives it back; with the last one the connection goes. */
  lease(): Disposable & { readonly channel: GrpcChannel } {
    this.#channel ??= new GrpcChannel(this.#endpoint);
    this.#users += 1;
    const channel = this.#channel;
    return {
      channel,
      [Symbol.dispose]: () => {
        this.#users -= 1;
        if (this.#users > 0) return;
        this.#channel = null;
        channel[Symbol.dispose]();
      },
    };
  }
}
