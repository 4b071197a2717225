// A live execution: folding events, keeping them over a new read, and the prompt box.
import { render, screen } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { describe, expect, it, vi } from 'vitest';
import { ApiProblem } from '../../api/client';
import type { Me } from '../../api/generated';
import { LiveSocket } from '../../api/socket';
import { entry, execution, FakeSocket, inStep, services } from '../../test-kit';
import PromptHarness from '../../test-harness.svelte';
import { Fold } from './fold';
import { LiveExecution } from './live.svelte';
import { progress, summary } from './progress';
import PromptBox from './PromptBox.svelte';

const worker = { worker_id: 'k1', worker: 'web-01' };
const prompt = (id: string) => ({ action: 'prompt', prompt_id: id, message: `Clean ${id}?`, options: [{ label: 'Clean', value: 'Clean', danger: true }], output: 'full', output_hash: '', deadline: '2026-11-24T04:00:00Z', ...inStep });

const folded = (entries: ({ action: string } & Record<string, unknown>)[]) => new Fold(execution(entries.map((fields, index) => entry(index + 1, fields)))).view;

describe('progress', () => {
  const targets = ['web-01', 'web-02', 'web-03'].map((name) => ({ worker_id: name, worker: name }));
  const rollout = [
    { action: 'execution_created' },
    { action: 'step_started', run: 1, ...inStep },
    { action: 'targets_resolved', selector: ['all'], targets, ...inStep },
    { action: 'worker_offline', worker_id: 'k9', worker: 'web-09', reason: 'skipped', ...inStep },
    { action: 'command_sent', command_id: 'c1', attempt: 1, command: 'restart', ...worker, ...inStep },
    { action: 'command_result', command_id: 'c1', attempt: 1, success: false, late: false, outcome: 'exited', exit_code: 75, duration_ms: 5, stdout: '', stderr: '', ...worker, ...inStep },
    { action: 'command_retry', command_id: 'c1', attempt: 2, retry_at: '2026-11-24T03:00:20.000Z', delay_ms: 1000, ...worker, ...inStep },
  ];
  const after = (...more: ({ action: string } & Record<string, unknown>)[]) => progress(folded([...rollout, ...more])).get('check')!;

  it('knows whose turn is still to come, who is tried again and who is away', () => {
    const { workers } = after();
    expect(workers.map(({ worker, status }) => [worker, status])).toEqual([['web-01', 'retrying'], ['web-02', 'not started'], ['web-03', 'not started'], ['web-09', 'offline']]);
    expect(workers[0]!.retryAt).toBe('2026-11-24T03:00:20.000Z');
    expect(summary(workers)).toEqual({ done: '0 of 4 completed', rest: [['offline', 1], ['retrying', 1], ['not started', 2]] });
  });

  it('keeps every attempt of a worker together, and forgets a retry that will not come', () => {
    const again = { action: 'command_sent', command_id: 'c2', attempt: 2, command: 'restart', ...worker, ...inStep };
    expect(after(again).workers[0]).toMatchObject({ status: 'running', attempts: [{ id: 'c1', exit_code: 75 }, { id: 'c2' }], retryAt: undefined });
    expect(after({ action: 'step_finished', status: 'aborted', next: 'fail', ...inStep }).workers[0]).toMatchObject({ status: 'failed', retryAt: undefined });
  });

  it('has the worker that gets a command instead in place of the other', () => {
    const sent = { action: 'command_sent', command_id: 'c2', attempt: 1, command: 'restart', ...inStep, worker_id: 'web-02', worker: 'web-02' };
    const moved = { action: 'command_moved', command_id: 'c2', attempt: 1, from: targets[1], worker_id: 'web-07', worker: 'web-07', reason: 'offline', ...inStep };
    expect(after(sent, moved).workers.map(({ worker, status }) => [worker, status])).toEqual([['web-01', 'retrying'], ['web-07', 'running'], ['web-03', 'not started'], ['web-09', 'offline']]);
  });

  it('begins anew when the step runs once more', () => {
    expect(after({ action: 'step_started', run: 2, ...inStep }).workers).toEqual([]);
  });
});

describe('LiveExecution', () => {
  it('reads once, follows from the last entry, and takes output from its start', async () => {
    const socket = new FakeSocket();
    const live = new LiveSocket({ connect: () => socket, onState: () => {} });
    live.start();
    socket.opens();
    const read = [entry(1, { action: 'execution_created' }), entry(2, { action: 'step_started', run: 1, ...inStep })];
    const model = new LiveExecution('x1', { execution: async () => execution(read) }, live);
    await model.start();
    await Promise.resolve();
    expect(socket.sent.at(-1)).toMatchObject({ topics: ['execution:x1', 'output:x1'], after: { 'execution:x1': 2, 'output:x1': 0 } });
    socket.says({ type: 'execution_event', execution_id: 'x1', entry: read[1] });
    socket.says({ type: 'execution_event', execution_id: 'x1', entry: entry(3, prompt('p1')) });
    socket.says({ type: 'execution_event', execution_id: 'other', entry: entry(4, prompt('p3')) });
    socket.says({ type: 'output', execution_id: 'x1', cursor: 1, command_id: 'c1', step_id: 'check', worker: 'web-01', attempt: 1, stream: 'stdout', seq: 1, data: 'hi' });
    expect(model.view?.logs.map((e) => e.seq)).toEqual([1, 2, 3]);
    expect(model.view).toMatchObject({ status: 'waiting', prompt: { id: 'p1' } });
    expect(model.transcript.arrived).toBe(1);
    // Reading anew must not lose what came over the socket meanwhile.
    await model.read();
    expect(model.view?.logs.map((e) => e.seq)).toEqual([1, 2, 3]);
    expect(model.view?.prompt?.id).toBe('p1');
    model.stop();
    await Promise.resolve();
    expect(socket.sent.at(-1)).toMatchObject({ topics: [] });
  });

  it('says why it cannot be shown', async () => {
    const model = new LiveExecution('x1', { execution: async () => Promise.reject(new ApiProblem(404, 'not-found', 'Not found', 'there is no execution x1')) }, { subscribe: () => () => {} });
    await model.start();
    expect(model.error).toBe('there is no execution x1');
  });
});

describe('PromptBox', () => {
  const view = (more = {}) =>
    folded([{ action: 'execution_created' }, { action: 'step_started', run: 1, ...inStep }, { ...prompt('p1'), output: '<script>x</script>\u001b[31m91%', ...more }]).prompt!;

  it('shows the output as text and sends the answer for this very question', async () => {
    const respond = vi.fn(async () => ({}));
    const onanswered = vi.fn();
    const app = services();
    render(PromptHarness, { props: { services: app, component: PromptBox, props: { executionId: 'x1', prompt: view(), stepName: 'Ask', api: { respond }, onanswered } } });
    expect(screen.getByLabelText('Output to review').textContent).toBe('<script>x</script>91%');
    await userEvent.click(screen.getByRole('button', { name: 'Clean' }));
    expect(respond).toHaveBeenCalledWith('x1', { response: 'Clean', prompt_id: 'p1' });
    expect(onanswered).toHaveBeenCalledOnce();
    expect(app.toasts.items[0]?.kind).toBe('success');
  });

  it('asks for the fields of the question, and sends them as typed values', async () => {
    const respond = vi.fn(async () => ({}));
    const fields = [{ name: 'ticket', type: 'string', required: true }, { name: 'hours', type: 'integer', required: false, default: 2, max: 8 }];
    const asked = view({ fields });
    render(PromptHarness, { props: { services: services(), component: PromptBox, props: { executionId: 'x1', prompt: asked, stepName: 'Ask', api: { respond }, onanswered: () => {} } } });
    await userEvent.click(screen.getByRole('button', { name: 'Clean' }));
    expect(respond).not.toHaveBeenCalled();
    await userEvent.type(screen.getByRole('textbox', { name: 'ticket' }), 'OPS-7');
    await userEvent.click(screen.getByRole('button', { name: 'Clean' }));
    expect(respond).toHaveBeenCalledWith('x1', { response: 'Clean', prompt_id: 'p1', fields: { ticket: 'OPS-7', hours: 2 } });
  });

  it('passes on in whose favour the server decided', async () => {
    const respond = vi.fn(async () => Promise.reject(new ApiProblem(409, 'answered', 'Conflict', 'bob has answered this already')));
    const app = services();
    render(PromptHarness, { props: { services: app, component: PromptBox, props: { executionId: 'x1', prompt: view(), stepName: 'Ask', api: { respond }, onanswered: () => {} } } });
    await userEvent.click(screen.getByRole('button', { name: 'Clean' }));
    expect(app.toasts.items[0]).toMatchObject({ kind: 'error', text: 'bob has answered this already' });
  });

  it('offers a viewer no buttons that work', () => {
    const app = services();
    app.session.state = { kind: 'in', me: { name: 'eve', role: 'viewer', groups: [] } };
    render(PromptHarness, { props: { services: app, component: PromptBox, props: { executionId: 'x1', prompt: view(), stepName: 'Ask', api: { respond: vi.fn() }, onanswered: () => {} } } });
    expect(screen.getByRole('button', { name: 'Clean' }).hasAttribute('disabled')).toBe(true);
  });

  it('lets members of the allowed groups answer whatever their role, and tells others whom it asks', () => {
    const offered = (me: Me, allow: string[]) => {
      const app = services();
      app.session.state = { kind: 'in', me };
      const shown = render(PromptHarness, { props: { services: app, component: PromptBox, props: { executionId: 'x1', prompt: view({ allow }), stepName: 'Ask', api: { respond: vi.fn() }, onanswered: () => {} } } });
      const offers = !screen.getByRole('button', { name: 'Clean' }).hasAttribute('disabled');
      const told = screen.queryByText('Only members of dba, ops may answer.') !== null;
      shown.unmount();
      return { offers, told };
    };
    expect(offered({ name: 'ada', role: 'viewer', groups: ['x', 'dba'] }, ['dba', 'ops'])).toEqual({ offers: true, told: false });
    expect(offered({ name: 'bob', role: 'operator', groups: ['x'] }, ['dba', 'ops'])).toEqual({ offers: false, told: true });
    expect(offered({ name: 'eve', role: 'admin', groups: [] }, ['dba', 'ops'])).toEqual({ offers: true, told: false });
    expect(offered({ name: 'bob', role: 'operator', groups: [] }, [])).toEqual({ offers: true, told: false });
  });
});
