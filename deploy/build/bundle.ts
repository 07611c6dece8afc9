/**
 * Comes in: the entry points of the checkout. Goes out: `lib/*.mjs`, shared chunks beside them, so that what is
 * heavy is loaded only by the verb that needs it. Nothing is resolved from node_modules at run time.
 */
import { build } from 'esbuild';
import { packageDirname, SHIPPED_LIB } from './package-dirname.ts';

/** Name of the file in `lib/` to the module that it starts with. */
const ENTRY_POINTS = {
  fleet: 'src/cli/main.ts',
  'host-agent': 'host-agent/main.ts',
  controller: 'controller/main.ts',
  launch: 'host-agent/launch/main.ts',
  reach: 'src/cli/install/reach.ts',
} as const;

// CommonJS packages inside an ES module call `require` for Node's own modules.
const BANNER = [
  `import { createRequire as __createRequire } from 'node:module';`,
  `const require = __createRequire(import.meta.url);`,
  `const ${SHIPPED_LIB} = import.meta.dirname;`,
].join('');

/** Throws esbuild's BuildFailure with its own message when a module does not build. */
export const bundle = async (root: string, lib: string): Promise<void> => {
  // What a program shares with another is cut into a file of its own, and each file costs a start: `fleet`, which
  // is started all day, shares with none.
  const { fleet, ...others } = ENTRY_POINTS;
  await Promise.all([bundleTogether(root, lib, { fleet }), bundleTogether(root, lib, others)]);
};

const bundleTogether = async (root: string, lib: string, entryPoints: Record<string, string>): Promise<void> => {
  await build({
    absWorkingDir: root,
    entryPoints,
    outdir: lib,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    outExtension: { '.js': '.mjs' },
    chunkNames: 'chunk-[hash]',
    banner: { js: BANNER },
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    logLevel: 'warning',
    plugins: [packageDirname],
  });
};
