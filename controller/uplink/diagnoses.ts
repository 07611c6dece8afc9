import type { HostQuestions } from '../registry/fleet-service.ts';
import { onBehalfOf } from '../tenancy/on-behalf-of.ts';
import type { HostCalls } from './host-calls.ts';

const DEADLINE_MS = 8_000;

/** A host's own findings, asked through its tunnel. */
export const diagnoses = (calls: HostCalls, localName: string): HostQuestions => ({
  diagnose: (id, request, caller, signal) =>
    calls.unary(id, 'diagnose', request, { caller: onBehalfOf(caller, localName), signal, deadlineMs: DEADLINE_MS }),
});
