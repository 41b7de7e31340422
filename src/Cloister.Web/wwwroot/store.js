// What this device keeps, in IndexedDB: a history's tables, and the device's way to its account. Keys and values are bytes; batches come packed in one array.

import { join } from "./bytes.js";

const tables = ["0", "1", "2", "3", "4", "5", "6"];
const device = "device";

export function open(name) {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => [...tables, device].forEach(table => request.result.createObjectStore(table));
    request.onerror = () => reject(new Error("The browser opens no storage for this page."));
    request.onblocked = () => reject(new Error("Another tab holds the storage with an older version of this page."));
    request.onsuccess = () => {
      const db = request.result;
      db.onversionchange = () => db.close();
      resolve({ db });
    };
  });
}

// Asked for once and not waited for: a browser may ask its user, who may not answer for long. Nor relied upon: what the browser evicts is fetched again.
let asked;

export function persist() {
  asked ??= navigator.storage?.persist?.().catch(() => false);
}

export async function persisted() {
  return await navigator.storage?.persisted?.().catch(() => false) ?? false;
}

export const close = ({ db }) => db.close();

const done = request => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

const ended = transaction => new Promise((resolve, reject) => {
  transaction.oncomplete = () => resolve();
  transaction.onabort = () => reject(transaction.error ?? new DOMException("", "AbortError"));
});

// ── Reading ──────────────────────────────────────────────────────────────────────────────────────

// In: rows of length(u16) ‖ key. Out: rows of there(u8) ‖ length(u32) ‖ value.
export async function read({ db }, table, packedKeys) {
  const store = db.transaction(table).objectStore(table);
  const values = await Promise.all(unpackKeys(packedKeys).map(key => done(store.get(key))));
  return { bytes: join(values.flatMap(value => [[value ? 1 : 0], long(value?.length ?? 0), value ?? []])) };
}

// Out: rows of length(u16) ‖ key ‖ length(u32) ‖ value.
export async function range({ db }, table, from, to, limit) {
  const store = db.transaction(table).objectStore(table);
  const where = between(from, to);
  if (where === null) {
    return { bytes: new Uint8Array(0) };
  }
  const [keys, values] = await Promise.all([done(store.getAllKeys(where, limit)), done(store.getAll(where, limit))]);
  return { bytes: join(keys.flatMap((key, i) => [short(key.byteLength), new Uint8Array(key), long(values[i].length), values[i]])) };
}

// An empty range is none to IndexedDB.
function between(from, to) {
  return to.length === 0 ? IDBKeyRange.lowerBound(from) : indexedDB.cmp(from, to) < 0 ? IDBKeyRange.bound(from, to, false, true) : null;
}

// ── Writing: all or nothing, and on the disk when it ends ────────────────────────────────────────

const put = 1, remove = 2, removeRange = 3, expect = 4;

// In: rows of action(u8) ‖ table(u8) ‖ length(u16) ‖ key ‖ there(u8) ‖ length(u32) ‖ value. The answer: "", "conflict", "full" or "failed".
export async function write({ db }, packed) {
  const rows = unpackWrites(packed);
  let conflict = false;
  try {
    const transaction = db.transaction([...new Set(rows.map(row => row.table))], "readwrite", { durability: "strict" });
    const all = ended(transaction);
    for (const { action, table, key, value } of rows) {
      const store = transaction.objectStore(table);
      if (action === put) {
        store.put(value, key);
      } else if (action === remove) {
        store.delete(key);
      } else if (action === removeRange) {
        const where = between(key, value ?? []);
        where && store.delete(where);
      } else if (action === expect) {
        // Requests of a transaction run in order, so what comes before is done by now, and aborting undoes it.
        store.get(key).onsuccess = event => {
          if (!same(event.target.result, value)) {
            conflict = true;
            transaction.abort();
          }
        };
      }
    }
    await all;
    return "";
  } catch (error) {
    return conflict ? "conflict" : error.name === "QuotaExceededError" ? "full" : "failed";
  }
}

const same = (found, wanted) => wanted === null ? found === undefined : found !== undefined && found.length === wanted.length && found.every((byte, i) => byte === wanted[i]);

// ── The device's way to its account ──────────────────────────────────────────────────────────────

export async function loadDevice({ db }) {
  return await done(db.transaction(device).objectStore(device).get("this")) ?? null;
}

// Only in place of the record before, an empty one standing for none. The answer: whether that was there. Another tab's account is neither overwritten nor forgotten.
export async function saveDevice({ db }, record, secret, before) {
  return await changeDevice(db, [device], before, transaction => transaction.objectStore(device).put({ record: record.slice(), secret }, "this"));
}

export const secretOf = kept => kept.secret;

export async function forget({ db }, before) {
  return await changeDevice(db, [...tables, device], before, transaction => [...tables, device].forEach(table => transaction.objectStore(table).clear()));
}

async function changeDevice(db, names, before, change) {
  const transaction = db.transaction(names, "readwrite", { durability: "strict" });
  const wanted = before.length === 0 ? null : before.slice();
  let held = false;
  transaction.objectStore(device).get("this").onsuccess = event => {
    held = same(event.target.result?.record, wanted);
    if (held) {
      change(transaction);
    }
  };
  await ended(transaction);
  return held;
}

// ── Packing ──────────────────────────────────────────────────────────────────────────────────────

const short = number => [number >> 8, number & 255];
const long = number => [number >>> 24, (number >> 16) & 255, (number >> 8) & 255, number & 255];

function unpackKeys(packed) {
  const keys = [];
  for (let at = 0; at < packed.length;) {
    const length = (packed[at] << 8) | packed[at + 1];
    keys.push(packed.slice(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return keys;
}

function unpackWrites(packed) {
  const rows = [];
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  for (let at = 0; at < packed.length;) {
    const keyLength = view.getUint16(at + 2);
    const behind = at + 4 + keyLength;
    const length = view.getUint32(behind + 1);
    rows.push({
      action: packed[at],
      table: String(packed[at + 1]),
      key: packed.slice(at + 4, behind),
      value: packed[behind] === 0 ? null : packed.slice(behind + 5, behind + 5 + length),
    });
    at = behind + 5 + length;
  }
  return rows;
}
