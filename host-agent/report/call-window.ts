/**
 * Where the messages of one call in a tunnel go: on while the stream takes them and the controller has taken most of what
 * went before, so that one slow reader holds up no other call.
 */
import { FleetError } from '../../src/domain/errors.ts';
import { Listeners } from '../../src/runtime/listeners.ts';
import { callSink, type MessageSink, type WritableCall } from '../../src/runtime/message-sink.ts';
import type { TunnelReply } from '../../src/wire/gen/fleet/v1/host_agent.ts';
import { CALL_WINDOW_BYTES, type CallCodec, MAX_RESPONSE_BYTES } from '../../src/wire/host-calls.ts';

export type ReplyStream = WritableCall<TunnelReply>;

export class CallWindow {
  readonly #credited = new Listeners();
  #untakenBytes = 0;

  get isOpen(): boolean {
    return this.#untakenBytes < CALL_WINDOW_BYTES;
  }

  spend(bytes: number): void {
    this.#untakenBytes += bytes;
  }

  credit(bytes: number): void {
    this.#untakenBytes = Math.max(0, this.#untakenBytes - bytes);
    if (this.isOpen) this.#credited.emit();
  }

  /** Resolves when it is open, or the signal aborted. */
  opened(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (this.isOpen || signal.aborted) return resolve();
      const done = (): void => {
        credited[Symbol.dispose]();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const credited = this.#credited.add(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }
}

/** A message too large for the stream fails its call with RESOURCE_EXHAUSTED, not the stream and all others in it. */
export const callSinkOf = (
  stream: ReplyStream,
  callId: bigint,
  codec: CallCodec,
  window: CallWindow,
  signal: AbortSignal,
): MessageSink<unknown> => {
  let isStreamFull = false;
  return {
    write: (response) => {
      // Nobody hears a call that is over.
      if (signal.aborted) return true;
      const message = codec.responseSerialize(response);
      if (message.length > MAX_RESPONSE_BYTES) {
        const what = `an answer of ${message.length} bytes; at most ${MAX_RESPONSE_BYTES} go through`;
        throw new FleetError('RESOURCE_EXHAUSTED', `${codec.method}: ${what}`);
      }
      window.spend(message.length);
      isStreamFull = !stream.write({ callId, message });
      return !isStreamFull && window.isOpen;
    },
    drained: async (over) => {
      const either = over === signal ? over : AbortSignal.any([signal, over]);
      if (isStreamFull) await callSink(stream).drained(either);
      isStreamFull = false;
      await window.opened(either);
    },
  };
};
