/**
 * Calls to hosts, each through the tunnel of its host: request down, messages up with credit for them, one end. Time and
 * the caller's leave end it at the host too.
 */
import { FleetError } from '../../src/domain/errors.ts';
import type { OnBehalfOf } from '../../src/wire/gen/fleet/v1/host_agent.ts';
import {
  CALL_WINDOW_BYTES,
  codecOf,
  type HostCall,
  MAX_REQUEST_BYTES,
  type RequestOf,
  type ResponseOf,
  type StreamHostCall,
  type UnaryHostCall,
} from '../../src/wire/host-calls.ts';
import { BrokenCall } from './tunnel.ts';
import type { Tunnels } from './tunnels.ts';

/** Those for whom a shared call goes on; told to the host whenever they change. */
export interface Watchers {
  names(): readonly string[];
  onChange(listener: () => void): Disposable;
}

export interface CallOptions {
  /** On whose behalf. */
  caller: OnBehalfOf;
  /** Aborts the call at the host too. */
  signal: AbortSignal;
  /** 0: none. The host is told, and gets a little longer than it may take to say that time ran out. */
  deadlineMs: number;
  watchers?: Watchers;
}

/** Decoded, with its size; `taken` is to be told of the size once nothing is held of the message any more. */
export type OnMessage<T> = (message: T, bytes: number, taken: (bytes: number) => void) => void;

/** Credit goes in steps: less often than messages come, and long before the window is spent. */
const CREDIT_STEP_BYTES = CALL_WINDOW_BYTES / 8;
const GRACE_MS = 1_500;

export class HostCalls {
  readonly #tunnels: Pick<Tunnels, 'get' | 'open'>;

  constructor(tunnels: Pick<Tunnels, 'get' | 'open'>) {
    this.#tunnels = tunnels;
  }

  /** Rejects with the host's status; BrokenCall when it is not known whether the host acted; UNAVAILABLE when it did not. */
  async unary<C extends UnaryHostCall>(
    id: string,
    call: C,
    request: RequestOf<C>,
    options: CallOptions,
  ): Promise<ResponseOf<C>> {
    return soleAnswer(id, call, (onMessage) => this.stream(id, call, request, options, onMessage));
  }

  /** Resolves when the host ended the call well. An error that `onMessage` throws ends the call with it. */
  async stream<C extends HostCall | StreamHostCall>(
    id: string,
    call: C,
    request: RequestOf<C>,
    options: CallOptions,
    onMessage: OnMessage<ResponseOf<C>>,
  ): Promise<void> {
    const codec = codecOf(call);
    const bytes = codec.requestSerialize(request);
    if (bytes.length > MAX_REQUEST_BYTES) {
      throw new FleetError('INVALID_ARGUMENT', `a request of ${bytes.length} bytes; at most ${MAX_REQUEST_BYTES}`);
    }
    const tunnel = this.#tunnels.get(id) ?? (await this.#tunnels.open(id, options.signal));
    const { caller, deadlineMs, signal, watchers } = options;
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      using stack = new DisposableStack();
      const settled = stack.move();
      const end = (error: Error | null): void => {
        settled.dispose();
        if (error === null) resolve();
        else reject(error);
      };
      const giveUp = (error: Error): void => {
        tunnel.cancel(callId);
        end(error);
      };
      let takenBytes = 0;
      const taken = (size: number): void => {
        takenBytes += size;
        if (takenBytes < CREDIT_STEP_BYTES) return;
        tunnel.credit(callId, takenBytes);
        takenBytes = 0;
      };
      const callId = tunnel.begin(
        { method: codec.method, request: bytes, caller, deadlineMs },
        {
          message: (message) => {
            try {
              onMessage(codec.responseDeserialize(message) as ResponseOf<C>, message.length, taken);
            } catch (error) {
              giveUp(error as Error);
            }
          },
          ended: end,
        },
      );
      const cancel = (): void => giveUp(signal.reason as Error);
      signal.addEventListener('abort', cancel, { once: true });
      settled.defer(() => signal.removeEventListener('abort', cancel));
      if (deadlineMs > 0) {
        const late = (): void =>
          giveUp(new BrokenCall('DEADLINE_EXCEEDED', `${id} has not answered within ${Math.round(deadlineMs)} ms`));
        const timer = setTimeout(late, deadlineMs + GRACE_MS);
        settled.defer(() => clearTimeout(timer));
      }
      if (watchers === undefined) return;
      const tell = (): void => tunnel.audience(callId, watchers.names());
      tell();
      settled.use(watchers.onChange(tell));
    });
  }
}

/** The one message of a call. INTERNAL when it ended well without any. */
export const soleAnswer = async <T>(
  id: string,
  call: UnaryHostCall,
  ask: (onMessage: OnMessage<T>) => Promise<void>,
): Promise<T> => {
  let answer: T | undefined;
  await ask((message, bytes, taken) => {
    answer = message;
    taken(bytes);
  });
  if (answer === undefined) throw new FleetError('INTERNAL', `${id} answered ${call} with nothing`);
  return answer;
};
