// Executions recorded from the program (e2e/record.mjs), for tests: each journal, with what the server's own view says after
// each entry of it, which a test of pulse-server keeps true.
import type { Entry, ExecutionView, StepView } from '../../api/generated';

type Shown = Omit<ExecutionView, 'logs'>;

interface Recording {
  journal: Entry[];
  /** The first in full, the others what is new in them: of the steps those that changed. */
  shows: [Shown, ...Partial<Shown>[]];
}

/** What the server shows after each entry. */
function told({ journal, shows: [first, ...changes] }: Recording): ExecutionView[] {
  const shown = [first];
  for (const { steps = [], ...rest } of changes) {
    const before = shown.at(-1)!;
    const changed = new Map(steps.map((step): [string, StepView] => [step.id, step]));
    shown.push({ ...before, ...rest, steps: before.steps.map((step) => changed.get(step.id) ?? step) });
  }
  return shown.map((view, index) => ({ ...view, logs: journal.slice(0, index + 1) }));
}

const files = import.meta.glob<Recording>('./recorded/*.json', { eager: true, import: 'default' });

/** By name: the server's view after each entry, the last of them with the whole journal. */
export const recordings = new Map(Object.entries(files).map(([path, recording]) => [path.replace(/^.*\/|\.json$/g, ''), told(recording)]));
