import { defineConfig } from 'vitest/config';

/** Three kinds of test: rules beside the code, edges on real parts, stories of whole processes. */
export default defineConfig({
  resolve: { tsconfigPaths: true },
  test: {
    env: { TZ: 'UTC' },
    maxWorkers: 2,
    setupFiles: ['test/support/property-seed.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{apps,libs,test}/**/*.spec.ts'],
          exclude: ['**/*.edge.spec.ts', '**/node_modules/**', '**/dist/**'],
        },
      },
      {
        extends: true,
        test: {
          name: 'edge',
          include: ['{apps,libs,test}/**/*.edge.spec.ts'],
          globalSetup: ['test/support/broker.setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'story',
          include: ['test/**/*.e2e-spec.ts'],
          globalSetup: ['test/support/broker.setup.ts'],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'crash',
          include: ['test/**/*.crash-spec.ts'],
          globalSetup: ['test/support/broker.setup.ts'],
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
