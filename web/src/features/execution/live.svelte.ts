// One execution, live: read once over HTTP, then carried on by events and output from the WebSocket.
import type { Api } from '../../api/calls';
import { isAbort, problemText } from '../../api/client';
import type { LiveSocket } from '../../api/socket';
import { Transcript } from '../output/transcript.svelte';
import type { ExecutionView } from '../../api/generated';
import { applyEntry, ended } from './fold';

export class LiveExecution {
  /** null until it has been read. */
  view = $state.raw<ExecutionView | null>(null);
  error = $state<string | null>(null);
  readonly transcript = new Transcript();
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
          if (message.type === 'execution_event' && this.view) this.view = applyEntry(this.view, message.entry);
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
      // The summary knows what the journal's entries do not say, such as being queued behind another run.
      this.socket.subscribe('executions', (message) => {
        if (message.type === 'resync') void this.read();
        if (message.type === 'execution_update' && message.execution.id === this.id && this.view && !ended(this.view)) this.view = { ...this.view, ...message.execution };
      }),
    );
  }

  /** Reads it anew; events that came meanwhile are kept. */
  async read(): Promise<void> {
    this.error = null;
    try {
      const read = await this.api.execution(this.id, this.abort.signal);
      this.view = (this.view?.logs ?? []).reduce(applyEntry, read);
    } catch (error) {
      if (!isAbort(error)) this.error = problemText(error);
    }
  }

  stop(): void {
    this.abort.abort();
    for (const leave of this.leave) leave();
  }
}
