/**
 * The imports of the project's own source files, read from their text: fast, and without running anything. Relies on the
 * formatter: an import or export begins a line.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, normalize } from 'node:path';

export interface Import {
  /** Importing file, from the project's root. */
  from: string;
  /** Imported file from the project's root, or the name of a package or builtin (`node:fs`). */
  to: string;
  kind: 'file' | 'package' | 'builtin';
  /** Erased before it runs. */
  typeOnly: boolean;
  /** Runs only when the line is reached. */
  dynamic: boolean;
}

const STATIC = /^(?:import|export)\s+(type\s)?(?:[^'"`;]*?\sfrom\s+)?['"]([^'"]+)['"]/gm;
const DYNAMIC = /\bimport\(\s*(?:['"]([^'"]+)['"]|([^)]*))/g;

/** All `.ts` files below these folders, generated ones too. */
export const sourceFiles = (root: string, folders: readonly string[]): string[] =>
  folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(folder, name))
      .sort(),
  );

/** Throws for a dynamic import whose target is not written out: nobody could check it. */
export const importsOf = (root: string, file: string): Import[] => {
  const text = withoutComments(readFileSync(join(root, file), 'utf8'));
  const found = [...text.matchAll(STATIC)].map((match) => {
    return { ...target(file, match[2]!), typeOnly: match[1] !== undefined, dynamic: false };
  });
  const later = [...text.matchAll(DYNAMIC)].map((match) => {
    if (match[1] === undefined) throw new Error(`${file}: import(${match[2]}) has no literal target`);
    return { ...target(file, match[1]), typeOnly: false, dynamic: true };
  });
  return [...found, ...later];
};

const target = (file: string, specifier: string): Pick<Import, 'from' | 'to' | 'kind'> => {
  if (specifier.startsWith('.')) {
    const to = normalize(join(dirname(file), specifier));
    return { from: file, to, kind: 'file' };
  }
  if (isBuiltin(specifier)) return { from: file, to: specifier, kind: 'builtin' };
  const parts = specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1);
  return { from: file, to: parts.join('/'), kind: 'package' };
};

const withoutComments = (text: string): string =>
  text.replace(/^\s*\/\*[\s\S]*?\*\//gm, '').replace(/^\s*\/\/.*$/gm, '');
