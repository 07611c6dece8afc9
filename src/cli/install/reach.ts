/**
 * Runs on a machine that is to be added: comes in, as JSON on stdin, where the controller might be; goes out, a
 * line of JSON for each address, whether that controller answers there. Nothing secret comes in or goes out.
 */
import { readFileSync } from 'node:fs';
import * as z from 'zod/mini';
import { probeController } from '../../identity/probe.ts';

const Question = z.object({
  cell: z.string(),
  fingerprint: z.string(),
  addresses: z.array(z.string()).check(z.maxLength(64)),
  timeoutMs: z.int().check(z.positive()),
});

const question = Question.parse(JSON.parse(readFileSync(0, 'utf8')));

await Promise.all(
  question.addresses.map(async (address) => {
    const { cell, fingerprint, timeoutMs } = question;
    const answer = await probeController({ address, cell, fingerprint }, { timeoutMs, nowMs: Date.now }).then(
      () => ({ address, reached: true, why: null }),
      (error: Error) => ({ address, reached: false, why: error.message }),
    );
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }),
);
