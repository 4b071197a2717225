// The entry: builds the services on the browser's own fetch, WebSocket and history, and mounts the application.
import { mount } from 'svelte';
import App from './App.svelte';
import { createApi } from './api/calls';
import { Client } from './api/client';
import { LiveSocket } from './api/socket';
import { Connection } from './features/shell/connection.svelte';
import { Crt } from './features/shell/crt.svelte';
import { Toasts } from './features/shell/toasts.svelte';
import { Session } from './features/session/session.svelte';
import { Router } from './routes/router.svelte';
import './ui/theme.css';

const session = new Session();
const connection = new Connection();
const toasts = new Toasts();

const client = new Client({
  fetch: (input, init) => fetch(input, init),
  csrf: () => session.me?.csrf ?? null,
  onUnauthorized: () => session.ended(() => location.reload()),
});

const socket = new LiveSocket({
  connect: () => new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`),
  onState: (state) => connection.set(state),
  onError: (detail) => toasts.show('error', detail),
});

const services = { api: createApi(client), socket, connection, session, toasts, router: new Router(window), crt: new Crt(localStorage, document.documentElement) };

mount(App, { target: document.getElementById('app')!, props: { services } });
