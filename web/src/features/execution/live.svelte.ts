// One execution, live: read once over HTTP, then carried on by events and output from the WebSocket.
import type { Api } from '../../api/calls';
import { isAbort, problemText } from '../../api/client';
import type { LiveSocket } from '../../api/socket';
import { Transcript } from '../output/transcript.svelte';
import type { ExecutionView } from '../../api/generated';
import { Fold } from './fold';

export class LiveExecution {
  /** null until it has been read. */
  view = $state.raw<ExecutionView | null>(null);
  error = $state<string | null>(null);
  readonly transcript = new Transcript();
  private fold: Fold | null = null;
  private readonly abort = new AbortController();
  private readonly leave: (() => void)[] = [];

  constructor(
    private readonly id: string,
    private readonly api: Pick<Api, 'execution'>,
    private readonly socket: Pick<LiveSocket, 'subscribe'>,
  ) {}

  async start(): Promise<void> {
    await this.read();
    if (this.abort.signal.aborted || !this.view || this.leave.length > 0) return;
    const after = this.view.logs.at(-1)?.seq ?? 0;
    this.leave.push(
      this.socket.subscribe(
        `execution:${this.id}`,
        (message) => {
          if (message.type === 'execution_event' && this.fold?.apply(message.entry)) this.view = this.fold.view;
          if (message.type === 'resync') void this.read();
        },
        after,
      ),
      this.socket.subscribe(
        `output:${this.id}`,
        (message) => {
          if (message.type === 'output') this.transcript.add(message);
          if (message.type === 'subscribed') this.transcript.complete = true;
        },
        0,
      ),
    );
  }

  /** Reads it anew; events that came meanwhile are kept. */
  async read(): Promise<void> {
    this.error = null;
    try {
      const fold = new Fold(await this.api.execution(this.id, this.abort.signal));
      this.view?.logs.forEach((entry) => fold.apply(entry));
      this.fold = fold;
      this.view = fold.view;
    } catch (error) {
      if (!isAbort(error)) this.error = problemText(error);
    }
  }

  stop(): void {
    this.abort.abort();
    for (const leave of this.leave) leave();
  }
}
