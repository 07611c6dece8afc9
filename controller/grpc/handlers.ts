/** What a service's handlers look like behind the door, derived from its generated definition. */
import type { ServerDuplexStream, ServerWritableStream } from '@grpc/grpc-js';
import type { Caller } from '../tenancy/caller.ts';
import type { Subject } from '../tenancy/subject.ts';

export interface CallContext {
  /** Names the call in the log. */
  id: string;
  /** Aborted when the client left, the identity fell, or the controller stops; then stop writing. */
  signal: AbortSignal;
}

export interface MethodDefinition {
  path: string;
  requestStream: boolean;
  responseStream: boolean;
  requestSerialize(value: never): Buffer;
  requestDeserialize(bytes: Buffer): unknown;
  responseSerialize(value: never): Buffer;
  responseDeserialize(bytes: Buffer): unknown;
}

export type Definition = Readonly<Record<string, MethodDefinition>>;

type RequestOf<M extends MethodDefinition> = ReturnType<M['requestDeserialize']>;
type ResponseOf<M extends MethodDefinition> = ReturnType<M['responseDeserialize']>;

/** A rejection is the call's status: FleetErrors in their own words, all else as INTERNAL. */
export type HandlerOf<M extends MethodDefinition> = M extends { responseStream: false }
  ? (caller: Caller, request: RequestOf<M>, context: CallContext) => Promise<ResponseOf<M>> | ResponseOf<M>
  : M extends { requestStream: false }
    ? /** The stream ends when the promise settles. */
      (
        caller: Caller,
        request: RequestOf<M>,
        call: ServerWritableStream<RequestOf<M>, ResponseOf<M>>,
        context: CallContext,
      ) => Promise<void>
    : (caller: Caller, call: ServerDuplexStream<RequestOf<M>, ResponseOf<M>>, context: CallContext) => Promise<void>;

export type Handlers<D extends Definition> = { [K in keyof D]: HandlerOf<D[K]> };

/** What each call is about, for the audit; from the request, before it is checked. */
export type Targets<D extends Definition> = {
  [K in keyof D]?: (request: RequestOf<D[K]>, caller: Caller) => string | Subject;
};
