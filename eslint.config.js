import eslint from '@eslint/js'
import tseslint from 'typescript-eslint'
import { defineConfig, globalIgnores } from 'eslint/config'
import hatrpo from './scripts/lint/determinism.mjs'

export default defineConfig(
  globalIgnores(['dist/', 'assembly/generated/', 'runs/', 'out/', 'test/golden/', 'docs/results/']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },

  {
    name: 'every language',
    files: ['**/*.ts', '**/*.js', '**/*.mjs', '**/*.cjs'],
    rules: {
      'no-warning-comments': ['error', { terms: ['todo', 'fixme', 'xxx'], location: 'start' }],
      'no-var': 'error',
      'prefer-const': 'error',
    },
  },

  {
    name: 'TypeScript, with types',
    files: ['**/*.ts'],
    ignores: ['assembly/**'],
    extends: [eslint.configs.recommended, tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'object-shorthand': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', name: ['test', 'it', 'describe', 'suite'], package: 'node:test' },
          ],
        },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true, allowArray: true, allowNullish: false },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      // Callbacks and the exports of compiled modules are declared as methods and are plain functions.
      '@typescript-eslint/unbound-method': 'off',
      // An async function without an await still turns a throw into a rejection, which interfaces rely on.
      '@typescript-eslint/require-await': 'off',
    },
  },

  {
    // A failing test's message shows whatever it found.
    name: 'tests',
    files: ['test/**/*.ts'],
    rules: { '@typescript-eslint/restrict-template-expressions': 'off' },
  },

  {
    name: 'the library does not print',
    files: ['src/**/*.ts', 'workers/**/*.ts'],
    ignores: ['src/cli/**'],
    rules: { 'no-console': 'error' },
  },

  {
    // A longer function has a directive that disables the rule, with its reason.
    name: 'files and functions that fit a reader',
    files: ['src/**/*.ts', 'workers/**/*.ts'],
    rules: {
      'max-lines': ['error', 400],
      'max-lines-per-function': ['error', 60],
    },
  },
  {
    name: 'one kind of privacy',
    files: ['{src,workers,scripts,bench,examples}/**/*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: ':matches(PropertyDefinition, MethodDefinition, AccessorProperty)[accessibility]',
          message:
            'Private members are #private; a constructor that is not to be called says what to call instead.',
        },
      ],
    },
  },

  {
    name: 'plain JavaScript',
    files: ['**/*.js', '**/*.mjs', '**/*.cjs'],
    extends: [eslint.configs.recommended],
    languageOptions: {
      globals: Object.fromEntries(Object.getOwnPropertyNames(globalThis).map((name) => [name, 'readonly'])),
    },
    rules: { eqeqeq: 'error' },
  },
  { files: ['**/*.cjs'], languageOptions: { globals: { module: 'writable', require: 'readonly' } } },

  {
    // AssemblyScript has TypeScript's syntax and its own types: it is parsed, never type-checked.
    name: 'AssemblyScript',
    files: ['assembly/**/*.ts'],
    languageOptions: { parser: tseslint.parser },
    plugins: { '@typescript-eslint': tseslint.plugin },
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-constant-condition': ['error', { checkLoops: false }],
      'no-dupe-else-if': 'error',
      'no-duplicate-case': 'error',
      'no-self-assign': 'error',
      'no-unreachable': 'error',
      'no-unused-labels': 'error',
    },
  },

  {
    // The reference device is the oracle that kernels are compared with: it promises accuracy instead of bits, and may not
    // share the kernels' elementary functions.
    name: 'same seed, same bits',
    files: ['src/**/*.ts', 'workers/**/*.ts', 'assembly/**/*.ts'],
    ignores: ['src/cli/**', 'src/web/**', 'src/report/**', 'src/devices/reference/**'],
    plugins: { hatrpo },
    rules: { 'hatrpo/exact-math': 'error' },
  },
)
