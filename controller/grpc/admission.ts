/** What the door knows of a call: how it came in, whose it is, and how it ended. */
import type { FleetError } from '../../src/domain/errors.ts';
import type { Caller } from '../tenancy/caller.ts';
import type { AccessRule } from './access.ts';

/** What the transport knows of a connection; never anything from a message. */
export type Transport =
  | { type: 'unix' }
  /** `leaf` only if the handshake accepted it; `shown` is any leaf that was shown, for words only. */
  | { type: 'tls'; peer: string; leaf: Uint8Array | null; shown: Uint8Array | null };

export interface Admission {
  /** Names the call in the log and on the wire. */
  id: string;
  path: string;
  rule: AccessRule;
  caller: Caller;
  transport: Transport;
  enteredMono: number;
  /** Aborted when the client leaves, the identity falls or the server stops; the reason is a FleetError. */
  signal: AbortSignal;
  abort(error: FleetError): void;
  leave(): void;
}

/** How a call ended. */
export interface CallEnd {
  error: unknown;
  /** Of what it answered, a word of a closed set: what became of an order. */
  said: string;
  /** Of its messages, both ways. */
  bytes: number;
}
