// What the journal does not tell: read, heard, laid over the folded view, and kept in lists and rows.
import { render, screen } from '@testing-library/svelte';
import { describe, expect, it, vi } from 'vitest';
import type { ExecutionView, WorkerView } from '../../api/generated';
import { LiveSocket, type LiveHandler } from '../../api/socket';
import { at, entry, execution, FakeSocket, inStep } from '../../test-kit';
import { AwaitedWorkers, waitsFor } from './awaited.svelte';
import { ListedDeliveries } from './delivery';
import { LiveExecution } from './live.svelte';
import { progress, summary } from './progress';
import Steps from './Steps.svelte';

const sent = (seq: number, id: string, worker: string) => entry(seq, { action: 'command_sent', command_id: id, attempt: 1, command: 'df', worker_id: worker, worker, ...inStep });
const ends = (seq: number, id: string, worker: string) =>
  entry(seq, { action: 'command_result', command_id: id, attempt: 1, success: true, late: false, outcome: 'exited', exit_code: 0, duration_ms: 5, stdout: '', stderr: '', worker_id: worker, worker, ...inStep });
const journal = [entry(1, { action: 'execution_created' }), entry(2, { action: 'step_started', run: 1, ...inStep }), sent(3, 'c1', 'w1'), sent(4, 'c2', 'w2')];

/** As the server shows it: what it says of each command of the first step. */
function shown(commands: Record<string, { status?: 'queued'; unreachable?: boolean }>, logs = journal): ExecutionView {
  const view = execution(logs);
  view.steps[0]!.commands = Object.entries(commands).map(([id, more]) => ({ id, worker: id.replace('c', 'w'), attempt: 1, status: 'running', exit_code: null, duration_ms: null, ...more }));
  return view;
}

const stands = (view: ExecutionView | null) => [view?.delivery, ...view!.steps[0]!.commands.map((command) => (command.unreachable ? `${command.status} away` : command.status))];

async function live(read: () => Promise<ExecutionView>) {
  const socket = new FakeSocket();
  const connection = new LiveSocket({ connect: () => socket, onState: () => {} });
  connection.start();
  socket.opens();
  const model = new LiveExecution('x1', { execution: read }, connection);
  await model.start();
  const hear = (queued: string[], unreachable: string[]) => socket.says({ type: 'execution_delivery', execution_id: 'x1', queued, unreachable });
  return { model, socket, hear };
}

describe('delivery', () => {
  it('is what was read, until something else is heard', async () => {
    const { model, hear, socket } = await live(async () => shown({ c1: { status: 'queued' }, c2: { unreachable: true } }));
    expect(stands(model.view)).toEqual(['worker_unreachable', 'queued', 'running away']);
    hear(['c1'], []);
    expect(stands(model.view)).toEqual([undefined, 'queued', 'running']);
    hear(['c1', 'c2'], []);
    expect(stands(model.view)).toEqual(['queued', 'queued', 'queued']);
    socket.says({ type: 'execution_delivery', execution_id: 'other', queued: [], unreachable: ['c1'] });
    expect(stands(model.view)).toEqual(['queued', 'queued', 'queued']);
    hear([], []);
    expect(stands(model.view)).toEqual([undefined, 'running', 'running']);
  });

  it('outlasts other events, and says nothing of a command that has ended', async () => {
    const { model, hear, socket } = await live(async () => shown({ c1: {}, c2: {} }));
    hear([], ['c1', 'c2']);
    socket.says({ type: 'execution_event', execution_id: 'x1', entry: ends(5, 'c1', 'w1') });
    expect(stands(model.view)).toEqual(['worker_unreachable', 'completed', 'running away']);
    socket.says({ type: 'execution_event', execution_id: 'x1', entry: ends(6, 'c2', 'w2') });
    expect(stands(model.view)).toEqual([undefined, 'completed', 'completed']);
  });

  it('is as it was heard last, when a read that was under way comes later', async () => {
    let answer = (_view: ExecutionView) => {};
    const reads = [async () => shown({ c1: {}, c2: {} }), () => new Promise<ExecutionView>((done) => (answer = done)), async () => shown({ c1: {}, c2: { status: 'queued' } })];
    const { model, hear } = await live(() => reads.shift()!());
    const again = model.read();
    hear([], ['c1']);
    answer(shown({ c1: { status: 'queued' }, c2: { status: 'queued' } }));
    await again;
    expect(stands(model.view)).toEqual(['worker_unreachable', 'running away', 'running']);
    await model.read();
    expect(stands(model.view)).toEqual([undefined, 'running', 'queued']);
  });

  it('is kept in lists over summaries that do not tell it', () => {
    const { delivery: _, ...update } = execution();
    const list = new ListedDeliveries();
    const row = { ...update, delivery: 'queued' as const };
    expect(list.of(update, row).delivery).toBe('queued');
    list.hear('x1', 'worker_unreachable');
    expect(list.of(update, row).delivery).toBe('worker_unreachable');
    expect(list.of(update, undefined).delivery).toBe('worker_unreachable');
    expect(list.of({ ...update, finished_at: at(9) }, row).delivery).toBeUndefined();
    list.hear('x1', null);
    expect(list.of(update, { ...row, delivery: undefined }).delivery).toBeUndefined();
    list.hear('x1', 'queued');
    list.forget();
    expect(list.of(update, undefined).delivery).toBeUndefined();
  });
});

const worker = (name: string, more: Partial<WorkerView> = {}): WorkerView => ({
  id: name, name, status: 'online', labels: {}, capacity: 1, reported_capacity: 1, capacity_limit: null, active: 1, draining: false, version: '1', last_seen: at(1), metadata: {}, ...more,
});

describe('workers that are waited for', () => {
  it('are read once, followed while they are waited for, and then left alone', async () => {
    let tell: LiveHandler = () => {};
    const leave = vi.fn();
    const api = { worker: vi.fn(async (name: string) => worker(name)) };
    const awaited = new AwaitedWorkers(api, { subscribe: (topic, handler) => (expect(topic).toBe('workers'), (tell = handler), leave) });
    awaited.watch([])();
    expect(api.worker).not.toHaveBeenCalled();
    const stop = awaited.watch(['w1']);
    await vi.waitFor(() => expect([...awaited.known.keys()]).toEqual(['w1']));
    tell({ type: 'worker_update', worker: worker('w9', { status: 'offline' }) });
    tell({ type: 'worker_update', worker: worker('w1', { status: 'unreachable' }) });
    expect([...awaited.known.values()].map(({ name, status }) => [name, status])).toEqual([['w1', 'unreachable']]);
    stop();
    expect(leave).toHaveBeenCalledOnce();
    awaited.watch(Array.from({ length: 21 }, (_, index) => `many-${index}`))();
    expect(api.worker).toHaveBeenCalledOnce();
  });

  it('say why something waits', () => {
    const words = [undefined, worker('w1', { capacity: 4 }), worker('w1', { draining: true }), worker('w1', { status: 'offline', draining: true })].map(waitsFor);
    expect(words).toEqual(['', 'waits for room: the worker takes 4 at once', 'the worker is draining', 'the worker is offline']);
  });
});

describe('Steps', () => {
  it('says it in words, with the worker and since when nothing is heard', async () => {
    const { model } = await live(async () => shown({ c1: { status: 'queued' }, c2: { unreachable: true } }));
    const view = model.view!;
    const workers = progress(view).get('check')!.workers;
    expect(summary(workers)).toEqual({ done: '0 of 2 completed', rest: [['running, worker unreachable', 1], ['queued', 1]] });
    const awaited = new Map([['w1', worker('w1')], ['w2', worker('w2', { status: 'unreachable', last_seen: new Date(Date.now() - 180_000).toISOString() })]]);
    const { rerender } = render(Steps, { props: { view, picked: null, onpick: vi.fn(), awaited } });
    const row = (name: string) => document.querySelector(`li[data-worker=${name}]`)!.textContent!.replace(/\s+/g, ' ').trim();
    expect([row('w1'), row('w2')]).toEqual(['○ queued w1 waits for room: the worker takes 1 at once', '◌ running, worker unreachable w2 last heard from 3 min ago']);
    await rerender({ view, awaited: undefined });
    expect([row('w1'), row('w2')]).toEqual(['○ queued w1', '◌ running, worker unreachable w2']);
    expect(screen.getByText('0 of 2 completed')).toBeTruthy();
  });
});
