// The programs under test as children of the test: started on ports that the system chooses, in a
// temporary folder, and ended with it.

import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** The top of the checkout. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const PROGRAMS = process.env.LINESIDE_PROGRAMS ?? join(ROOT, 'target/debug');
const READY_MS = 30_000;
const END_MS = 10_000;

export const UI = join(ROOT, 'ui/dist');

/** The path of a built program. */
export const program = (name) => join(PROGRAMS, name);

/**
 * What either host is told: the `plant.toml` (without one it looks in the data folder), the data folder, and a recording
 * to open at once.
 */
export function argumentsOf({ plant, data, recording }) {
  return [...(plant === undefined ? [] : ['--plant', plant]), '--data', data, ...(recording === undefined ? [] : [recording])];
}

const stacks = new WeakMap();

/** Has `undo` run after the test: the last that was asked for comes first (`t.after` goes the other way round). */
export function later(t, undo) {
  if (!stacks.has(t)) {
    stacks.set(t, []);
    t.after(async () => {
      for (const step of stacks.get(t).reverse()) await step();
    });
  }
  stacks.get(t).push(undo);
}

/** A temporary folder that is removed when the test ends. */
export async function folder(t) {
  const path = await mkdtemp(join(tmpdir(), 'lineside-e2e-'));
  later(t, () => rm(path, { recursive: true, force: true, maxRetries: 5 }));
  return path;
}

/**
 * Starts a program. Its standard error is kept and shown when it ends unasked. `withChildren`: what it starts itself
 * ends with it.
 * @returns {{child: import('node:child_process').ChildProcess, log: string[], lines: string[], ended: Promise<number|null>}}
 */
export function start(t, path, args, { environment = {}, withChildren = false } = {}) {
  const env = { ...process.env, ...environment };
  const child = spawn(path, args, { stdio: ['pipe', 'pipe', 'pipe'], env, detached: withChildren });
  const running = { child, log: [], lines: [], withChildren };
  createInterface({ input: child.stderr }).on('line', (line) => running.log.push(line));
  running.output = createInterface({ input: child.stdout });
  running.output.on('line', (line) => running.lines.push(line));
  running.ended = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  running.ended.catch(() => {});
  later(t, () => end(running));
  return running;
}

/** Asks a program to end, and ends it if it does not. */
export async function end(running) {
  const { child } = running;
  if (child.exitCode === null && child.signalCode === null) {
    child.stdin.end();
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), END_MS);
    await running.ended.catch(() => null);
    clearTimeout(timer);
  }
  if (running.withChildren) endGroup(child.pid);
}

/** Whoever is left of a program's children would keep its pipes open, and so this process alive. */
function endGroup(pid) {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

/** The first line of output that `pattern` matches; fails with the program's messages when it ends before. */
export function line(running, pattern) {
  return new Promise((resolve, reject) => {
    const stop = (done, value) => {
      clearTimeout(timer);
      running.output.off('line', look);
      done(value);
    };
    const fail = (why) => stop(reject, new Error(`${why} before ${pattern}:\n${running.log.slice(-20).join('\n')}`));
    const look = (text) => {
      const match = pattern.exec(text);
      if (match) stop(resolve, match);
    };
    const timer = setTimeout(() => fail(`${READY_MS} ms passed`), READY_MS);
    running.output.on('line', look);
    running.ended.then((code) => fail(`it ended with ${code}`), fail);
    running.lines.forEach(look);
  });
}

/** A simulated plant (by default one where nothing happens by itself), and the data folder of an app that trusts it. */
export async function plant(t, { home, port = 0, scenario = 'steady' } = {}) {
  home ??= await folder(t);
  const pki = join(home, 'plant-pki');
  const args = ['--port', String(port), '--pki', pki, '--scenario', scenario, '--trust-clients', '--exit-with-stdin'];
  const running = start(t, program('lineside-plant'), args);
  const [, endpoint] = await line(running, /^UP (\S+)/);
  const data = join(home, 'data');
  await mkdir(join(data, 'pki/trusted/certs'), { recursive: true });
  await cp(join(pki, 'own'), join(data, 'pki/trusted/certs'), { recursive: true });
  return {
    home,
    data,
    endpoint,
    port: Number(new URL(endpoint.replace('opc.tcp:', 'http:')).port),
    /** Gives a live command, such as `jam Capper 30 s`. */
    say: (command) => running.child.stdin.write(`${command}\n`),
    end: () => end(running),
  };
}

/** Writes the `plant.toml` that shows `plant`, reached at `endpoint`. */
export async function configuration(t, plant, { endpoint = plant.endpoint, edit = (text) => text } = {}) {
  const printed = start(t, program('lineside-plant'), ['config', '--endpoint', endpoint]);
  const code = await printed.ended;
  if (code !== 0) throw new Error(`lineside-plant config ended with ${code}:\n${printed.log.join('\n')}`);
  const path = join(plant.home, 'plant.toml');
  await writeFile(path, edit(`${printed.lines.join('\n')}\n`));
  return path;
}
