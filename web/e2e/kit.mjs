// What the end-to-end scripts share: a real server in an empty directory, a browser, and a few ways to look and wait.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const here = dirname(fileURLToPath(import.meta.url));
const BIN = resolve(process.env.PULSE_BIN ?? join(here, '../../target/debug/pulse'));
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const SLOW_MS = 20_000;

export const SHOTS = process.env.E2E_SHOTS ?? (await mkdtemp(join(tmpdir(), 'pulse-shots-')));
await mkdir(SHOTS, { recursive: true });

export function check(condition, message) {
  if (!condition) throw new Error(message);
}

export function equal(got, wanted, message) {
  const [a, b] = [JSON.stringify(got), JSON.stringify(wanted)];
  if (a !== b) throw new Error(`${message}\n  wanted ${b}\n  got    ${a}`);
}

/** Waits until `look` gives something true, and returns it. */
export async function until(look, what, ms = SLOW_MS) {
  const end = Date.now() + ms;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (Date.now() > end) throw new Error(`${what}: not within ${ms / 1000} s`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** The environment without settings of PULSE: the server refuses those it does not know, such as PULSE_BIN. */
function plainEnv() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PULSE_')));
}

/** `pulse up` on a port and directory of its own. */
export class Server {
  token = randomBytes(18).toString('hex');
  port = 0;
  link = '';
  #child = null;
  #data = '';

  static async start() {
    const server = new Server();
    server.#data = await mkdtemp(join(tmpdir(), 'pulse-e2e-'));
    await server.up();
    return server;
  }

  get origin() {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts it (again: on the same port and data) and waits for a worker that takes commands. */
  async up({ worker = true } = {}) {
    const child = spawn(BIN, ['up', '--listen', `127.0.0.1:${this.port}`, '--data', this.#data], {
      cwd: this.#data,
      env: { ...plainEnv(), PULSE_ADMIN_TOKEN: this.token, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    let said = '';
    const hear = (data) => (said += data);
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    const link = await until(() => {
      if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}:\n${said}`);
      return /https?:\/\/[^\s]+:(\d+)\/sign-in#code=\S+/.exec(said);
    }, `a sign-in link in the server's words`);
    this.link = link[0];
    this.port = Number(link[1]);
    if (worker) await until(async () => (await this.get('/api/workers')).items.some((item) => item.status === 'online'), 'a worker online');
  }

  /** The hard way: no goodbye. */
  async kill() {
    const child = this.#child;
    const gone = new Promise((done) => child.once('exit', done));
    child.kill('SIGKILL');
    await gone;
  }

  async stop() {
    if (this.#child?.exitCode === null && this.#child.signalCode === null) await this.kill();
    await rm(this.#data, { recursive: true, force: true, maxRetries: 5 });
  }

  get(path) {
    return this.#call('GET', path);
  }

  post(path, body) {
    return this.#call('POST', path, body);
  }

  async text(path) {
    return (await fetch(this.origin + path, { headers: { authorization: `Bearer ${this.token}` } })).text();
  }

  /** Stores a workflow given as an object: JSON is YAML. */
  async workflow(name, definition) {
    return this.post('/api/workflows', { name, description: definition.description ?? '', definition: JSON.stringify({ name, ...definition }) });
  }

  async #call(method, path, body) {
    const response = await fetch(this.origin + path, {
      method,
      headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  }
}

export async function openBrowser() {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
}

/** A page in a context of its own that remembers whatever went wrong in it. */
export async function openPage(browser, { width = 1280, height = 900 } = {}) {
  const context = await browser.newContext({ viewport: { width, height } });
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const page = await context.newPage();
  page.setDefaultTimeout(SLOW_MS);
  page.wrongs = [];
  page.on('pageerror', (error) => page.wrongs.push(`error: ${error.stack ?? error.message}`));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => console.error(`policy: ${event.violatedDirective} at ${event.sourceFile}:${event.lineNumber}`));
  });
  page.on('console', (message) => {
    // The browser itself logs requests that fail; those are the application's to handle, and looked at in its pages.
    if (message.type() === 'error' && !/Failed to load resource|WebSocket connection to/.test(message.text())) page.wrongs.push(`console: ${message.text().slice(0, 200)}`);
  });
  page.on('dialog', (dialog) => {
    page.wrongs.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return page;
}

export async function signIn(page, server) {
  const response = await page.request.post(`${server.origin}/api/session`, { data: { token: server.token }, headers: { origin: server.origin } });
  check(response.ok(), `signing in by token: ${response.status()} ${await response.text()}`);
}

/** Saves the page at both widths; nothing may stick out. The caret stays: hiding it takes a style that the policy refuses. */
export async function shoot(page, name) {
  const before = page.viewportSize();
  for (const width of [1280, 380]) {
    await page.setViewportSize({ width, height: width === 380 ? 800 : 900 });
    await page.waitForTimeout(250);
    await page.screenshot({ path: join(SHOTS, `${name}-${width}.png`), fullPage: (await page.locator('dialog[open]').count()) === 0, caret: 'initial' });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    check(wide <= width, `${name}: ${wide} px wide at a width of ${width} px`);
  }
  await page.setViewportSize(before);
}

/** What the terminal shows on its screen. */
export function screen(page) {
  return page.evaluate(() => [...document.querySelectorAll('[data-testid=terminal] .xterm-rows > div')].map((row) => row.textContent.trimEnd()).join('\n'));
}

/** All of the terminal's text, by its copy button. */
export async function copied(page) {
  await page.evaluate(() => navigator.clipboard.writeText(''));
  await page.getByRole('button', { name: 'Copy', exact: true }).click();
  return until(() => page.evaluate(() => navigator.clipboard.readText()), 'text in the clipboard');
}

export function shownSeqs(page) {
  return page.locator('[data-testid=log] > li').evaluateAll((items) => items.map((item) => Number(item.dataset.seq)));
}

export function status(page) {
  return page.locator('main header[data-status]').first().getAttribute('data-status');
}

export const ENDED = ['completed', 'failed', 'aborted'];
