// Whether the contracts of this run are instrumented: then gas means nothing, and tests of it are left out.

/** Folder with the instrumented artifacts, where what was reached is written; unset in an ordinary run. */
export const coverageDir = process.env.ATTESTREAM_COVERAGE_DIR
export const instrumented = coverageDir !== undefined
