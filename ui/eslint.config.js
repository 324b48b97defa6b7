// Rules that a reviewer should not have to watch for: no `any`, no clock outside the two places that may read one.
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import tseslint from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

const clocks = [
  { object: 'Date', property: 'now', message: 'Time on the screen comes from the frame (`at`), never from this PC.' },
  { object: 'performance', property: 'now', message: 'Only platform/ and session/ pace themselves.' },
];

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'src/generated/'] },
  ...tseslint.configs.strict,
  ...svelte.configs.recommended,
  {
    languageOptions: { globals: { ...globals.browser } },
    rules: {
      'no-restricted-properties': ['error', ...clocks],
      'no-restricted-syntax': [
        'error',
        { selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message: 'Time comes from the frame.' },
      ],
      'no-restricted-imports': ['error', { patterns: ['@tauri-apps/*'] }],
      'no-console': 'error',
      'svelte/no-navigation-without-resolve': 'off',
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: tseslint.parser, extraFileExtensions: ['.svelte'], svelteConfig } },
  },
  { files: ['src/platform/**'], rules: { 'no-restricted-properties': 'off', 'no-restricted-imports': 'off' } },
  { files: ['src/session/puller.ts', 'src/session/reports.ts'], rules: { 'no-restricted-properties': 'off' } },
  {
    files: ['bench/**', 'tools/**', '*.js', '*.ts'],
    languageOptions: { globals: { ...globals.node } },
    rules: { 'no-restricted-properties': 'off', 'no-console': 'off' },
  },
);
