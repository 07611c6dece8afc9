/** What a figure is: a name to ask for, where it is measured, and the lines that it yields. */
import type { Bench } from './bench.ts';

export interface Measurement {
  figure: string;
  /** null: not measured; `detail.why` says why. */
  value: number | null;
  unit: string;
  /** The most that DESIGN section 8 allows; null where it says nothing. */
  reach: number | null;
  /** null where there is nothing to hold it against. */
  ok: boolean | null;
  detail: Record<string, unknown>;
}

export interface Figure<Place extends AsyncDisposable = AsyncDisposable> {
  name: string;
  about: string;
  /** Where it is measured. Figures that stand together and name the same function share one. */
  place(bench: Bench): Promise<Place>;
  measure(place: Place, bench: Bench): AsyncIterable<Measurement>;
}

/** Lets figures with places of different kinds stand in one list. */
export const figure = <Place extends AsyncDisposable>(it: Figure<Place>): Figure => it as unknown as Figure;

/** A figure with its verdict: the value may be as large as the reach. */
export const measured = (
  name: string,
  value: number,
  unit: string,
  reach: number | null,
  detail: Record<string, unknown>,
): Measurement => ({
  figure: name,
  value: rounded(value),
  unit,
  reach,
  ok: reach === null ? null : value <= reach,
  detail: roundedAll(detail),
});

export const notMeasured = (name: string, unit: string, reach: number | null, why: string): Measurement => ({
  figure: name,
  value: null,
  unit,
  reach,
  ok: null,
  detail: { why },
});

const rounded = (value: number): number => (Number.isInteger(value) ? value : Number(value.toPrecision(4)));

const roundedAll = (detail: Record<string, unknown>): Record<string, unknown> =>
  JSON.parse(JSON.stringify(detail, (_key, value) => (typeof value === 'number' ? rounded(value) : value))) as Record<
    string,
    unknown
  >;
