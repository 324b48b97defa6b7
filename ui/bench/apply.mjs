// Prints {"applyMsP99": x}: builds the page's own code and measures it in this JavaScript engine.

import { build } from 'vite';

const built = await build({
  configFile: false,
  logLevel: 'silent',
  build: { ssr: 'bench/entry.ts', write: false, target: 'node20' },
});
const code = built.output[0].code;
const { applyP99 } = await import(`data:text/javascript;base64,${Buffer.from(code).toString('base64')}`);
console.log(JSON.stringify({ applyMsP99: Math.round(applyP99() * 1000) / 1000 }));
