/** Defined where the build joins modules (scripts/join-modules.mjs). */
declare const JOINED: true | undefined

/** Undefined where a bundler has made CommonJS of this, which `runs/version.ts` then refuses. */
const HERE = import.meta.url ?? 'file:///'

/**
 * Folder of the code that runs: `dist/src/`, or `dist/lib/`, where the build joins modules into fewer files. Files of the
 * package are found from here, because a module that was joined with others does not know its own place any more.
 */
export const CODE = new URL('./', HERE)

/** Folder of the entry points of threads and processes, compiled in the same way. */
export const WORKERS = new URL(typeof JOINED === 'undefined' ? '../workers/' : './workers/', HERE)
