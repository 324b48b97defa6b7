// A cable between app and plant that a test can cut, hold up and mend.

import { createServer, connect } from 'node:net';
import { later } from './programs.mjs';

/** A TCP proxy to `port` on a port of its own. */
export async function proxy(t, port) {
  const pairs = new Set();
  let passing = true;
  const server = createServer((client) => {
    if (!passing) return client.destroy();
    const plant = connect(port, '127.0.0.1');
    const pair = [client, plant];
    pairs.add(pair);
    const close = () => {
      pairs.delete(pair);
      pair.forEach((socket) => socket.destroy());
    };
    for (const socket of pair) socket.on('error', close).on('close', close);
    client.pipe(plant);
    plant.pipe(client);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    passing = false;
    for (const pair of pairs) pair.forEach((socket) => socket.destroy());
  };
  later(t, () => {
    cut();
    server.close();
  });
  return {
    endpoint: `opc.tcp://127.0.0.1:${server.address().port}/`,
    /** Both ends see the connection break; new ones are refused. */
    cut,
    /** Nothing passes any more, and nobody is told: a pulled plug. New connections pass. */
    stall: () => {
      for (const pair of pairs) {
        pair.forEach((socket) => {
          socket.unpipe();
          socket.pause();
        });
      }
    },
    /** New connections pass again. */
    mend: () => {
      passing = true;
    },
  };
}
