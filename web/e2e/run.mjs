// Runs the end-to-end scripts one after another against a real server: `npm run e2e [-- NAME…]`.
// PULSE_BIN: the binary. E2E_SHOTS: where screenshots go. CHROMIUM: the browser.
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { SHOTS } from './kit.mjs';

const here = join(dirname(fileURLToPath(import.meta.url)), 'scripts');
const wanted = process.argv.slice(2);
const files = (await readdir(here)).filter((file) => file.endsWith('.mjs') && (wanted.length === 0 || wanted.some((name) => file.includes(name)))).sort();
let passed = 0;
let failed = 0;

for (const file of files) {
  const { default: tests } = await import(pathToFileURL(join(here, file)).href);
  for (const [name, test] of Object.entries(tests)) {
    const start = Date.now();
    try {
      await test();
      passed += 1;
      console.log(`ok      ${name} (${((Date.now() - start) / 1000).toFixed(1)} s)`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED  ${name}\n${error.stack}`);
    }
  }
}
console.log(`screenshots: ${SHOTS}`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
