/** A text in the person's own editor, in a file of theirs that stays until what it says has been taken. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { cleanText } from '../../domain/clean-text.ts';
import { FleetError } from '../../domain/errors.ts';
import { shellWord } from '../../runtime/quote.ts';
import type { CommandContext } from '../command.ts';
import { UsageError } from '../usage-error.ts';

export class EditedText {
  readonly path: string;
  readonly #context: CommandContext;
  readonly #before: string;

  private constructor(context: CommandContext, path: string, before: string) {
    this.#context = context;
    this.path = path;
    this.#before = before;
  }

  /** `named` is the file's name, so that an editor knows what it is. */
  static async open(context: CommandContext, what: string, named: string, text: string): Promise<EditedText> {
    const folder = await mkdtemp(join(tmpdir(), 'fleet-edit-'));
    const path = join(folder, basename(named));
    await writeFile(path, text, { mode: 0o600 });
    context.stderr.write(`${cleanText(what)}: ${path}\n`);
    return new EditedText(context, path, text);
  }

  /** The editor opens again for as long as the text is wrong and the person wants to; null: it is as it was. */
  async until<T>(check: (text: string) => T): Promise<T | null> {
    for (;;) {
      await this.#edit();
      const text = await readFile(this.path, 'utf8');
      if (text === this.#before) return null;
      try {
        return check(text);
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
        if (!(await this.#wantsAgain(error.message))) throw error;
      }
    }
  }

  async remove(): Promise<void> {
    await rm(dirname(this.path), { recursive: true, force: true });
  }

  sayKept(): void {
    this.#context.stderr.write(`what you wrote is kept: ${this.path}\n`);
  }

  async #wantsAgain(problem: string): Promise<boolean> {
    const { stdin, stderr, signal } = this.#context;
    using lines = createInterface({ input: stdin, output: stderr });
    const answer = await lines.question(`${cleanText(problem)}\nedit it again? [Y/n] `, { signal });
    return !/^n(o)?$/i.test(answer.trim());
  }

  /** VISUAL and EDITOR may hold words of their own, so a shell reads them. */
  async #edit(): Promise<void> {
    const { env } = this.#context;
    const editor = env.VISUAL || env.EDITOR || 'vi';
    const child = spawn('/bin/sh', ['-c', `${editor} ${shellWord(this.path)}`], { stdio: 'inherit' });
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', resolve);
    });
    if (code !== 0) throw new FleetError('ABORTED', `${cleanText(editor)} ended with ${code}: nothing was changed`);
  }
}
