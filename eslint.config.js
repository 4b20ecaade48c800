import js from '@eslint/js'
import tseslint from 'typescript-eslint'

export default tseslint.config(
  {
    ignores: [
      'node_modules/',
      'build/',
      'coverage/',
      '.attestream/',
      'applets/*.ts',
      'applets/lib/*.ts',
      'bench/reference/',
      'engine/prover/wasm/kernel/',
    ],
  },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': [
        'error',
        { checksVoidReturn: { arguments: false, properties: false } },
      ],
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { varsIgnorePattern: '^_', argsIgnorePattern: '^_' }],
      'max-lines': ['error', { max: 450 }],
    },
  },
  {
    // What the direction check cannot see: the core takes clock, randomness and environment as arguments.
    files: ['engine/core/**'],
    rules: {
      'no-restricted-globals': [
        'error',
        'process',
        'console',
        'Buffer',
        'performance',
        'crypto',
        'fetch',
        'setTimeout',
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now' },
        { object: 'Math', property: 'random' },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'Pass the time in.' },
      ],
    },
  },
  {
    files: ['{engine,circuits,contracts,api,sdk,applets}/**/*.ts'],
    ignores: ['engine/core/**'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Settings come in as arguments.' },
      ],
    },
  },
  { files: ['vendor.d.ts', 'test/**'], rules: { '@typescript-eslint/no-explicit-any': 'off' } },
  { files: ['contracts/abi.ts'], rules: { 'max-lines': 'off' } },
  {
    files: ['**/*.{js,cjs,mjs}'],
    languageOptions: {
      globals: { process: 'readonly', console: 'readonly', TextEncoder: 'readonly', module: 'readonly' },
    },
  },
)
