/**
 * One gRPC channel to a peer's controller, known by its SPIFFE id and its own bundle. A call's next message is read when
 * the one before was taken. What the peer said itself is told apart from what became of the line.
 */
import {
  Client,
  type ClientOptions,
  credentials,
  InterceptingCall,
  type Interceptor,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { FleetError } from '../../src/domain/errors.ts';
import { type ClientIdentityPem, clientTls } from '../../src/identity/client-tls.ts';
import { fromGrpcError, refusalReasonOf, SAID_KEY } from '../../src/wire/errors.ts';
import { plainReason } from '../../src/wire/plain-reason.ts';

export interface PeerCodec<Q, T> {
  path: string;
  requestSerialize(request: Q): Buffer;
  responseDeserialize(bytes: Buffer): T;
}

export interface PeerCallOptions<T> {
  signal: AbortSignal;
  /** 0: none. */
  deadlineMs: number;
  /** An encoded OnBehalfOf. */
  onBehalfOf?: Uint8Array;
  /** A promise holds the next message back until it settles. An error ends the call with it. */
  onMessage(message: T, bytes: number): void | Promise<void>;
}

/** The line broke, or time ran out, before the peer said how the call ended. */
export class BrokenLine extends FleetError {
  override readonly name = 'BrokenLine';
}

const ON_BEHALF_KEY = 'fleet-on-behalf-of-bin';

/** Ours is the reconnecting, so the library's own backoff stays short. */
const CHANNEL_OPTIONS: ClientOptions = {
  'grpc.keepalive_time_ms': 2_000,
  'grpc.keepalive_timeout_ms': 3_500,
  'grpc.keepalive_permit_without_calls': 1,
  'grpc.initial_reconnect_backoff_ms': 200,
  'grpc.max_reconnect_backoff_ms': 1_000,
  'grpc.max_receive_message_length': 1024 * 1024,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_retries': 0,
  'grpc.ssl_target_name_override': 'fleet-controller',
};

export class PeerChannel {
  readonly address: string;
  readonly #client: Client;
  readonly #closed = new AbortController();
  #calls = 0;
  #isRetired = false;
  /** Wall clock; of the certificate that the peer showed last. */
  certificateNotAfterMs: number | null = null;

  constructor(address: string, identity: ClientIdentityPem, nowMs: () => number) {
    this.address = address;
    const { checkServerIdentity } = clientTls(identity, nowMs);
    const pem = (text: string | null): Buffer | null => (text === null ? null : Buffer.from(text));
    const tls = credentials.createSsl(
      Buffer.from(identity.trustBundlePem),
      pem(identity.keyPem),
      pem(identity.certificatePem),
      {
        checkServerIdentity: (hostname, certificate) => {
          const refusal = checkServerIdentity(hostname, certificate);
          if (refusal === undefined) this.certificateNotAfterMs = Date.parse(certificate.valid_to);
          return refusal;
        },
      },
    );
    this.#client = new Client(address, tls, CHANNEL_OPTIONS);
  }

  /** Rejects with the peer's own status, or BrokenLine; with the signal's reason when that aborts. */
  async ask<Q, T>(codec: PeerCodec<Q, T>, request: Q, options: PeerCallOptions<T>): Promise<void> {
    const { deadlineMs, onBehalfOf } = options;
    const signal = AbortSignal.any([options.signal, this.#closed.signal]);
    signal.throwIfAborted();
    const metadata = new Metadata();
    if (onBehalfOf !== undefined) metadata.set(ON_BEHALF_KEY, Buffer.from(onBehalfOf));
    await new Promise<void>((resolve, reject) => {
      let failure: unknown = null;
      const fail = (error: unknown): void => {
        failure ??= error;
        call.cancel();
      };
      const sizes = new WeakMap<object, number>();
      const decode = (bytes: Buffer): T => {
        const message = codec.responseDeserialize(bytes);
        sizes.set(message as object, bytes.length);
        return message;
      };
      const take = async (message: T): Promise<void> => {
        if (failure === null) await options.onMessage(message, sizes.get(message as object) ?? 0);
      };
      // A unary call is a stream of one message to the library's core.
      const encode = (message: Q): Buffer => codec.requestSerialize(message);
      const call = this.#client.makeServerStreamRequest(codec.path, encode, decode, request, metadata, {
        ...(deadlineMs > 0 ? { deadline: Date.now() + deadlineMs } : {}),
        interceptors: [inStep(take, fail)],
      });
      const abort = (): void => fail(signal.reason);
      this.#calls++;
      let isOver = false;
      const end = (error: unknown): void => {
        if (isOver) return;
        isOver = true;
        this.#calls--;
        signal.removeEventListener('abort', abort);
        this.#closeWhenUnused();
        if (failure !== null) reject(failure as Error);
        else if (error === null) resolve();
        else reject(endOf(error as ServiceError, this.address));
      };
      signal.addEventListener('abort', abort, { once: true });
      // Taken already; the library must still be seen to read.
      call.on('data', () => undefined);
      call.on('error', end);
      call.on('end', () => end(null));
    });
  }

  /** The one answer of a unary call. */
  async askOnce<Q, T>(codec: PeerCodec<Q, T>, request: Q, options: Omit<PeerCallOptions<T>, 'onMessage'>): Promise<T> {
    const answers: T[] = [];
    await this.ask(codec, request, { ...options, onMessage: (message) => void answers.push(message) });
    const [answer] = answers;
    if (answer === undefined) throw new FleetError('INTERNAL', `${this.address} answered with nothing`);
    return answer;
  }

  /** Calls in it now. */
  get calls(): number {
    return this.#calls;
  }

  /** Its calls end with the error: what became of them is not known. */
  close(error: FleetError = new BrokenLine('UNAVAILABLE', `the line to ${this.address} was given up`)): void {
    this.#closed.abort(error);
    this.#client.close();
  }

  /** Its calls go on; it closes after the last of them. */
  retire(): void {
    this.#isRetired = true;
    this.#closeWhenUnused();
  }

  #closeWhenUnused(): void {
    if (this.#isRetired && this.#calls === 0) this.close();
  }
}

const inStep =
  <T>(take: (message: T) => Promise<void>, fail: (error: unknown) => void): Interceptor =>
  (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start: (metadata, _listener, next) =>
        next(metadata, {
          onReceiveMessage: (message: T, onward) => {
            take(message).then(() => onward(message), fail);
          },
        }),
    });

/** A status that the peer's door or handlers said bears their mark; the library makes the others. */
const endOf = (error: ServiceError, address: string): FleetError => {
  const said = fromGrpcError(error);
  const isSaid = error.metadata?.get(SAID_KEY).length > 0 || refusalReasonOf(error) !== null;
  // A peer of an older version has no such call.
  if (isSaid || said.code === 'UNIMPLEMENTED') return said;
  const code = said.code === 'DEADLINE_EXCEEDED' ? 'DEADLINE_EXCEEDED' : 'UNAVAILABLE';
  return new BrokenLine(code, `${address}: ${plainReason(said.message)}`, { cause: error });
};
