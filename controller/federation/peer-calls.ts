/**
 * Calls about a peer's agents, through to the controller that owns them and on behalf of whoever calls here. Few calls go,
 * and none that came from a peer: what it granted to us we do not share.
 */
import { BugError, FleetError } from '../../src/domain/errors.ts';
import { type RefusalReason, refusalReasonOf } from '../../src/wire/errors.ts';
import { OnBehalfOf } from '../../src/wire/gen/fleet/v1/host_agent.ts';
import {
  CALL_WINDOW_BYTES,
  codecOf,
  type HostCall,
  MAX_REQUEST_BYTES,
  MAX_TUNNEL_CALLS,
  type RequestOf,
  type ResponseOf,
  type StreamHostCall,
  type UnaryHostCall,
} from '../../src/wire/host-calls.ts';
import { RelayedError } from '../grpc/relayed-error.ts';
import { ADMIN_SOCKET_OPERATOR } from '../tenancy/caller.ts';
import { type CallOptions, type HostCalls, type OnMessage, soleAnswer } from '../uplink/host-calls.ts';
import { BrokenCall, UnseenByPeer } from '../uplink/tunnel.ts';
import { BrokenLine, type PeerCodec } from './peer-channel.ts';
import type { PeerLinks } from './peer-links.ts';
import { splitFederatedId } from './peer-rows.ts';

/** Calls to whoever can answer them. */
export type AgentCalls = Pick<HostCalls, 'unary' | 'stream'>;

/** Everything that a grant can allow; nothing of a host as a whole. */
const FORWARDED: ReadonlySet<HostCall> = new Set([
  'watchTerminal',
  'tailTerminal',
  'explainAgent',
  'sendText',
  'pressKeys',
  'answerPrompt',
  'controlAgent',
  'getOrder',
  'holdTerminal',
  'typeKeys',
]);

/** Calls that do something there: what ended them in their midst does not tell whether they did. */
const ORDERS: ReadonlySet<HostCall> = new Set(['sendText', 'pressKeys', 'answerPrompt', 'controlAgent', 'typeKeys']);
/** The peer's word that it ended what went on, for a reason that lies in neither the call nor the agent. */
const CUT: ReadonlySet<RefusalReason | null> = new Set<RefusalReason>([
  'revoked',
  'certificate_expired',
  'grant_revoked',
  'grant_expired',
  'controller_stopping',
]);

/** Of our certificate, which says nothing of whether we are its peer. */
const OUTDATED: ReadonlySet<RefusalReason | null> = new Set<RefusalReason>(['certificate_expired', 'not_yet_valid']);

/** The peer may take a little longer than it may take to say that time ran out. */
const GRACE_MS = 1_500;
/** Messages that nobody has taken yet: then the peer is not read. */
const MAX_UNTAKEN_BYTES = CALL_WINDOW_BYTES / 4;
const MAX_DETAILS_CHARACTERS = 1_000;

export class PeerCalls implements AgentCalls {
  readonly #links: Pick<PeerLinks, 'link'>;
  readonly #cell: string;

  constructor(links: Pick<PeerLinks, 'link'>, cell: string) {
    this.#links = links;
    this.#cell = cell;
  }

  /** Rejects as a call to a host does: BrokenCall when it is not known whether the peer acted. */
  async unary<C extends UnaryHostCall>(
    id: string,
    call: C,
    request: RequestOf<C>,
    options: CallOptions,
  ): Promise<ResponseOf<C>> {
    return soleAnswer(id, call, (onMessage) => this.stream(id, call, request, options, onMessage));
  }

  async stream<C extends HostCall | StreamHostCall>(
    id: string,
    call: C,
    request: RequestOf<C>,
    options: CallOptions,
    onMessage: OnMessage<ResponseOf<C>>,
  ): Promise<void> {
    const place = splitFederatedId(id);
    if (place === null) throw new BugError(`${id} is no agent of a peer`);
    const { cell, hostAgent } = place;
    if (!FORWARDED.has(call)) {
      throw new FleetError('PERMISSION_DENIED', `${id} is of cell ${cell}: this is never granted across cells`);
    }
    const channel = this.#links.link(cell).channel();
    if (channel.calls >= MAX_TUNNEL_CALLS) {
      throw new FleetError('RESOURCE_EXHAUSTED', `${channel.calls} calls to cell ${cell} run already: try again later`);
    }
    const there = addressed(request, hostAgent);
    const codec = codecOf(call) as unknown as PeerCodec<RequestOf<C>, ResponseOf<C>>;
    if (codec.requestSerialize(there).length > MAX_REQUEST_BYTES) {
      throw new FleetError('INVALID_ARGUMENT', `a request of more than ${MAX_REQUEST_BYTES} bytes`);
    }
    const { signal, deadlineMs } = options;
    try {
      await channel.ask(codec, there, {
        signal,
        deadlineMs: deadlineMs > 0 ? deadlineMs + GRACE_MS : 0,
        onBehalfOf: OnBehalfOf.encode(this.#named(options.caller)).finish(),
        onMessage: inStep(onMessage),
      });
    } catch (error) {
      throw signal.aborted ? error : endOf(error, cell, call);
    }
  }

  /** Throws for a caller that a peer named: one hop, and no more. */
  #named({ actor, name, kind, role, federated }: OnBehalfOf): OnBehalfOf {
    if (federated || kind === 'controller') {
      throw new FleetError('PERMISSION_DENIED', 'what a peer granted is not shared with another');
    }
    // Our tenants are nothing to a peer.
    if (kind !== 'local') return { actor, name, kind, role, tenantId: '', federated: false };
    const operator = `spiffe://${this.#cell}/operator/${ADMIN_SOCKET_OPERATOR}`;
    return { actor: operator, name: ADMIN_SOCKET_OPERATOR, kind: 'operator', role, tenantId: '', federated: false };
  }
}

/** Calls to hosts of this cell, and those to peers' agents, by the form of the id alone. */
export const routedCalls = (hosts: AgentCalls, peers: AgentCalls): AgentCalls => {
  const of = (id: string): AgentCalls => (splitFederatedId(id) === null ? hosts : peers);
  return {
    unary: (id, call, request, options) => of(id).unary(id, call, request, options),
    stream: (id, call, request, options, onMessage) => of(id).stream(id, call, request, options, onMessage),
  };
};

/** The same request, with the name that the peer itself has for the host-agent. */
const addressed = <R>(request: R, hostAgent: string): R => {
  const { target, hostAgent: named } = request as { target?: object; hostAgent?: string };
  if (target !== undefined) return { ...request, target: { ...target, hostAgent } };
  return named === undefined ? request : { ...request, hostAgent };
};

const inStep = <T>(onMessage: OnMessage<T>): ((message: T, bytes: number) => void | Promise<void>) => {
  let untakenBytes = 0;
  let goOn: (() => void) | null = null;
  const taken = (bytes: number): void => {
    untakenBytes -= bytes;
    if (untakenBytes <= MAX_UNTAKEN_BYTES) goOn?.();
  };
  return (message, bytes) => {
    untakenBytes += bytes;
    onMessage(message, bytes, taken);
    if (untakenBytes <= MAX_UNTAKEN_BYTES) return;
    return new Promise((resolve) => {
      goOn = resolve;
    });
  };
};

/** The peer's words are its hosts' words too: they are told, and kept nowhere. */
const endOf = (error: unknown, cell: string, call: HostCall): unknown => {
  if (error instanceof BrokenLine) {
    const code = error.code === 'DEADLINE_EXCEEDED' ? 'DEADLINE_EXCEEDED' : 'UNAVAILABLE';
    return new BrokenCall(code, `the line to cell ${cell} broke (${error.message})`);
  }
  if (!(error instanceof FleetError)) return error;
  if (ORDERS.has(call) && CUT.has(refusalReasonOf(error))) {
    return new BrokenCall('UNAVAILABLE', `cell ${cell} cut the call (${error.message})`);
  }
  // Its row is seen here: what is not granted looks there as if it did not exist. Whoever follows lines asks again.
  if (error.code === 'NOT_FOUND' && call !== 'getOrder' && call !== 'tailTerminal') return new UnseenByPeer(cell);
  if (error.code === 'UNAUTHENTICATED' && OUTDATED.has(refusalReasonOf(error))) {
    // It began by a line of before: the line of now has another certificate.
    return new FleetError('UNAVAILABLE', `cell ${cell} does not accept a certificate of before any more`);
  }
  if (error.code === 'UNAUTHENTICATED') {
    return new FleetError('PERMISSION_DENIED', `cell ${cell} does not accept this cell as its peer any more`);
  }
  const words = error.message.slice(0, MAX_DETAILS_CHARACTERS);
  return new RelayedError(error.code, words.includes(`cell ${cell} `) ? words : `${words} (cell ${cell})`);
};
