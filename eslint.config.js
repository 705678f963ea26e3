import { builtinModules } from 'node:module';

import tseslint from 'typescript-eslint';

/** Imports that would turn the flow of data round: client → workflows → activities → stores, reader, warehouse. */
const never = (files, folders, message) => ({
  files: files.map((folder) => `${folder}/**/*.ts`),
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: folders.map((folder) => ({ group: [`**/${folder}/**`], allowTypeImports: true, message })),
      },
    ],
  },
});

const nodeBuiltins = [...builtinModules, 'node:*'];

export default tseslint.config(
  { ignores: ['dist', 'node_modules', 'test/support/reporter.cjs'] },
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/only-throw-error': 'off',
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Name what you export.' },
        { selector: 'ExportAllDeclaration', message: 'No barrel files.' },
      ],
      // State that changes while we wait is what most conditions here are about.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/use-unknown-in-catch-callback-variable': 'off',
      '@typescript-eslint/dot-notation': ['error', { allowIndexSignaturePropertyAccess: true }],
      'object-shorthand': 'error',
      eqeqeq: 'error',
    },
  },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-floating-promises': ['error', { allowForKnownSafeCalls: [] }],
    },
  },
  never(
    ['vendors'],
    ['config', 'stores', 'reader', 'warehouse', 'activities', 'workflows', 'worker', 'client', 'sandbox'],
    'vendors/ is pure: it imports only types.',
  ),
  never(
    ['stores', 'reader', 'warehouse'],
    ['activities', 'workflows', 'worker', 'client', 'sandbox'],
    'Data flows one way.',
  ),
  never(['receiver'], ['activities', 'workflows', 'worker', 'client', 'sandbox'], 'Data flows one way.'),
  never(['activities'], ['workflows', 'worker', 'client', 'sandbox'], 'Data flows one way.'),
  {
    files: ['workflows/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: nodeBuiltins.map((name) => ({ name, message: 'Workflows do no I/O.' })),
          patterns: [
            'config',
            'stores',
            'reader',
            'warehouse',
            'activities',
            'worker',
            'client',
            'sandbox',
          ].map((folder) => ({
            group: [`**/${folder}/**`],
            allowTypeImports: true,
            message: 'Workflows do no I/O.',
          })),
        },
      ],
    },
  },
  { files: ['**/*.js', '**/*.mjs'], ...tseslint.configs.disableTypeChecked },
  { files: ['*.config.js'], rules: { 'no-restricted-syntax': 'off' } },
);
