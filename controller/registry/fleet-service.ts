/**
 * FleetService over the whole cell: the registry's view, cut to what the caller's tenant may see. Questions about
 * one host go to that host, and to what is known of it when it cannot be asked.
 */
import { FleetError } from '../../src/domain/errors.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { callSink } from '../../src/runtime/message-sink.ts';
import type { FleetView, HostAgentRecord } from '../../src/view/fleet-view.ts';
import { streamView } from '../../src/view/view-stream.ts';
import type { FleetServiceService } from '../../src/wire/gen/fleet/v1/fleet.ts';
import type {
  DiagnoseRequest,
  DiagnoseResponse,
  Finding,
  PeerStanding,
  Upstream,
} from '../../src/wire/gen/fleet/v1/view.ts';
import type { Handlers, Targets } from '../grpc/handlers.ts';
import type { Caller } from '../tenancy/caller.ts';
import { isFederated, isVisible, scopeOf } from '../tenancy/visible.ts';
import { streamToPeer, UPSTREAM_FOR_PEERS } from './peer-stream.ts';
import type { Registry } from './registry.ts';

/** Asks a connected host itself, on the caller's behalf. */
export interface HostQuestions {
  diagnose(id: string, request: DiagnoseRequest, caller: Caller, signal: AbortSignal): Promise<DiagnoseResponse>;
}

export interface FleetServiceOptions {
  cell: string;
  version: string;
  view: FleetView;
  registry: Registry;
  questions: HostQuestions;
  /** How the lines to other cells stand, as far as a caller may know of them. */
  peers: (caller: Caller) => PeerStanding[];
  clock: Clock;
}

export const fleetHandlers = (
  options: FleetServiceOptions,
): Pick<Handlers<typeof FleetServiceService>, 'watchAgents' | 'whoAmI' | 'diagnose'> => {
  const { cell, version, view, registry, questions, peers, clock } = options;
  const upstream = (caller: Caller): Upstream => ({
    state: 'self',
    address: '',
    reason: registry.suspicion(seenBy(caller)) ?? undefined,
    ageMs: 0,
    peers: peers(caller),
  });
  const seenBy = (caller: Caller) => (record: { tenantId: string }) => isVisible(caller, record);
  const told = ({ name, role, tenantId, kind }: Caller) => ({ name, role, tenantId, kind });

  return {
    watchAgents: async (caller, request, call, { signal }) => {
      const scope = {
        cell,
        caller: told(caller),
        sees: seenBy(caller),
        scope: scopeOf(caller),
        hereOnly: request.localOnly,
        upstream: () => upstream(caller),
      };
      if (caller.grants !== null)
        await streamToPeer(view, request, { ...scope, grants: caller.grants }, call, clock, signal);
      else await streamView(view, request, scope, callSink(call), clock, signal);
    },
    whoAmI: (caller) => ({
      caller: told(caller),
      cell,
      host: caller.host,
      user: caller.user,
      version,
      upstream: caller.grants === null ? upstream(caller) : UPSTREAM_FOR_PEERS,
      verbs: [...caller.verbs],
      tenants: caller.tenants === 'all' ? [] : [...caller.tenants],
      elsewhere: caller.kind === 'host' ? ['read', ...caller.ceiling] : [],
    }),
    diagnose: async (caller, request, { signal }) => {
      const record = pick(view, request.host, seenBy(caller));
      if (isFederated(record)) return { findings: [elsewhere(record)], unanswered: true };
      if (record.linkState !== 'connected') return { findings: [absence(record, clock)], unanswered: true };
      try {
        const answer = await questions.diagnose(record.id, { host: record.id }, caller, signal);
        return { ...answer, findings: [presence(record), ...answer.findings] } satisfies DiagnoseResponse;
      } catch (error) {
        const what = error instanceof FleetError ? error.message : 'the host could not be asked';
        const why = 'what is wrong there cannot be told from here';
        const mend = 'ask again in a moment; else on it, by ssh: fleet doctor';
        return {
          findings: [presence(record), { check: 'answer', outcome: 'failed', what, why, mend }],
          unanswered: true,
        };
      }
    },
  };
};

export const FLEET_TARGETS: Targets<typeof FleetServiceService> = {
  // A view that is not followed ends by itself.
  watchAgents: ({ follow }) => ({ target: '', lasts: follow }),
  diagnose: ({ host }) => host.slice(0, 256),
};

const pick = (view: FleetView, wanted: string, sees: (record: HostAgentRecord) => boolean): HostAgentRecord => {
  if (wanted === '') throw new FleetError('INVALID_ARGUMENT', 'name a host: fleet doctor HOST, or HOST/USER');
  const found = [...view.hostAgents()].filter(
    // A peer's by its whole id: no name of another cell stands in the way of one of ours.
    (record) => sees(record) && (record.id === wanted || (record.host === wanted && !isFederated(record))),
  );
  if (found.length === 1) return found[0] as HostAgentRecord;
  if (found.length === 0) {
    const abroad = [...view.hostAgents()].filter((record) => sees(record) && isAbroad(record, wanted));
    const hint = abroad.length === 0 ? 'see "fleet hosts"' : `of another cell there is ${idsOf(abroad)}`;
    throw new FleetError('NOT_FOUND', `no host ${wanted}: ${hint}`);
  }
  throw new FleetError('NOT_FOUND', `${wanted} is ambiguous: ${idsOf(found)}`);
};

const idsOf = (records: readonly HostAgentRecord[]): string => records.map(({ id }) => id).join(', ');

/** Meant by its host, or by host and cell, where a peer's is meant by its whole id alone. */
const isAbroad = (record: HostAgentRecord, wanted: string): boolean =>
  isFederated(record) && [record.host, `${record.cell}/${record.host}`].includes(wanted);

const presence = (record: HostAgentRecord): Finding => ({
  check: 'link',
  outcome: record.linkReason === 'duplicate_identity' ? 'warning' : 'ok',
  what: `${record.id} connected${record.facts?.via ? ` by ${record.facts.via}` : ''}`,
  ...(record.linkReason === 'duplicate_identity'
    ? {
        why: 'two host-agents report with this identity',
        mend: `stop one; a copied folder is enrolled anew with "fleet host join"`,
      }
    : {}),
});

/** Its own cell's operators ask it. */
const elsewhere = (record: HostAgentRecord): Finding => ({
  check: 'link',
  outcome: record.linkState === 'connected' ? 'ok' : 'unknown',
  what: `${record.id} is of cell ${record.cell}, which tells: ${record.linkState}${record.linkReason ? ` (${record.linkReason})` : ''}`,
  why: 'a host is asked by its own cell alone',
  mend: `ask the operators of ${record.cell}`,
});

/** What to do about each reason for which a line is down. */
const MENDS: Record<string, string> = {
  stopped: 'its host-agent was stopped: fleet up there',
  stream_closed: 'its host-agent ended or is restarting: systemctl --user status fleet-host-agent there',
  silent: 'is the machine on, and its network up? ssh to it',
  revoked: 'it was removed: fleet host add it again',
  certificate_expired: 'it renews by itself once it runs and reaches this controller',
  not_yet_valid: 'its clock is far behind: timedatectl set-ntp true there',
  version: 'its version and the controller’s do not fit: fleet host add it again',
  tunnel_down: 'the ssh tunnel to it is down: systemctl --user status "fleet-tunnel@*" on the operator’s machine',
};

const absence = (record: HostAgentRecord, clock: Clock): Finding => {
  const seconds = Math.round((clock.monotonicMs() - record.heardAtMono) / 1_000);
  const heard = record.facts === null ? 'never heard' : `last heard ${seconds} s ago`;
  const reason = record.linkReason ?? 'unknown reason';
  return {
    check: 'link',
    outcome: 'failed',
    what: `${record.id} ${record.linkState} (${reason}), ${heard}`,
    why: 'its rows are shown as they were last seen; nothing on the host changed because of it',
    mend: MENDS[record.linkReason ?? ''] ?? 'wait a moment: it is expected back',
  };
};
