// Runs on any Node, so it must not use anything younger than Node 18.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 13)) {
  console.error(
    `Node ${process.versions.node} is too old: this project needs 22.13 or newer and pins Node 24 as an optional dependency. ` +
      'Run "npm ci" without --omit=optional and without --ignore-scripts, or install Node 24.',
  );
  process.exit(1);
}
