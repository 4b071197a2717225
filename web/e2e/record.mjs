// Records the journals that the dashboard's own tests fold: `node e2e/record.mjs [NAME…]`, then
// `PULSE_UPDATE=1 cargo test -p pulse-server recordings`, which adds what the server shows after each entry.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Server, until } from './kit.mjs';

const FOLDER = join(dirname(fileURLToPath(import.meta.url)), '../src/features/execution/recorded');
const ENDED = ['completed', 'failed', 'aborted'];
const worker = 'web-01';

/** Each: workflows that it starts, its definition, and what is done to it as it runs: answers by what the question says, an abort. */
const RECORDINGS = {
  // Branches with two questions open at once, a retried command, a loop back to a step, a wait.
  branches: {
    definition: {
      steps: [
        {
          id: 'both', name: 'Both sides', type: 'parallel',
          branches: [
            {
              name: 'left',
              steps: [
                { id: 'measure', type: 'execute', targets: worker, command: 'echo DISK_PCT=91; exit 3', retries: 1, retry_delay: 0.2, on_error: 'continue' },
                { id: 'read', type: 'parse' },
                { id: 'ask-left', type: 'prompt', message: 'Left at {{ disk_pct }}?', options: [{ label: 'Again', goto: 'measure' }, { label: 'Go', goto: 'end' }] },
              ],
            },
            {
              name: 'right',
              steps: [
                { id: 'ask-right', type: 'prompt', message: 'Right?', options: ['Yes', 'No'], fields: [{ name: 'ticket', type: 'string', default: 'OPS-1' }] },
                { id: 'note', type: 'set', values: { noted: 'state.ticket' } },
              ],
            },
          ],
        },
        { id: 'pause', type: 'wait', duration: '300ms' },
        { id: 'decide', type: 'route', conditions: [{ if: 'state.noted == "OPS-7"', goto: 'end' }, { default: true, goto: 'never' }] },
        { id: 'never', type: 'set', values: { never: 'true' } },
      ],
    },
    async play({ answer }) {
      await answer('Left', 'Again');
      await answer('Right', 'Yes', { ticket: 'OPS-7' });
      await answer('Left', 'Go');
    },
  },
  // Items two at a time, each with a child and a question; a step that is skipped for one of them; a second foreach within.
  items: {
    others: { 'recorded-child': { params: [{ name: 'host', type: 'string' }], steps: [{ id: 'look', type: 'execute', targets: worker, command: 'echo {{ host }}', parse: 'lines' }, { id: 'keep', type: 'set', values: { seen: 'params.host' } }] } },
    definition: {
      steps: [
        {
          id: 'each', name: 'Each host', type: 'foreach', items: ['db', 'app', 'cache'], as: 'host', parallel: 2,
          steps: [
            { id: 'child', type: 'workflow', workflow: 'recorded-child', params: { host: '{{ host }}' } },
            { id: 'confirm', type: 'prompt', condition: 'host != "app"', message: 'Restart {{ host }}?', options: ['Yes', 'No'] },
            { id: 'parts', type: 'foreach', items: ['a', 'b'], as: 'part', steps: [{ id: 'restart', type: 'execute', targets: worker, command: 'echo {{ host }} {{ part }}' }] },
          ],
        },
      ],
    },
    async play({ answer }) {
      await answer('db', 'Yes');
      await answer('cache', 'No');
    },
  },
  // A branch that fails ends the other one, with its question and its child; then on_failure and finally.
  failure: {
    others: { 'recorded-asks': { steps: [{ id: 'wonder', type: 'prompt', message: 'Well?', options: ['Yes'] }] } },
    definition: {
      steps: [
        {
          id: 'both', type: 'parallel',
          branches: [
            { name: 'asks', steps: [{ id: 'ask', type: 'prompt', message: 'Still?', options: ['Yes'] }] },
            { name: 'runs', steps: [{ id: 'child', type: 'workflow', workflow: 'recorded-asks' }] },
            { name: 'fails', steps: [{ id: 'proceed', type: 'prompt', message: 'Fail?', options: ['Yes'], timeout: '60s' }, { id: 'broken', type: 'set', values: { odd: 'state.missing.deep + 1' } }] },
          ],
        },
      ],
      on_failure: [{ id: 'repair', type: 'execute', targets: worker, command: 'echo repaired' }, { id: 'told', type: 'prompt', message: 'Repaired?', options: ['Yes', 'No'], timeout: '1s', on_timeout: 'No' }],
      finally: [{ id: 'tidy', type: 'foreach', items: ['x', 'y'], as: 'what', parallel: 2, steps: [{ id: 'sweep', type: 'execute', targets: worker, command: 'echo {{ what }}' }] }],
    },
    async play({ answer }) {
      await answer('Fail', 'Yes');
    },
  },
  // Aborted while commands and a child run: their ends come too late.
  aborted: {
    others: { 'recorded-waits': { steps: [{ id: 'rest', type: 'wait', duration: '1h' }] } },
    definition: {
      timeout: '1h',
      steps: [
        { id: 'first', type: 'set', values: { begun: 'true' } },
        {
          id: 'both', type: 'parallel',
          branches: [
            { name: 'sleeps', steps: [{ id: 'each', type: 'foreach', items: ['1', '2'], as: 'n', parallel: 2, steps: [{ id: 'sleep', type: 'execute', targets: worker, command: 'echo {{ n }}; sleep 30' }] }] },
            { name: 'waits', steps: [{ id: 'child', type: 'workflow', workflow: 'recorded-waits' }] },
          ],
        },
      ],
      finally: [{ id: 'tidy', type: 'execute', targets: worker, command: 'sleep 1' }],
    },
    async play({ seen, abort }) {
      await seen((view) => view.steps.filter((step) => step.commands.length === 2 || step.type === 'workflow').every((step) => step.status === 'running') && view.children.length === 1 && view.steps.some((step) => step.commands.length === 2));
      await abort();
    },
  },
};

const wanted = process.argv.slice(2);
const server = await Server.start();
try {
  await server.worker(worker);
  await mkdir(FOLDER, { recursive: true });
  for (const [name, { others = {}, definition, play }] of Object.entries(RECORDINGS)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    for (const [other, its] of Object.entries(others)) await server.workflow(other, its);
    const stored = { name: `recorded-${name}`, ...definition };
    const { id: workflow } = await server.workflow(stored.name, definition);
    const { id } = await server.post(`/api/workflows/${workflow}/execute`, {});
    const view = () => server.get(`/api/executions/${id}`);
    const seen = (holds) => until(async () => holds(await view()), `${name}: what it waits for`);
    await play({
      seen,
      abort: () => server.post(`/api/executions/${id}/abort`, { reason: 'enough' }),
      async answer(question, response, fields) {
        const prompt = await until(async () => (await view()).prompts.find((prompt) => prompt.message.includes(question)), `${name}: the question ${question}`);
        await server.post(`/api/executions/${id}/respond`, { response, prompt_id: prompt.id, fields });
      },
    });
    await seen((now) => ENDED.includes(now.status));
    // Late results come after the end.
    await new Promise((done) => setTimeout(done, 1000));
    const { logs, status } = await view();
    await writeFile(join(FOLDER, `${name}.json`), JSON.stringify({ id, definition: JSON.stringify(stored), journal: logs }));
    console.log(`${name}: ${status}, ${logs.length} entries`);
  }
} finally {
  await server.stop();
}
