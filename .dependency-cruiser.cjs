// The direction of imports (docs/architecture.md §1). Each rule names what must not be reached and why.

const verbs = '^engine/(ingest|sequence|publish|execute|prove|settle|verify)\\.ts$'

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'core-is-pure',
      comment: 'core imports itself and pure cryptography only',
      severity: 'error',
      from: { path: '^engine/core/' },
      to: { pathNot: '^(engine/core/|node_modules/@noble/)' },
    },
    {
      name: 'verbs-never-import-each-other',
      comment: 'types excepted: what flows between verbs is a core type',
      severity: 'error',
      from: { path: verbs },
      to: { path: verbs, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'only-engine-ts-names-adapters',
      severity: 'error',
      from: { path: '^engine/(?!engine\\.ts|index\\.ts)', pathNot: '^engine/(da|prover|chain|store|runner)/' },
      to: { path: '^engine/(da|prover|chain|store|runner)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'adapters-never-import-each-other',
      severity: 'error',
      from: { path: '^engine/(da|prover|chain|store|runner)/' },
      to: {
        path: '^engine/(da|prover|chain|store|runner)/',
        pathNot: '^engine/$1/',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'engine-knows-no-surface',
      severity: 'error',
      from: { path: '^engine/' },
      to: { path: '^(api|cli|sdk|dashboard|test|bench)/' },
    },
    {
      name: 'circuits-need-core-only',
      comment: 'core, and the WebAssembly kernel, which is arithmetic and knows nothing of the engine',
      severity: 'error',
      from: { path: '^circuits/' },
      to: {
        path: '^(engine/(?!core/)|api|cli|sdk|contracts|test|bench)',
        pathNot: '^engine/prover/wasm/(compile|kernel)\\.ts$',
      },
    },
    {
      name: 'sdk-is-light',
      comment:
        'the device SDK reaches engine/core and nothing else of the project, no node:*, no server or prover package',
      severity: 'error',
      from: { path: '^sdk/' },
      to: { pathNot: '^(sdk/|engine/core/|node_modules/@noble/)' },
    },
    {
      name: 'api-through-the-door',
      severity: 'error',
      from: { path: '^api/' },
      to: { path: '^(engine/(?!index\\.ts|core/)|circuits|contracts|cli|sdk)' },
    },
    {
      name: 'product-without-tests-and-bench',
      severity: 'error',
      from: { pathNot: '^(test|bench)/' },
      to: { path: '^(test|bench)/' },
    },
    {
      name: 'no-undeclared-packages',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'unknown', 'undetermined'] },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(build|\\.attestream|engine/prover/wasm/kernel)/' },
  },
}
