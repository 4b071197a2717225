// The live connection's state, as the page shows it.
import type { SocketState } from '../../api/socket';

export class Connection {
  state = $state.raw<SocketState>({ kind: 'stopped' });
  /** True from the first cut until the connection is back: what is shown may be stale. */
  lost = $state(false);

  set(state: SocketState): void {
    this.state = state;
    if (state.kind === 'waiting') this.lost = true;
    if (state.kind === 'open' || state.kind === 'stopped') this.lost = false;
  }
}
