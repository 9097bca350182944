#!/usr/bin/env node
import { existsSync } from 'node:fs';

// A checkout runs its TypeScript sources, an installed package what was built from them.
const inCheckout = existsSync(new URL('../src/cli/main.ts', import.meta.url));
if (inCheckout) (await import('tsx/esm/api')).register();
const { main } = await import(inCheckout ? '../src/cli/main.ts' : '../dist/src/cli/main.js');
await main(process.argv);
