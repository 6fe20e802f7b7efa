// Lets `node --experimental-transform-types --import` run a source file of this repository as it is: `.js` imports mean `.ts`,
// `@libs/x` means its index. For test processes only: they must not depend on a build.
import { existsSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

const libs = new URL('../../../', import.meta.url);

registerHooks({
  resolve(specifier, context, next) {
    if (specifier.startsWith('@libs/')) return next(new URL(`${specifier.slice(6)}/src/index.ts`, libs).href, context);
    if (specifier.startsWith('.') && specifier.endsWith('.js')) {
      const source = new URL(specifier.replace(/\.js$/, '.ts'), context.parentURL);
      if (existsSync(fileURLToPath(source))) return next(source.href, context);
    }
    return next(specifier, context);
  },
});
