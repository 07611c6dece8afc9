/** What a view holds of its own cell, as figures count it: whose, where, and how it stands. */
import { READINESS } from '../../src/domain/agent-row.ts';
import type { FleetView } from '../../src/view/fleet-view.ts';
import { decodeAgentRow } from '../../src/wire/agent-row.ts';
import { isFederated } from '../tenancy/visible.ts';

/** Rows between two turns of the loop. */
const STEP = 200;

/** Of a host that is not heard an agent's readiness is not known. */
export async function* countedAgents(
  view: FleetView,
): AsyncGenerator<{ tenant: string; host: string; readiness: string }> {
  let counted = 0;
  for (const { id, host, tenantId, linkState, audience } of [...view.hostAgents()]) {
    if (isFederated({ audience })) continue;
    for (const { row } of [...view.rowsOf(id).values()]) {
      const readiness = linkState === 'connected' ? readinessOf(row) : 'not-current';
      yield { tenant: tenantId, host, readiness };
      counted += 1;
      if (counted % STEP === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

export function* countedHosts(view: FleetView): Generator<{ tenant: string; host: string; link: string }> {
  for (const { host, tenantId, linkState, audience } of view.hostAgents()) {
    if (!isFederated({ audience })) yield { tenant: tenantId, host, link: linkState };
  }
}

const KNOWN: readonly string[] = READINESS;

/** A word of a newer version makes no series of its own. */
const readinessOf = (bytes: Buffer): string => {
  try {
    const { readiness } = decodeAgentRow(bytes);
    return KNOWN.includes(readiness) ? readiness : 'unknown';
  } catch {
    return 'unknown';
  }
};
