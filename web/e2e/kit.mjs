// What the end-to-end scripts share: a real server in an empty directory, a browser, and a few ways to look and wait.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { chromium } from 'playwright-core';

const here = dirname(fileURLToPath(import.meta.url));
const BIN = resolve(process.env.PULSE_BIN ?? join(here, '../../target/debug/pulse'));
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
/** How long anything may take that is not meant to take time: long, for a machine that has other things to do. */
const SLOW_MS = 30_000;
const ENDED = ['completed', 'failed', 'aborted'];
/** How long a program gets to end by itself. */
const STOP_MS = 10_000;

export const SHOTS = process.env.E2E_SHOTS ?? (await mkdtemp(join(tmpdir(), 'pulse-shots-')));
await mkdir(SHOTS, { recursive: true });

export function check(condition, message) {
  if (!condition) throw new Error(message);
}

export function equal(got, wanted, message) {
  const [a, b] = [JSON.stringify(got), JSON.stringify(wanted)];
  if (a !== b) throw new Error(`${message}\n  wanted ${b}\n  got    ${a}`);
}

/** Bytes as they travel. */
export function gzipped(text) {
  return gzipSync(text, { level: 9 }).length;
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

// What still runs when the scripts end too early ends with them.
const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));

function start(args, options) {
  const child = spawn(BIN, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options, env: { ...plainEnv(), NO_COLOR: '1', ...options.env } });
  running.add(child);
  child.gone = new Promise((done) => child.once('exit', done)).then(() => running.delete(child));
  child.said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (child.said += data));
  child.check = () => {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`pulse ${args[0]} ended with ${child.exitCode ?? child.signalCode}:\n${child.said}`);
  };
  return child;
}

/** Asks a program to end, and ends it when it does not. */
async function stop(child) {
  child.kill('SIGCONT');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await child.gone;
  clearTimeout(timer);
}

/** `pulse up` on a port and directory of its own, and workers beside it if wanted. */
export class Server {
  token = randomBytes(18).toString('hex');
  port = 0;
  link = '';
  #child = null;
  #workers = [];
  #data = '';
  #env = {};

  static async start(env) {
    const server = new Server();
    server.#env = env;
    server.#data = await mkdtemp(join(tmpdir(), 'pulse-e2e-'));
    await server.up();
    return server;
  }

  /** The last that the server said: for a failure's report. */
  get words() {
    return this.#child.said.trimEnd().split('\n').slice(-8).join('\n');
  }

  get origin() {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts it (again: on the same port and data) and waits until its own worker takes commands. */
  async up() {
    const child = start(['up', '--listen', `127.0.0.1:${this.port}`, '--data', this.#data], { cwd: this.#data, env: { PULSE_ADMIN_TOKEN: this.token, ...this.#env } });
    this.#child = child;
    const link = await until(() => {
      child.check();
      return /https?:\/\/[^\s]+:(\d+)\/sign-in#code=\S+/.exec(child.said);
    }, `a sign-in link in the server's words`);
    this.link = link[0];
    this.port = Number(link[1]);
    await this.#online(1 + this.#workers.length);
  }

  /** One more worker, in a process of its own. */
  async worker(name, { capacity } = {}) {
    const key = (await readFile(join(this.#data, 'worker.key'), 'utf8')).trim();
    const state = join(this.#data, `state-${name}`);
    const child = start(['worker'], { cwd: this.#data, env: { PULSE_SERVER: this.origin, WORKER_API_KEY: key, WORKER_NAME: name, PULSE_WORKER_STATE: state, ...(capacity && { MAX_CONCURRENT_TASKS: String(capacity) }) } });
    this.#workers.push(child);
    child.worker = name;
    await this.#online(1 + this.#workers.length, child.check);
  }

  /** Stops a worker's agent in its tracks: its connection stays, and nothing is heard of it. */
  pause(name) {
    this.#workers.find((child) => child.worker === name).kill('SIGSTOP');
  }

  /** Lets it go on. */
  resume(name) {
    this.#workers.find((child) => child.worker === name).kill('SIGCONT');
  }

  /** Ends the worker that was added last. */
  dropWorker() {
    return stop(this.#workers.pop());
  }

  async #online(count, check = () => {}) {
    await until(async () => {
      check();
      return (await this.get('/api/workers')).items.filter((item) => item.status === 'online').length >= count;
    }, `${count} online workers`);
  }

  /** The hard way: no goodbye. */
  async kill() {
    this.#child.kill('SIGKILL');
    await this.#child.gone;
  }

  async stop() {
    await Promise.all([...this.#workers, this.#child].filter((child) => running.has(child)).map(stop));
    await rm(this.#data, { recursive: true, force: true, maxRetries: 5 });
  }

  /** A file that commands wait for: they go on once it is opened. */
  gate() {
    const path = join(this.#data, `gate-${randomBytes(4).toString('hex')}`);
    return { path, open: () => writeFile(path, '') };
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

async function openBrowser() {
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

/** A test with a server and a page of its own, in which nothing may go wrong unseen. */
export async function withPage(test, env = {}) {
  const server = await Server.start(env);
  let browser;
  try {
    browser = await openBrowser();
    const page = await openPage(browser);
    try {
      await test({ server, browser, page });
      equal(page.wrongs, [], 'nothing went wrong in the page, the policy included');
    } catch (error) {
      await page.screenshot({ path: join(SHOTS, 'FAILED.png'), caret: 'initial' }).catch(() => {});
      error.stack += `\n--- the server's last words:\n${server.words}`;
      throw error;
    }
  } finally {
    await browser?.close();
    await server.stop();
  }
}

/** Opens the run dialog of a workflow. */
export async function openRunDialog(page, server, name) {
  await page.goto(`${server.origin}/workflows`);
  await page.getByRole('button', { name: `Run ${name}`, exact: true }).click();
  await page.getByRole('dialog').waitFor();
}

/** Starts a workflow by its dialog, and returns the execution's id once its page is there. */
export async function run(page, server, name, params = {}) {
  await openRunDialog(page, server, name);
  for (const [label, value] of Object.entries(params)) await page.getByRole('textbox', { name: label, exact: true }).fill(value);
  await page.getByRole('button', { name: '► Run', exact: true }).click();
  await page.waitForURL(/\/executions\/.+/);
  return page.url().split('/').at(-1);
}

/** Waits for an end, and holds what is shown against what is stored. */
export async function endsAs(page, server, id, wanted) {
  await until(async () => ENDED.includes(await status(page)), 'an end');
  equal(await status(page), wanted, 'the outcome shown');
  const stored = await server.get(`/api/executions/${id}`);
  equal(stored.status, wanted, 'the outcome stored');
  equal(await shownSeqs(page), stored.logs.map((entry) => entry.seq), 'the log shown is the journal, each entry once');
  equal(await shownSteps(page), toldSteps(stored), 'the steps shown are those of the server');
  return stored;
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
  const before = `nothing copied yet ${randomBytes(4).toString('hex')}`;
  await page.evaluate((text) => navigator.clipboard.writeText(text), before);
  await page.getByRole('button', { name: 'Copy', exact: true }).click();
  const read = () => page.evaluate(() => navigator.clipboard.readText());
  let text = '';
  await until(async () => (text = await read()) !== before, 'an answer of the copy button');
  return text;
}

function shownSeqs(page) {
  return page.locator('[data-testid=log] > li').evaluateAll((items) => items.map((item) => Number(item.dataset.seq)));
}

/** Each step and its commands, in the order of their ids: as the page shows them, and as the server tells of them. */
function shownSteps(page) {
  return page.locator('[data-step]').evaluateAll((steps) =>
    steps.map((step) => ({
      id: step.dataset.step,
      status: step.dataset.status,
      commands: [...step.querySelectorAll('[data-command]')].map((command) => [command.dataset.command, command.dataset.worker, command.dataset.status]).sort(),
    })),
  );
}

function toldSteps(view) {
  return view.steps.map(({ id, status, commands }) => ({ id, status, commands: commands.map((command) => [command.id, command.worker, command.status]).sort() }));
}

export function status(page) {
  return page.locator('main header[data-status]').first().getAttribute('data-status');
}
