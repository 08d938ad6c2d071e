/**
 * Folder of the code that runs: `dist/src/`, or `dist/lib/`, where the build joins modules into fewer files. Files of the
 * package are found from here, because a module that was joined with others does not know its own place any more.
 */
export const CODE = new URL('./', import.meta.url)
