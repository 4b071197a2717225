// An authenticating proxy in front of a server, as small as it can be: it tells who is signed in, and nobody else does.
import { createServer, request } from 'node:http';
import { connect } from 'node:net';

/** Starts one. `who` is signed in; with `null` every request but a page's is refused, as Authelia does. */
export async function startProxy(server, who) {
  const proxy = { who, origin: '', stop: () => {} };
  const headers = (from) => {
    const kept = Object.entries(from).filter(([name]) => !/^remote[^a-z]/.test(name));
    return { ...Object.fromEntries(kept), 'remote-user': proxy.who.user, 'remote-groups': proxy.who.groups.join(',') };
  };
  const http = createServer((incoming, answer) => {
    if (proxy.who === null) {
      answer.writeHead(incoming.headers.accept?.includes('text/html') ? 200 : 401, { 'content-type': 'text/html' });
      return answer.end('<h1>The portal</h1>');
    }
    const onward = request({ port: server.port, host: '127.0.0.1', method: incoming.method, path: incoming.url, headers: headers(incoming.headers) }, (response) => {
      answer.writeHead(response.statusCode, response.headers);
      response.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    incoming.pipe(onward);
  });
  const sockets = new Set();
  http.on('upgrade', (incoming, socket) => {
    if (proxy.who === null) return socket.end('HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n');
    const onward = connect(server.port, '127.0.0.1', () => {
      const lines = Object.entries(headers(incoming.headers)).map(([name, value]) => `${name}: ${value}\r\n`);
      onward.write(`GET ${incoming.url} HTTP/1.1\r\n${lines.join('')}\r\n`);
      onward.pipe(socket).pipe(onward);
    });
    for (const end of [onward, socket]) {
      sockets.add(end);
      end.on('error', () => [onward, socket].forEach((one) => one.destroy()));
    }
  });
  await new Promise((done) => http.listen(0, '127.0.0.1', done));
  proxy.origin = `http://127.0.0.1:${http.address().port}`;
  proxy.stop = () => {
    sockets.forEach((socket) => socket.destroy());
    http.close();
    http.closeAllConnections();
  };
  return proxy;
}
