// What pages and features are given: the application's services, built once in main.ts and handed down by Svelte's context.
import { createContext } from 'svelte';
import type { Api } from './api/calls';
import type { LiveSocket } from './api/socket';
import type { Connection } from './features/shell/connection.svelte';
import type { Crt } from './features/shell/crt.svelte';
import type { Toasts } from './features/shell/toasts.svelte';
import type { Session } from './features/session/session.svelte';
import type { Router } from './routes/router.svelte';

export interface Services {
  api: Api;
  socket: LiveSocket;
  connection: Connection;
  session: Session;
  router: Router;
  toasts: Toasts;
  crt: Crt;
}

export const [getServices, setServices] = createContext<Services>();
