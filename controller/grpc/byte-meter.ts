/**
 * Bytes of messages for each call, both ways. The library takes a message apart and puts it together in one go with the
 * call's own step (grpc-js 1.14), so the sizes are counted where the codec runs, for whoever is being served then.
 */
import type { Writable } from 'node:stream';
import type { MethodDefinition } from './handlers.ts';

export interface ByteCount {
  bytes: number;
}

export class ByteMeter {
  readonly #requests = new WeakMap<object, number>();
  #serving: ByteCount | null = null;

  /** The same method, with its codec counted. */
  counted(method: MethodDefinition): MethodDefinition {
    const requestDeserialize = (bytes: Buffer): unknown => {
      const request = method.requestDeserialize(bytes);
      if (typeof request === 'object' && request !== null) this.#requests.set(request, bytes.length);
      return request;
    };
    return {
      ...method,
      ...(method.requestStream ? {} : { requestDeserialize }),
      responseSerialize: (response) => {
        const bytes = method.responseSerialize(response);
        if (this.#serving !== null) this.#serving.bytes += bytes.length;
        return bytes;
      },
    };
  }

  /** What its request took; of a stream of requests that is not known. */
  requestBytes(request: unknown): number {
    return typeof request === 'object' && request !== null ? (this.#requests.get(request) ?? 0) : 0;
  }

  /** What is put together meanwhile is that call's. */
  during<T>(count: ByteCount, work: () => T): T {
    const before = this.#serving;
    this.#serving = count;
    try {
      return work();
    } finally {
      this.#serving = before;
    }
  }

  /** Everything that is written to this stream from now on is that call's. */
  follow(stream: Writable, count: ByteCount): void {
    const write = stream._write.bind(stream);
    stream._write = (chunk, encoding, done) => this.during(count, () => write(chunk, encoding, done));
  }
}
