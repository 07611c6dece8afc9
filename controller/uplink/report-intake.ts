/**
 * Reports applied to the view: a snapshot replaces, later reports upsert and remove. Every row is read once to be
 * sure that it is one; its bytes are kept as they came. One host-agent may hold so much and no more.
 */
import { FleetError } from '../../src/domain/errors.ts';
import type { FleetView } from '../../src/view/fleet-view.ts';
import type { Report } from '../../src/wire/gen/fleet/v1/host_agent.ts';
import { rowKeyOf } from '../../src/wire/row-signs.ts';

/** Bounds for one host-agent. */
export interface IntakeLimits {
  rows: number;
  bytes: number;
}

const LIMITS: IntakeLimits = { rows: 10_000, bytes: 32 * 1024 * 1024 };

interface Held {
  inventoryId: string;
  revision: bigint;
  bytes: number;
  /** Keys named by the snapshot under way. */
  snapshot: Set<string> | null;
}

export class ReportIntake {
  readonly #view: FleetView;
  readonly #limits: IntakeLimits;
  readonly #held = new Map<string, Held>();

  constructor(view: FleetView, limits: IntakeLimits = LIMITS) {
    this.#view = view;
    this.#limits = limits;
  }

  /** The revision from which this inventory may go on, or null: it must send a snapshot. */
  resumePoint(id: string, inventoryId: string): bigint | null {
    const held = this.#held.get(id);
    return held && held.inventoryId === inventoryId && held.snapshot === null ? held.revision : null;
  }

  take(id: string, inventoryId: string, report: Report): void {
    let held = this.#held.get(id);
    if (report.snapshotBegin || held?.inventoryId !== inventoryId) {
      if (!report.snapshotBegin)
        throw new FleetError('FAILED_PRECONDITION', `${id} reports changes before its snapshot`);
      held = { inventoryId, revision: 0n, bytes: bytesOf(this.#view, id), snapshot: new Set() };
      this.#held.set(id, held);
    }
    for (const { key, row } of report.rows) this.#put(id, held, key, row);
    for (const key of report.removed) this.#remove(id, held, key);
    held.revision = report.revision;
    if (!report.complete || held.snapshot === null) return;
    for (const key of [...this.#view.rowsOf(id).keys()]) if (!held.snapshot.has(key)) this.#remove(id, held, key);
    held.snapshot = null;
  }

  forget(id: string): void {
    this.#held.delete(id);
  }

  #put(id: string, held: Held, key: string, row: Buffer): void {
    const rows = this.#view.rowsOf(id);
    if (rowKeyOf(row) !== key) throw new FleetError('INVALID_ARGUMENT', `${id} sent a row under another key`);
    const bytes = held.bytes + row.length - (rows.get(key)?.row.length ?? 0);
    if (bytes > this.#limits.bytes || (rows.size >= this.#limits.rows && !rows.has(key))) {
      throw new FleetError(
        'RESOURCE_EXHAUSTED',
        `${id} reports more than ${this.#limits.rows} rows or ${this.#limits.bytes} bytes`,
      );
    }
    held.bytes = bytes;
    held.snapshot?.add(key);
    this.#view.putRow(id, key, ownBytes(row));
  }

  #remove(id: string, held: Held, key: string): void {
    held.bytes -= this.#view.rowsOf(id).get(key)?.row.length ?? 0;
    this.#view.removeRow(id, key);
  }
}

/** Memory of its own: a slice of the frame, or of Node's pool, would keep all of that alive for as long as the row is held. */
const ownBytes = (row: Buffer): Buffer => {
  const own = Buffer.allocUnsafeSlow(row.length);
  row.copy(own);
  return own;
};

const bytesOf = (view: FleetView, id: string): number => {
  let bytes = 0;
  for (const { row } of view.rowsOf(id).values()) bytes += row.length;
  return bytes;
};
