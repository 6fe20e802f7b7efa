// The import rules of docs/style: which folder may know which. Checked by `npm run imports`.
const lib = (names) => `^libs/(?:${names.join('|')})/`;

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-cycle', severity: 'error', from: {}, to: { circular: true } },
    { name: 'lib-never-imports-app', severity: 'error', from: { path: '^libs/' }, to: { path: '^apps/' } },
    {
      name: 'app-never-imports-app',
      comment: 'Apps meet only on topics; standalone composes the others.',
      severity: 'error',
      from: { path: '^apps/([^/]+)/', pathNot: '^apps/standalone/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'pure-libs',
      comment: 'contracts and mapping know neither our other libs nor Nest, Kafka, HTTP or node I/O.',
      severity: 'error',
      from: { path: lib(['contracts', 'mapping']), pathNot: '\\.spec\\.ts$' },
      to: {
        path: [
          '^libs/(?!contracts/|mapping/)',
          '^node_modules/(@nestjs|kafkajs|jsforce|faye|undici|pino)',
          '^(fs|net|http|https|child_process)(/|$)',
        ],
      },
    },
    {
      name: 'contracts-know-nothing',
      severity: 'error',
      from: { path: lib(['contracts']) },
      to: { path: '^libs/(?!contracts/)' },
    },
    {
      name: 'edges-are-strangers',
      comment: 'event-log, salesforce and iterable do not know each other.',
      severity: 'error',
      from: { path: '^libs/(event-log|salesforce|iterable)/' },
      to: { path: '^libs/(event-log|salesforce|iterable)/', pathNot: '^libs/$1/' },
    },
    {
      name: 'core-is-pure',
      severity: 'error',
      from: { path: '^apps/[^/]+/src/core/', pathNot: '\\.spec\\.ts$' },
      to: {
        path: [
          '^libs/(?!contracts/|mapping/)',
          '^apps/[^/]+/src/(?!core/)',
          '^node_modules/(@nestjs|kafkajs|jsforce|faye|pino|prom-client)',
        ],
      },
    },
    {
      name: 'bare-lib-names',
      comment: 'A lib is imported as @libs/<name>, never by an inner path.',
      severity: 'error',
      from: { path: '^(apps|test)/' },
      to: { path: '^libs/[^/]+/src/(?!index\\.ts$)' },
    },
    {
      name: 'only-event-log-knows-kafkajs',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: ['^libs/event-log/', '\\.spec\\.ts$'] },
      to: { path: '^node_modules/kafkajs' },
    },
    {
      name: 'only-salesforce-knows-jsforce-and-faye',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: ['^libs/salesforce/', '^apps/sandbox/', '\\.spec\\.ts$'] },
      to: { path: '^node_modules/(jsforce|faye)' },
    },
    {
      name: 'sandbox-is-a-stranger',
      comment: 'Product code never knows that it talks to the sandbox.',
      severity: 'error',
      from: { path: '^apps/sandbox/' },
      to: { path: '^libs/(?!config/|contracts/)' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.mjs', '.cjs', '.json'],
    },
  },
};
