/**
 * What could still be used, or waited to be carried out, when a backup was made may have been since, or may have been taken
 * back: none of it is good any more.
 */
import { Intents } from '../desired/intents.ts';
import { uninvited } from '../store/invited-peer.ts';
import type { Records } from '../store/records.ts';

const REASON = 'the controller was restored: give it again if it is still wanted';

/** How many intents are withdrawn. Durable when it resolves. */
export const voidOpen = async (records: Records, nowMs: number): Promise<number> => {
  const { store, tokens, invitations, peers } = records;
  const invited = [...peers.entries()].filter(([, { state }]) => state === 'invited');
  const left = invited.map(([, peer]) => uninvited(peers, peer));
  await store.commit({
    put: left.flatMap(({ put }) => put),
    remove: [
      ...[...tokens.entries()].filter(([, { used }]) => used === null).map(([name]) => tokens.keyOf(name)),
      ...[...invitations.entries()].filter(([, { used }]) => used === null).map(([name]) => invitations.keyOf(name)),
      ...left.flatMap(({ remove }) => remove),
    ],
  });
  const intents = new Intents(records);
  const waiting = [...intents.allWaiting()];
  for (const [hostAgent, { id }] of waiting) await intents.end(hostAgent, id, 'withdrawn', REASON, nowMs);
  return waiting.length;
};
