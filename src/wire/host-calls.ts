/**
 * The calls of FleetService that a host answers about its own agents, by the names and codecs of the contract; and what
 * bounds them on their way through a tunnel.
 */
import { FleetServiceService } from './gen/fleet/v1/fleet.ts';

export const HOST_CALLS = [
  'diagnose',
  'watchTerminal',
  'tailTerminal',
  'explainAgent',
  'sendText',
  'pressKeys',
  'answerPrompt',
  'controlAgent',
  'getRoster',
  'putRoster',
  'getOrder',
  'listOrders',
  'getAuditHeads',
  'holdTerminal',
  'typeKeys',
] as const;
export type HostCall = (typeof HOST_CALLS)[number];

/** Those that only the controller answers: about a host that may be away, and what is kept of all hosts. */
export const CONTROLLER_CALLS = ['putIntent', 'getIntent', 'watchEvents'] as const;
export type ControllerCall = (typeof CONTROLLER_CALLS)[number];

type Definition<C extends HostCall> = (typeof FleetServiceService)[C];
export type RequestOf<C extends HostCall> = ReturnType<Definition<C>['requestDeserialize']>;
export type ResponseOf<C extends HostCall> = ReturnType<Definition<C>['responseDeserialize']>;
export type UnaryHostCall = {
  [C in HostCall]: Definition<C>['responseStream'] extends false ? C : never;
}[HostCall];
export type StreamHostCall = Exclude<HostCall, UnaryHostCall>;

/** Of one request: the text of a message and room for its frame. */
export const MAX_REQUEST_BYTES = 512 * 1024;
/** Of one answer or frame; the channels between take 1 MiB. */
export const MAX_RESPONSE_BYTES = 1024 * 1024 - 16 * 1024;
/** Of one call's messages, under way and not yet taken: then it waits. */
export const CALL_WINDOW_BYTES = 256 * 1024;
/** At once in one tunnel. */
export const MAX_TUNNEL_CALLS = 256;

export interface CallCodec {
  path: string;
  /** As a tunnel names it: WatchTerminal. */
  method: string;
  responseStream: boolean;
  requestSerialize(request: unknown): Buffer;
  requestDeserialize(bytes: Buffer): unknown;
  responseSerialize(response: unknown): Buffer;
  responseDeserialize(bytes: Buffer): unknown;
}

const methodOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

export const codecOf = (call: HostCall | ControllerCall): CallCodec => {
  const definition = FleetServiceService[call];
  return { ...(definition as unknown as CallCodec), method: methodOf(definition.path) };
};

const BY_METHOD = new Map<string, HostCall>(HOST_CALLS.map((call) => [codecOf(call).method, call]));

/** undefined: no host answers such a call. */
export const callNamed = (method: string): HostCall | undefined => BY_METHOD.get(method);
