// Builds the page for both hosts: everything in ui/dist, nothing from elsewhere.
import { svelte } from '@sveltejs/vite-plugin-svelte';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** Made-up data must never reach a plant: the build fails when the fake platform is in the bundle. */
function noFakeData(): Plugin {
  return {
    name: 'no-fake-data',
    apply: 'build',
    generateBundle(_, bundle) {
      for (const chunk of Object.values(bundle)) {
        if (chunk.type === 'chunk' && chunk.moduleIds.some((id) => id.includes('/platform/fake'))) {
          this.error(`${chunk.fileName} contains the fake platform`);
        }
      }
    },
  };
}

export default defineConfig(({ mode }) => ({
  plugins: [svelte(), noFakeData()],
  // Svelte's client side, not its server side, is what the tests mount.
  resolve: mode === 'test' ? { conditions: ['browser'] } : {},
  build: { target: 'es2022', assetsInlineLimit: 0, chunkSizeWarningLimit: 400 },
  test: { environment: 'happy-dom', include: ['src/**/*.test.ts'] },
}));
