import { hostname, userInfo } from 'node:os';
import type { Paths } from '../../runtime/paths.ts';
import { askHostAgent } from '../ask.ts';
import { whoAmI } from '../client/methods.ts';
import { readEnrolment } from './enrolment.ts';

const ASK_MS = 3_000;

/** By which names the host-agent of this user on this machine goes, whether or not it answers now. */
export const ownNames = async (paths: Paths, signal: AbortSignal): Promise<{ host: string; user: string }> => {
  const asked = await askHostAgent(paths, whoAmI, {}, { deadlineMs: ASK_MS, signal }).catch(() => null);
  return asked ?? (await readEnrolment(paths)) ?? { host: hostname(), user: userInfo().username };
};
