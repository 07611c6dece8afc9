/** A verb in this process, for daemons at paths that no environment of a program could name. */
import { Writable } from 'node:stream';
import { askedPaths } from '../../src/cli/asked-paths.ts';
import { specs } from '../../src/cli/commands/specs.ts';
import { exitCodeOf } from '../../src/cli/exit-codes.ts';
import { parseCommandLine } from '../../src/cli/parse.ts';
import { UsageError } from '../../src/cli/usage-error.ts';
import { FleetError } from '../../src/domain/errors.ts';
import type { Paths } from '../../src/runtime/paths.ts';
import type { Ran } from './fleet-program.ts';

export class RunningCommand {
  readonly ended: Promise<Ran>;
  readonly #over = new AbortController();
  #stdout = '';
  #stderr = '';

  constructor(paths: Paths, ...argv: string[]) {
    this.ended = this.#run(paths, argv);
  }

  /** What has come so far. */
  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** As ctrl-c. */
  leave(): Promise<Ran> {
    this.#over.abort('SIGINT');
    return this.ended;
  }

  async #run(paths: Paths, argv: readonly string[]): Promise<Ran> {
    const code = await this.#code(paths, argv);
    return { code, stdout: this.#stdout, stderr: this.#stderr };
  }

  async #code(paths: Paths, argv: readonly string[]): Promise<number> {
    try {
      const parsed = parseCommandLine(argv, specs);
      if (parsed.kind === 'help') throw new Error('asked for help');
      const { positionals, flags, spec } = parsed;
      const stderr = sinkOf((text) => {
        this.#stderr += text;
      });
      return await (await spec.load()).run({
        positionals,
        flags,
        paths: askedPaths(parsed, paths, { env: {}, stderr }),
        named: parsed.context,
        env: {},
        stdin: process.stdin,
        stdout: sinkOf((text) => {
          this.#stdout += text;
        }),
        stderr,
        signal: this.#over.signal,
      });
    } catch (error) {
      if (!(error instanceof FleetError) && !(error instanceof UsageError)) throw error;
      this.#stderr += `fleet: ${error.message}\n`;
      return error instanceof FleetError ? exitCodeOf[error.code] : 2;
    }
  }
}

const sinkOf = (take: (text: string) => void): NodeJS.WriteStream =>
  new Writable({
    write: (chunk, _encoding, done) => {
      take(String(chunk));
      done();
    },
  }) as unknown as NodeJS.WriteStream;

export const runCommand = (paths: Paths, ...argv: string[]): Promise<Ran> => new RunningCommand(paths, ...argv).ended;
