/**
 * What peers tell of their own authorities and addresses, taken over: one change after the other, each in the audit before it
 * counts, and no more than one of a cell within the pause. Which of our authorities one has changes nobody's trust.
 */
import { FleetError } from '../../src/domain/errors.ts';
import { bundleFingerprints, type ToldPeer } from '../../src/identity/peer-bundle.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import type { Peers } from './peers.ts';

const PAUSE_MS = 10_000;
/** Of which authorities of ours one has: a commit, and nothing else. */
const BRIEF_PAUSE_MS = 1_000;

export class TrustChanges {
  readonly #peers: Peers;
  readonly #audit: Pick<AuditLog, 'record' | 'note'>;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  /** By cell: when it changed last, and when it last said which of ours it has. */
  readonly #changedMono = new Map<string, number>();
  readonly #toldMono = new Map<string, number>();
  /** Both sides tell the same at about the same time: the second finds it known. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(peers: Peers, audit: Pick<AuditLog, 'record' | 'note'>, clock: Pick<Clock, 'monotonicMs'>) {
    this.#peers = peers;
    this.#audit = audit;
    this.#clock = clock;
  }

  /**
   * `actor` proved to be a controller of that cell. PERMISSION_DENIED where it speaks of another, RESOURCE_EXHAUSTED for a
   * change too soon, INVALID_ARGUMENT for what is told. Durable when it resolves.
   */
  take(cell: string, told: ToldPeer, has: readonly string[], actor: string): Promise<void> {
    const result = this.#turn.then(() => this.#take(cell, told, has, actor));
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async #take(cell: string, told: ToldPeer, has: readonly string[], actor: string): Promise<void> {
    const entry = { actor, verb: 'refresh-peer', target: cell };
    try {
      await this.#peers.refresh(cell, told, has, async (before, after) => {
        const reason = changeWords(before, after);
        if (reason === '') return this.#pause(cell, this.#toldMono, BRIEF_PAUSE_MS);
        this.#pause(cell, this.#changedMono, PAUSE_MS);
        await this.#audit.record({ ...entry, outcome: 'allowed', reason });
      });
    } catch (error) {
      this.#audit.note({ ...entry, outcome: 'denied', reason: (error as Error).message });
      throw error;
    }
  }

  /** Begins one, or throws while the one before lasts. */
  #pause(cell: string, lastMono: Map<string, number>, pauseMs: number): void {
    const now = this.#clock.monotonicMs();
    const sinceMs = now - (lastMono.get(cell) ?? Number.NEGATIVE_INFINITY);
    if (sinceMs >= pauseMs) {
      lastMono.set(cell, now);
      return;
    }
    const seconds = Math.ceil((pauseMs - sinceMs) / 1_000);
    const words = `cell ${cell} told something new a moment ago: again in ${seconds} s`;
    throw new FleetError('RESOURCE_EXHAUSTED', words, { retryable: true });
  }
}

const changeWords = (before: ToldPeer, after: ToldPeer): string => {
  const [was, is] = [before, after].map(({ trustBundlePem }) => bundleFingerprints(trustBundlePem).join(' '));
  const [stood, stands] = [before, after].map(({ addresses }) => addresses.join(' ') || 'none');
  const changes = [
    was === is ? null : `authorities ${was} -> ${is}`,
    stood === stands ? null : `addresses ${stood} -> ${stands}`,
  ];
  return changes.filter((words) => words !== null).join('; ');
};
