// The workers that an execution's commands wait for: why they wait, and since when nothing is heard. Looked at only while
// there are such commands.
import type { Api } from '../../api/calls';
import type { WorkerView } from '../../api/generated';
import type { LiveSocket } from '../../api/socket';

/** Of more than so many, none is looked at: each would be a request. */
const MOST = 20;

export class AwaitedWorkers {
  /** By name, as far as they are known. */
  known = $state.raw<ReadonlyMap<string, WorkerView>>(new Map());

  constructor(
    private readonly api: Pick<Api, 'worker'>,
    private readonly socket: Pick<LiveSocket, 'subscribe'>,
  ) {}

  /** Looks at these workers until the returned function is called. */
  watch(names: string[]): () => void {
    this.known = new Map([...this.known].filter(([name]) => names.includes(name)));
    if (names.length === 0 || names.length > MOST) return () => {};
    const abort = new AbortController();
    const read = (name: string) =>
      this.api.worker(name, abort.signal).then(
        (worker) => this.put(worker),
        // The rows say that it is out of reach without it, too.
        () => {},
      );
    const leave = this.socket.subscribe('workers', (message) => {
      if (message.type === 'worker_update' && names.includes(message.worker.name)) this.put(message.worker);
      if (message.type === 'resync') names.forEach(read);
    });
    names.forEach(read);
    return () => {
      abort.abort();
      leave();
    };
  }

  private put(worker: WorkerView): void {
    this.known = new Map(this.known).set(worker.name, worker);
  }
}

/** Why a command that was not sent waits, in words; nothing when that is not known. */
export function waitsFor(worker: WorkerView | undefined): string {
  if (!worker) return '';
  if (worker.status !== 'online') return `the worker is ${worker.status}`;
  if (worker.draining) return 'the worker is draining';
  return `waits for room: the worker takes ${worker.capacity} at once`;
}
