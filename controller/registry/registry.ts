/**
 * The controller's picture of its hosts: who reports, over what kind of line, and which rows. Rows come from
 * streams and leave only by their host's word or an operator's; a broken line changes the link, never a row.
 */
import type { HostFacts, LinkReason } from '../../src/domain/host-agent.ts';
import { hostAgentId } from '../../src/domain/host-agent.ts';
import {
  graceAfterReturn,
  type JudgeGrace,
  judgeLink,
  LINK_THRESHOLDS,
  type LinkEvidence,
  type LinkThresholds,
} from '../../src/domain/link.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { FleetView, HostAgentRecord } from '../../src/view/fleet-view.ts';
import { silenceSuspicion } from './silence.ts';

/** Who is at the end of a line; from the certificate and the store, never from a message. */
export interface HostIdentity {
  host: string;
  user: string;
  tenantId: string;
}

/** What rests on disk between two runs of a controller; rows without screen text. */
export interface LastKnownHost extends HostIdentity {
  facts: HostFacts | null;
  /** When it was last heard, by the controller's wall clock; null where that is not known. */
  heardMs: number | null;
  rows: { key: string; row: Buffer }[];
}

interface Line {
  evidence: LinkEvidence;
  /** The reporting stream; frames of any other are late and ignored. */
  epoch: bigint | null;
}

export interface RegistryOptions {
  cell: string;
  view: FleetView;
  clock: Clock;
  log: Logger;
  thresholds?: LinkThresholds;
}

export class Registry {
  readonly #options: RegistryOptions;
  readonly #thresholds: LinkThresholds;
  readonly #lines = new Map<string, Line>();
  #grace: JudgeGrace | null = null;
  #lastTickMono = 0;
  #lastTickBoot = 0;
  #suspicion: string | null = null;

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#thresholds = options.thresholds ?? LINK_THRESHOLDS;
  }

  /** The last known picture, shown as unconfirmed until hosts speak or the window ends. */
  begin(lastKnown: Iterable<LastKnownHost>): void {
    const now = this.#options.clock.monotonicMs();
    this.#start(now);
    for (const known of lastKnown) {
      const id = this.enrolled(known);
      const record = this.#options.view.hostAgent(id);
      // A clock that was set back in between makes it as old as now, never younger.
      const silentMs = known.heardMs === null ? 0 : Math.max(0, this.#options.clock.nowMs() - known.heardMs);
      if (record)
        this.#options.view.putHostAgent({ ...record, facts: known.facts, heardAtMono: record.heardAtMono - silentMs });
      for (const { key, row } of known.rows) this.#options.view.putRow(id, key, row);
    }
  }

  /** Hosts can come back from now on: the window of the start begins here. */
  reachable(): void {
    this.#start(this.#options.clock.monotonicMs());
  }

  /** A host-agent that exists by enrolment, whether or not it has ever spoken. */
  enrolled(identity: HostIdentity): string {
    const { view, clock, cell } = this.#options;
    const id = hostAgentId(identity.host, identity.user);
    const held = view.hostAgent(id);
    if (held?.tenantId === identity.tenantId) return id;
    const now = clock.monotonicMs();
    this.#lines.set(
      id,
      this.#lines.get(id) ?? {
        epoch: null,
        evidence: {
          knownSinceMono: now,
          streamOpen: false,
          heardAtMono: null,
          closedBecause: null,
          closedAtMono: null,
          duplicate: false,
        },
      },
    );
    view.putHostAgent({
      linkState: 'unconfirmed',
      linkReason: 'controller_started',
      linkSinceMono: now,
      heardAtMono: now,
      facts: null,
      clockSkewMs: null,
      ...held,
      // It was another tenant's who had something told to it.
      behind: null,
      id,
      cell,
      ...identity,
      here: false,
    });
    this.#judge(id);
    return id;
  }

  /** An administrator's word; no change for readers where it is so already. */
  setQuarantined(id: string, quarantined: boolean): void {
    const held = this.#options.view.hostAgent(id);
    if (held === undefined || (held.quarantined ?? false) === quarantined) return;
    this.#options.view.putHostAgent({ ...held, quarantined });
  }

  /** `host/user` of every host-agent that is shown. */
  known(): string[] {
    return [...this.#lines.keys()];
  }

  opened(id: string, epoch: bigint, facts: HostFacts | null): void {
    const line = this.#line(id);
    line.epoch = epoch;
    line.evidence.streamOpen = true;
    line.evidence.closedBecause = null;
    line.evidence.closedAtMono = null;
    this.heard(id, epoch, facts);
  }

  /** Proof of life; returns false for a late frame of a displaced stream, which changes nothing. */
  heard(id: string, epoch: bigint, facts: HostFacts | null): boolean {
    const line = this.#lines.get(id);
    if (!line || line.epoch !== epoch) return false;
    const { view, clock } = this.#options;
    const now = clock.monotonicMs();
    if (this.#grace !== null)
      this.#grace = graceAfterReturn(this.#grace, line.evidence.heardAtMono, now, this.#thresholds);
    line.evidence.heardAtMono = now;
    view.heard(id, facts, facts === null ? undefined : facts.hostNowMs - clock.nowMs());
    this.#judge(id);
    return true;
  }

  closed(id: string, epoch: bigint, reason: LinkReason): void {
    const line = this.#lines.get(id);
    if (!line || line.epoch !== epoch) return;
    const now = this.#options.clock.monotonicMs();
    line.evidence.streamOpen = false;
    line.evidence.closedAtMono = now;
    line.evidence.closedBecause = reason;
    this.#judge(id);
  }

  setDuplicate(id: string, duplicate: boolean): void {
    const line = this.#lines.get(id);
    if (!line || line.evidence.duplicate === duplicate) return;
    line.evidence.duplicate = duplicate;
    this.#judge(id);
  }

  heardAtMono(id: string): number | null {
    return this.#lines.get(id)?.evidence.heardAtMono ?? null;
  }

  isReporting(id: string, epoch: bigint): boolean {
    return this.#lines.get(id)?.epoch === epoch;
  }

  /** An operator removed it: the only other way for rows to leave. */
  removed(id: string): void {
    this.#lines.delete(id);
    this.#options.view.removeHostAgent(id);
  }

  /** Judges every line; to be called about twice a second. A gap between two calls is a pause of our own. */
  tick(): void {
    const now = this.#options.clock.monotonicMs();
    const boot = this.#options.clock.bootMs();
    // A stopped process misses ticks; on a machine that slept the monotonic clock stood still as well.
    const pausedMs = Math.max(now - this.#lastTickMono, boot - this.#lastTickBoot);
    if (pausedMs > this.#thresholds.silentMs / 2) {
      this.#startGrace(now, 'controller_paused');
      this.#options.log.warn({ pausedMs: Math.round(pausedMs) }, 'controller was paused');
    }
    this.#lastTickMono = now;
    this.#lastTickBoot = boot;
    const before = this.#suspicion;
    this.#suspicion = silenceSuspicion(
      [...this.#lines.values()].map((line) => line.evidence),
      now,
      this.#thresholds,
    );
    if (this.#suspicion !== null && before === null)
      this.#options.log.warn({ suspicion: this.#suspicion }, 'many hosts fell silent at once');
    for (const id of this.#lines.keys()) this.#judge(id);
  }

  /** Words when the fault is probably on the controller's own side, by what this reader sees by itself; else null. */
  suspicion(sees: (record: HostAgentRecord) => boolean): string | null {
    if (this.#suspicion === null) return null;
    const isSeen = (id: string): boolean => {
      const record = this.#options.view.hostAgent(id);
      return record !== undefined && sees(record);
    };
    const seen = [...this.#lines].filter(([id]) => isSeen(id)).map(([, line]) => line.evidence);
    return silenceSuspicion(seen, this.#options.clock.monotonicMs(), this.#thresholds);
  }

  /** What this controller did before is no pause of its. */
  #start(now: number): void {
    this.#startGrace(now, 'controller_started');
    this.#lastTickMono = now;
    this.#lastTickBoot = this.#options.clock.bootMs();
  }

  #startGrace(sinceMono: number, reason: JudgeGrace['reason']): void {
    this.#grace = { sinceMono, reason, returnedAtMono: null };
  }

  #line(id: string): Line {
    const line = this.#lines.get(id);
    if (!line) throw new Error(`no line for ${id}: enrolled() comes first`);
    return line;
  }

  #judge(id: string): void {
    const line = this.#lines.get(id);
    const record = this.#options.view.hostAgent(id);
    if (!line || !record) return;
    const now = this.#options.clock.monotonicMs();
    let { state, reason } = judgeLink(line.evidence, this.#grace, now, this.#thresholds);
    const notAfterMs = record.facts?.certificateNotAfterMs ?? null;
    if (state === 'lost' && reason !== 'stopped' && notAfterMs !== null && notAfterMs < this.#options.clock.nowMs()) {
      reason = 'certificate_expired';
    }
    // A broken line is as old as the silence at its end, not as the moment at which it was judged.
    const sinceMono = state === 'connected' ? now : (line.evidence.heardAtMono ?? record.heardAtMono);
    if (this.#options.view.setLink(id, state, reason, sinceMono)) {
      this.#options.log.info({ hostAgent: id, link: state, reason }, 'link changed');
    }
  }
}
