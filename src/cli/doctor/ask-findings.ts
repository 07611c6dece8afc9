/** The findings of one host: of this one also what can be told when its host-agent does not answer. */
import { FleetError } from '../../domain/errors.ts';
import type { Paths } from '../../runtime/paths.ts';
import type { Finding } from '../../wire/gen/fleet/v1/view.ts';
import { askHostAgent } from '../ask.ts';
import { diagnose } from '../client/methods.ts';
import { diagnoseWithoutHostAgent } from '../offline-diagnosis.ts';

const DEADLINE_MS = 20_000;

export interface Findings {
  /** The host-agent itself answered; else these are others' words about it. */
  answered: boolean;
  findings: Finding[];
}

/** `host`, or `host/user`; empty is this one. Rejects when nobody can be asked. */
export const askFindings = async (
  paths: Paths,
  host: string,
  signal: AbortSignal,
  deadlineMs = DEADLINE_MS,
): Promise<Findings> => {
  const { findings, unanswered } = await askHostAgent(paths, diagnose, { host }, { deadlineMs, signal });
  return { answered: !unanswered, findings };
};

/** What can be told of this machine also where its host-agent does not answer. Rejects as other failures of the question do. */
export const findingsHere = async (paths: Paths, signal: AbortSignal): Promise<Findings> => {
  try {
    return await askFindings(paths, '', signal);
  } catch (error) {
    if (!(error instanceof FleetError) || error.code !== 'UNAVAILABLE') throw error;
    return { answered: false, findings: await diagnoseWithoutHostAgent(paths, error, signal) };
  }
};
