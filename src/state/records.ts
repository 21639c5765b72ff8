import { createHash } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { makePrivateFolder } from '../famfs/private-folder.ts';

/**
 * Small JSON records by key, one file each, in one folder. A file is replaced as a whole (written
 * beside, synced, renamed, folder synced), so that a reader and a crash see the old or the new
 * record and never a part of one.
 */
export class RecordFolder<Value> {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async get(key: string): Promise<Value | undefined> {
    return readRecord<Value>(this.#file(key));
  }

  async put(key: string, value: Value): Promise<void> {
    makePrivateFolder(this.#folder);
    await writeDurably(this.#file(key), JSON.stringify(value));
  }

  async delete(key: string): Promise<void> {
    await fs.rm(this.#file(key), { force: true });
    await syncFolder(this.#folder).catch(ignoreMissing);
  }

  async list(): Promise<Value[]> {
    const names = await fs.readdir(this.#folder).catch(ignoreMissing) ?? [];
    const records = await Promise.all(names.filter((name) => name.endsWith('.json')).sort()
      .map((name) => readRecord<Value>(path.join(this.#folder, name))));
    return records.filter((record) => record !== undefined);
  }

  /** Keys are names from outside: hashed, they can be neither too long nor a path. */
  #file(key: string): string {
    return path.join(this.#folder, `${createHash('sha256').update(key).digest('hex').slice(0, 40)}.json`);
  }
}

let lastTemporary = 0;

/** Replaces a file's content so that it survives a power failure, or leaves the old content. */
export async function writeDurably(file: string, text: string): Promise<void> {
  const temporary = `${file}.${process.pid}.${++lastTemporary}.tmp`;
  try {
    const handle = await fs.open(temporary, 'w', 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await fs.rename(temporary, file);
  } catch (error) {
    await fs.rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(path.dirname(file));
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await fs.open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function readRecord<Value>(file: string): Promise<Value | undefined> {
  const text = await fs.readFile(file, 'utf8').catch(ignoreMissing);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Value;
  } catch (error) {
    throw new Error(`${file} holds no JSON: restore it or remove it`, { cause: error });
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined;
  throw error;
}
