// How far each step has come, on each of its workers, in each of its lists of steps and children: from the journal, which
// also knows whose turn is still to come, and for which item a step runs.
import type { CommandStatus, CommandView, ExecutionStatus, ExecutionView, StepStatus } from '../../api/generated';
import { branchOf, framesOf, itemsOf } from './frames';

/** It was, or may have been, sent, and its worker cannot be asked. */
export const AWAY = 'running, worker unreachable';

export interface WorkerProgress {
  /** Tells the rows of a step apart. */
  key: string;
  worker: string;
  /** For which item of a foreach; empty outside of one. */
  item: string;
  status: CommandStatus | typeof AWAY | 'retrying' | 'not started' | 'offline';
  /** Every try of the step's last run, oldest first. */
  attempts: CommandView[];
  /** When it is tried again. */
  retryAt?: string;
}

export interface ChildProgress {
  id: string;
  workflow: string;
  item: string;
  /** Given up: its step was ended before it told of its own end. */
  status: ExecutionStatus | 'given up';
  error?: string;
}

/** A branch or an item. */
export interface ListProgress {
  id: number;
  name: string;
  status: StepStatus | 'not started';
  error?: string;
}

export interface StepProgress {
  workers: WorkerProgress[];
  children: ChildProgress[];
  lists: ListProgress[];
  /** How many lists there will be. */
  listCount: number;
  /** The branch that it stands in, or `on_failure` or `finally`; known once it has started. */
  branch?: string;
  /** Until when a wait step waits. */
  until?: string;
}

/** What the last run of a step in one frame has come to. */
interface Seen {
  frame: number;
  targets: string[];
  offline: Set<string>;
  retries: Map<string, string>;
  lists: Map<number, ListProgress>;
  children: ChildProgress[];
  items: number;
  over: boolean;
  until?: string;
}

const nothing = (frame: number): Seen => ({ frame, targets: [], offline: new Set(), retries: new Map(), lists: new Map(), children: [], items: 0, over: false });

/** By step id. */
export function progress(view: Pick<ExecutionView, 'logs' | 'steps'>): Map<string, StepProgress> {
  const frames = framesOf(view.logs);
  const steps = new Map<string, Map<number, Seen>>();
  const frameOf = new Map<string, number>();
  const seen = ({ frame, step_id }: { frame: number; step_id: string }, anew = false): Seen => {
    let runs = steps.get(step_id);
    if (!runs) steps.set(step_id, (runs = new Map()));
    let run = anew ? undefined : runs.get(frame);
    if (!run) runs.set(frame, (run = nothing(frame)));
    return run;
  };
  for (const entry of view.logs) {
    if (entry.action === 'frame_started' || entry.action === 'frame_finished') {
      if (!entry.parent) continue;
      const status = entry.action === 'frame_started' ? 'running' : entry.status;
      const error = entry.action === 'frame_finished' ? entry.error : undefined;
      seen(entry.parent).lists.set(entry.frame_id, { id: entry.frame_id, name: entry.name, status, error });
    }
    if (!('step_id' in entry)) continue;
    const step = seen(entry, entry.action === 'step_started');
    if (entry.action === 'targets_resolved') step.targets = entry.targets.map((target) => target.worker);
    else if (entry.action === 'worker_offline') step.offline.add(entry.worker);
    else if (entry.action === 'command_retry') step.retries.set(entry.worker, entry.retry_at);
    else if (entry.action === 'command_moved') step.targets = step.targets.map((target) => (target === entry.from.worker ? entry.worker : target));
    else if (entry.action === 'command_sent') {
      step.retries.delete(entry.worker);
      frameOf.set(entry.command_id, entry.frame);
    } else if (entry.action === 'wait_started') step.until = entry.until;
    else if (entry.action === 'items_resolved') step.items = entry.items.length;
    else if (entry.action === 'child_started') step.children.push({ id: entry.execution_id, workflow: entry.workflow, item: itemsOf(frames, entry.frame), status: 'running' });
    else if (entry.action === 'child_finished') {
      const child = step.children.find(({ id }) => id === entry.execution_id);
      if (child) Object.assign(child, { status: entry.status, error: entry.error });
    } else if (entry.action === 'step_finished') {
      step.over = true;
      for (const child of step.children) if (child.status === 'running') child.status = 'given up';
    }
  }
  return new Map(
    view.steps.map((step) => {
      const runs = [...(steps.get(step.id)?.values() ?? [])];
      const tries = new Map<number, CommandView[]>();
      for (const command of step.commands) {
        const frame = frameOf.get(command.id) ?? 0;
        const known = tries.get(frame);
        if (known) known.push(command);
        else tries.set(frame, [command]);
      }
      const first = runs[0];
      return [
        step.id,
        {
          workers: runs.flatMap((run) => workersOf(run, tries.get(run.frame) ?? [], itemsOf(frames, run.frame))),
          children: runs.flatMap((run) => run.children),
          lists: runs.flatMap((run) => [...run.lists.values()]),
          listCount: runs.reduce((sum, run) => sum + Math.max(run.items, run.lists.size), 0),
          branch: first && branchOf(frames, first.frame),
          until: runs.findLast((run) => run.until !== undefined && !run.over)?.until,
        },
      ];
    }),
  );
}

function workersOf(run: Seen, commands: CommandView[], item: string): WorkerProgress[] {
  const attempts = new Map<string, CommandView[]>([...run.targets, ...run.offline].map((worker) => [worker, []]));
  for (const command of commands) attempts.set(command.worker, [...(attempts.get(command.worker) ?? []), command]);
  return [...attempts].map(([worker, tries]) => {
    const retryAt = run.over ? undefined : run.retries.get(worker);
    const last = tries.at(-1);
    const status = retryAt !== undefined ? 'retrying' : last?.unreachable ? AWAY : (last?.status ?? (run.offline.has(worker) ? 'offline' : 'not started'));
    return { key: `${run.frame} ${worker}`, worker, item, status, attempts: tries, retryAt };
  });
}

/** In what order a summary names them. */
const ORDER = ['failed', 'timed_out', 'lost', 'cancelled', 'aborted', 'given up', 'offline', 'retrying', 'waiting', AWAY, 'running', 'queued', 'not started'];

/** "2 of 5 completed" or "2 of 5 items completed", and how many are anything else. */
export function summary(parts: { status: string }[], total = parts.length, what = ''): { done: string; rest: [status: string, count: number][] } {
  const count = (status: string) => parts.filter((part) => part.status === status).length + (status === 'not started' ? total - parts.length : 0);
  return {
    done: `${count('completed')} of ${total}${what && ` ${what}`} completed`,
    rest: ORDER.map((status): [string, number] => [status, count(status)]).filter(([, found]) => found > 0),
  };
}
