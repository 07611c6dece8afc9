/** AdminService as a controller of this user serves it, answered by a test; and the program that asks it. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { resolvePaths } from '../../../src/runtime/paths.ts';
import { AdminServiceService } from '../../../src/wire/gen/fleet/v1/admin.ts';
import { type Ran, runFleetProgram } from '../../helpers/fleet-program.ts';

type Reply = (error: unknown, answer?: unknown) => void;

export class ServedAdmin {
  /** What was asked, in its order. */
  readonly asked: [call: string, request: unknown][] = [];
  /** Of every call, in place of its answer. */
  refusal: { code: number; details: string } | null = null;
  readonly #home = mkdtempSync(join(tmpdir(), 'fleet-home-'));
  readonly #instance = `t${randomBytes(6).toString('hex')}`;
  readonly #paths = resolvePaths({ instance: this.#instance, home: this.#home });
  readonly #server = new Server();

  /** By the name of the call; read at each. */
  async start(answers: Partial<Record<keyof typeof AdminServiceService, object>>): Promise<void> {
    mkdirSync(dirname(this.#paths.adminSocket), { recursive: true, mode: 0o700 });
    const calls = (Object.keys(answers) as (keyof typeof AdminServiceService)[]).map(
      (call) =>
        [
          call,
          ({ request }: { request: unknown }, reply: Reply) => {
            this.asked.push([call, request]);
            reply(this.refusal, answers[call]);
          },
        ] as const,
    );
    this.#server.addService(AdminServiceService, Object.fromEntries(calls) as never);
    await new Promise<void>((resolve, reject) => {
      this.#server.bindAsync(`unix:${this.#paths.adminSocket}`, ServerCredentials.createInsecure(), (error) =>
        error ? reject(error) : resolve(),
      );
    });
  }

  fleet(args: readonly string[], input?: string): Promise<Ran> {
    return runFleetProgram(['--instance', this.#instance, ...args], { HOME: this.#home }, input);
  }

  /** No controller is there any more. */
  stop(): void {
    this.#server.forceShutdown();
    rmSync(this.#paths.adminSocket, { force: true });
  }

  dispose(): void {
    this.stop();
    rmSync(this.#paths.run, { recursive: true, force: true });
    rmSync(this.#home, { recursive: true, force: true });
  }
}
