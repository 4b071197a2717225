// How far each step has come on each of its workers: from the journal, which also knows whose turn is still to come.
import type { CommandStatus, CommandView, ExecutionView } from '../../api/generated';

export interface WorkerProgress {
  worker: string;
  status: CommandStatus | 'retrying' | 'not started' | 'offline';
  /** Every try of the step's last run, oldest first. */
  attempts: CommandView[];
  /** When it is tried again. */
  retryAt?: string;
}

export interface StepProgress {
  workers: WorkerProgress[];
  /** Until when a wait step waits. */
  until?: string;
}

interface Seen {
  targets: string[];
  offline: Set<string>;
  retries: Map<string, string>;
  until?: string;
}

const nothing = (): Seen => ({ targets: [], offline: new Set(), retries: new Map() });

/** By step id. */
export function progress(view: Pick<ExecutionView, 'logs' | 'steps'>): Map<string, StepProgress> {
  const seen = new Map<string, Seen>();
  for (const entry of view.logs) {
    if (!('step_id' in entry)) continue;
    if (entry.action === 'step_started') seen.set(entry.step_id, nothing());
    const step = seen.get(entry.step_id) ?? nothing();
    seen.set(entry.step_id, step);
    if (entry.action === 'targets_resolved') step.targets = entry.targets.map((target) => target.worker);
    else if (entry.action === 'worker_offline') step.offline.add(entry.worker);
    else if (entry.action === 'command_retry') step.retries.set(entry.worker, entry.retry_at);
    else if (entry.action === 'command_sent') step.retries.delete(entry.worker);
    else if (entry.action === 'wait_started') step.until = entry.until;
  }
  return new Map(
    view.steps.map((step) => {
      const { targets, offline, retries, until } = seen.get(step.id) ?? nothing();
      const attempts = new Map<string, CommandView[]>([...targets, ...offline].map((worker) => [worker, []]));
      for (const command of step.commands) attempts.set(command.worker, [...(attempts.get(command.worker) ?? []), command]);
      const workers = [...attempts].map(([worker, tries]): WorkerProgress => {
        const retryAt = step.finished_at === null ? retries.get(worker) : undefined;
        const status = retryAt !== undefined ? 'retrying' : (tries.at(-1)?.status ?? (offline.has(worker) ? 'offline' : 'not started'));
        return { worker, status, attempts: tries, retryAt };
      });
      return [step.id, { workers, until }];
    }),
  );
}

/** In what order a summary names them. */
const ORDER = ['failed', 'timed_out', 'lost', 'cancelled', 'offline', 'retrying', 'running', 'queued', 'not started'];

/** "2 of 5 completed", and how many are anything else. */
export function summary(workers: WorkerProgress[]): { done: string; rest: [status: string, count: number][] } {
  const count = (status: string) => workers.filter((worker) => worker.status === status).length;
  return {
    done: `${count('completed')} of ${workers.length} completed`,
    rest: ORDER.map((status): [string, number] => [status, count(status)]).filter(([, found]) => found > 0),
  };
}
