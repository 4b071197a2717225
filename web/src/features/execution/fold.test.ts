// The fold of live events against what the server shows.
import { describe, expect, it } from 'vitest';
import { entry, execution, inStep } from '../../test-kit';
import { Fold } from './fold';
import { recordings } from './recordings';

describe.each([...recordings])('the recording `%s`', (_, views) => {
  const journal = views.at(-1)!.logs;

  it('goes from its creation to its end, with nested steps', () => {
    expect(views[0]!.logs[0]!.action).toBe('execution_created');
    expect(views).toHaveLength(journal.length);
    expect(views[0]!.steps.some((step) => step.parent !== null)).toBe(true);
    expect(['completed', 'failed', 'aborted']).toContain(views.at(-1)!.status);
  });

  it('shows after each live event what the server shows', () => {
    const fold = new Fold(views[0]!);
    expect(fold.view).toEqual(views[0]);
    for (const view of views.slice(1)) {
      const before = fold.view;
      const copy = structuredClone(before);
      expect(fold.apply(view.logs.at(-1)!)).toBe(true);
      expect(fold.view, `after entry ${view.logs.length}`).toEqual(view);
      expect(before, 'a view that was handed out stays as it is').toEqual(copy);
    }
  });

  it('shows the same however much of it was there when it was read', () => {
    for (const read of views) {
      const fold = new Fold(read);
      expect(fold.view, `read after entry ${read.logs.length}`).toEqual(read);
      journal.forEach((entry) => fold.apply(entry));
      expect(fold.view, `read after entry ${read.logs.length}`).toEqual(views.at(-1));
    }
  });
});

describe('the recordings', () => {
  const all = [...recordings.values()];
  const entries = all.flatMap((views) => views.at(-1)!.logs);

  it('hold every kind of step, several questions at once, the phases, and an end that came too late', () => {
    const types = new Set(all.flatMap((views) => views[0]!.steps.map((step) => step.type)));
    expect([...types].sort()).toEqual(['execute', 'foreach', 'parallel', 'parse', 'prompt', 'route', 'set', 'wait', 'workflow']);
    expect(Math.max(...all.flat().map((view) => view.prompts.length))).toBeGreaterThan(1);
    expect(entries.flatMap((entry) => (entry.action === 'frame_started' && !entry.parent ? [entry.name] : []))).toEqual(expect.arrayContaining(['on_failure', 'finally']));
    expect(entries.some((entry) => entry.action === 'command_result' && entry.late)).toBe(true);
    expect(entries.map((entry) => entry.action)).toEqual(expect.arrayContaining(['command_retry', 'prompt_timeout', 'step_skipped', 'child_finished', 'abort_requested']));
  });
});

describe('Fold', () => {
  it('takes each entry once, and keeps those it does not know', () => {
    const fold = new Fold(execution([entry(1, { action: 'execution_created' }), entry(2, { action: 'teleported', ...inStep })]));
    const { view } = fold;
    expect(fold.apply(entry(2, { action: 'teleported' }))).toBe(false);
    expect(fold.view).toBe(view);
    expect(view.logs.map((e) => e.seq)).toEqual([1, 2]);
    expect(view.status).toBe('running');
  });

  it('keeps a late result with its command, if that is of the last run, and changes nothing else', () => {
    const worker = { worker_id: 'k1', worker: 'web-01' };
    const result = { action: 'command_result', command_id: 'c1', attempt: 1, duration_ms: 5, stdout: '', stderr: '', ...worker, ...inStep };
    const lost = [
      { action: 'execution_created' },
      { action: 'step_started', run: 1, ...inStep },
      { action: 'command_sent', command_id: 'c1', attempt: 1, command: 'df', ...worker, ...inStep },
      { ...result, success: false, late: false, outcome: 'lost' },
      { action: 'step_finished', status: 'failed', error: 'lost', next: 'fail', ...inStep },
    ];
    const late = { ...result, success: true, late: true, outcome: 'exited', exit_code: 0 };
    const after = (...more: ({ action: string } & Record<string, unknown>)[]) => new Fold(execution([...lost, ...more].map((fields, index) => entry(index + 1, fields)))).view;
    const finished = { action: 'execution_finished', status: 'failed', error: 'lost' };
    expect(after(finished, late)).toMatchObject({ status: 'failed', error: 'lost', steps: [{ status: 'failed', commands: [{ id: 'c1', status: 'completed', exit_code: 0 }] }] });
    const again = { action: 'step_started', run: 2, ...inStep };
    expect(after(again, late).steps).toEqual(after(again).steps);
    expect(after(again, late).logs.at(-1)).toMatchObject({ action: 'command_result', late: true });
  });

  it('shows a command that goes elsewhere on the worker that gets it', () => {
    const moved = { action: 'command_moved', command_id: 'c1', attempt: 1, worker_id: 'k2', worker: 'web-02', from: { worker_id: 'k1', worker: 'web-01' }, reason: 'draining', ...inStep };
    const entries = [
      { action: 'execution_created' },
      { action: 'step_started', run: 1, ...inStep },
      { action: 'command_sent', command_id: 'c1', attempt: 1, command: 'df', worker_id: 'k1', worker: 'web-01', ...inStep },
      { ...moved, command_id: 'c9', worker: 'web-09' },
      moved,
    ];
    const { view } = new Fold(execution(entries.map((fields, index) => entry(index + 1, fields))));
    expect(view.steps[0]!.commands).toMatchObject([{ id: 'c1', worker: 'web-02', status: 'running' }]);
  });

  it('waits its turn until it is started', () => {
    const fold = new Fold(execution([entry(1, { action: 'execution_created' }), entry(2, { action: 'execution_queued', limit: 1 })]));
    expect(fold.view.status).toBe('queued');
    fold.apply(entry(3, { action: 'execution_started' }));
    expect(fold.view.status).toBe('running');
  });
});
