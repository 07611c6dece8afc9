/** Read-only questions to a host and their answers, matched by id; each has a deadline. */
import { randomUUID } from 'node:crypto';
import { FleetError } from '../../src/domain/errors.ts';
import type { Query, QueryReply } from '../../src/wire/gen/fleet/v1/host_agent.ts';
import type { DiagnoseRequest, DiagnoseResponse } from '../../src/wire/gen/fleet/v1/view.ts';

interface Waiting {
  resolve(answer: DiagnoseResponse): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout;
}

export class Questions {
  readonly #waiting = new Map<string, Waiting>();

  ask(diagnose: DiagnoseRequest, deadlineMs: number): { query: Query; answer: Promise<DiagnoseResponse> } {
    const id = randomUUID();
    const answer = new Promise<DiagnoseResponse>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new FleetError('DEADLINE_EXCEEDED', `no answer from the host within ${deadlineMs} ms`));
      }, deadlineMs);
      this.#waiting.set(id, { resolve, reject, timer });
    });
    return { query: { id, diagnose, deadlineMs }, answer };
  }

  /** An answer to no open question came too late and is dropped. */
  answered(reply: QueryReply): void {
    const waiting = this.#waiting.get(reply.id);
    if (!waiting) return;
    this.#waiting.delete(reply.id);
    clearTimeout(waiting.timer);
    if (reply.diagnose) waiting.resolve(reply.diagnose);
    else waiting.reject(new FleetError('INTERNAL', reply.error ?? 'the host could not answer'));
  }
}
