/** Defined where the build joins modules (scripts/join-modules.mjs). */
declare const JOINED: true | undefined

/** Undefined where a bundler has made CommonJS of this, which `runs/version.ts` then refuses. */
const HERE = import.meta.url ?? 'file:///'

/**
 * Folder of the running code: `dist/src/`, or `dist/lib/`, where the build joins modules into fewer files. Files of the
 * package are located from here, because a joined module has lost its own location.
 */
export const CODE = new URL('./', HERE)

/** Folder of the entry points of threads and processes, compiled in the same way. */
export const WORKERS = new URL(typeof JOINED === 'undefined' ? '../workers/' : './workers/', HERE)
