/**
 * What could still be used, or waited to be carried out, when a backup was made may have been since, or may have been taken
 * back: none of it is good any more.
 */
import { Intents } from '../desired/intents.ts';
import type { Records } from '../store/records.ts';

const REASON = 'the controller was restored: give it again if it is still wanted';

/** How many intents are withdrawn. Durable when it resolves. */
export const voidOpen = async (records: Records, nowMs: number): Promise<number> => {
  const { store, tokens, invitations, peers } = records;
  await store.commit({
    remove: [
      ...[...tokens.entries()].filter(([, { used }]) => used === null).map(([name]) => tokens.keyOf(name)),
      ...[...invitations.entries()].filter(([, { used }]) => used === null).map(([name]) => invitations.keyOf(name)),
      ...[...peers.entries()].filter(([, { state }]) => state === 'invited').map(([name]) => peers.keyOf(name)),
    ],
  });
  const intents = new Intents(records);
  const waiting = [...intents.allWaiting()];
  for (const [hostAgent, { id }] of waiting) await intents.end(hostAgent, id, 'withdrawn', REASON, nowMs);
  return waiting.length;
};
