/**
 * What this host-agent answers about its own agents, whoever asks and by whichever way: its user's socket or the
 * controller's tunnel. A rejection is the call's status: FleetErrors in their own words.
 */
import type { MessageSink } from '../../src/runtime/message-sink.ts';
import type {
  GetAuditHeadsRequest,
  GetAuditHeadsResponse,
  ListOrdersRequest,
  ListOrdersResponse,
} from '../../src/wire/gen/fleet/v1/audit.ts';
import type {
  AnswerPromptRequest,
  ControlAgentRequest,
  GetOrderRequest,
  HoldTerminalRequest,
  HoldTerminalResponse,
  OrderOutcome,
  PressKeysRequest,
  SendTextRequest,
  TypeKeysRequest,
  TypeKeysResponse,
} from '../../src/wire/gen/fleet/v1/orders.ts';
import type { GetRosterRequest, GetRosterResponse, PutRosterRequest } from '../../src/wire/gen/fleet/v1/roster.ts';
import type {
  ExplainAgentRequest,
  ExplainAgentResponse,
  TailTerminalRequest,
  TailTerminalResponse,
  WatchTerminalRequest,
  WatchTerminalResponse,
} from '../../src/wire/gen/fleet/v1/terminal.ts';
import type { DiagnoseRequest, DiagnoseResponse } from '../../src/wire/gen/fleet/v1/view.ts';

/** Who asks: this host's own user, or whom the controller proved. */
export interface CallOrigin {
  /** SPIFFE id, or local:USER. */
  actor: string;
  /** Short, for people: `jarvis@W-jarvis`. */
  name: string;
  kind: string;
  role: string;
  /** Of another cell: the host's policy may treat them apart. */
  federated: boolean;
}

/** Of whoever calls on this host's own socket: its user. */
export const localActor = (user: string): string => `local:${user}`;

export interface CallContext {
  origin: CallOrigin;
  /** For whom a shared call goes on now; the origin alone where nothing else was said. */
  audience: Audience;
  /** Aborts when the caller has left, the line broke, the deadline passed or the daemon stops. */
  signal: AbortSignal;
}

export interface Audience {
  readonly watchers: readonly string[];
  onChange(listener: () => void): Disposable;
}

export type UnaryCall<Q, R> = (request: Q, context: CallContext) => Promise<R>;
export type StreamCall<Q, R> = (request: Q, sink: MessageSink<R>, context: CallContext) => Promise<void>;

export interface OwnCalls {
  diagnose: UnaryCall<DiagnoseRequest, DiagnoseResponse>;
  watchTerminal: StreamCall<WatchTerminalRequest, WatchTerminalResponse>;
  tailTerminal: StreamCall<TailTerminalRequest, TailTerminalResponse>;
  explainAgent: UnaryCall<ExplainAgentRequest, ExplainAgentResponse>;
  sendText: UnaryCall<SendTextRequest, OrderOutcome>;
  pressKeys: UnaryCall<PressKeysRequest, OrderOutcome>;
  answerPrompt: UnaryCall<AnswerPromptRequest, OrderOutcome>;
  controlAgent: UnaryCall<ControlAgentRequest, OrderOutcome>;
  getRoster: UnaryCall<GetRosterRequest, GetRosterResponse>;
  putRoster: UnaryCall<PutRosterRequest, OrderOutcome>;
  getOrder: UnaryCall<GetOrderRequest, OrderOutcome>;
  listOrders: UnaryCall<ListOrdersRequest, ListOrdersResponse>;
  getAuditHeads: UnaryCall<GetAuditHeadsRequest, GetAuditHeadsResponse>;
  holdTerminal: StreamCall<HoldTerminalRequest, HoldTerminalResponse>;
  typeKeys: UnaryCall<TypeKeysRequest, TypeKeysResponse>;
}
