// The vault's keys as handles of WebCrypto (docs/spec/vault.md). What stays after unlocking cannot be exported. Two handles can, while they are at hand, because WebCrypto
// wraps no others: the one of an account key that further unlockers are to get, and a new head key until it is sealed. What is bytes for a moment is an item's own key,
// which opens that item alone. Bytes come and go in batches, as one array each way.

import { join } from "./bytes.js";

const subtle = crypto.subtle;
const text = new TextEncoder();
const gcm = (iv, additionalData) => ({ name: "AES-GCM", iv, additionalData });
const hkdf = (salt, info) => ({ name: "HKDF", hash: "SHA-256", salt, info: text.encode(info) });

// Large enough to keep the browser's threads busy, small enough that a page of a long history is not all promises at once.
const atOnce = 256;

// ── Unlockers' secrets (section 3) ───────────────────────────────────────────────────────────────

export async function importSecret(bytes) {
  const secret = await subtle.importKey("raw", bytes, "HKDF", false, ["deriveBits", "deriveKey"]);
  bytes.fill(0);
  return secret;
}

export const newSecret = () => importSecret(crypto.getRandomValues(new Uint8Array(32)));

export async function derive(key, salt, info, length) {
  return { bytes: new Uint8Array(await subtle.deriveBits(hkdf(salt, info), key, length * 8)) };
}

export const wrapKeyOf = (secret, account) =>
  subtle.deriveKey(hkdf(account, "cloister unlocker v1 wrap"), secret, { name: "AES-GCM", length: 256 }, false, ["wrapKey", "unwrapKey"]);

// The key of a wrap that was made to a public key. It is bytes because the KEM is not WebCrypto's.
export async function importWrapKey(bytes) {
  const key = await subtle.importKey("raw", bytes, "AES-GCM", false, ["wrapKey", "unwrapKey"]);
  bytes.fill(0);
  return key;
}

// ── Account keys (section 2) ─────────────────────────────────────────────────────────────────────

// An account key while it is at hand: one handle derives, the other can be wrapped for further unlockers, so it can be exported, and is let go of soon.
const derives = ["HKDF", false, ["deriveBits", "deriveKey"]];
const wraps = [{ name: "HMAC", hash: "SHA-256", length: 256 }, true, ["sign"]];

// Null where it does not open.
export async function unwrapAccountKey(wrapKey, sealed, iv, additionalData) {
  try {
    const [deriving, wrapping] = await Promise.all([derives, wraps].map(as => subtle.unwrapKey("raw", sealed, wrapKey, gcm(iv, additionalData), ...as)));
    return { deriving, wrapping };
  } catch {
    return null;
  }
}

export async function wrapAccountKey(accountKey, wrapKey, iv, additionalData) {
  return { bytes: new Uint8Array(await subtle.wrapKey("raw", accountKey.wrapping, wrapKey, gcm(iv, additionalData))) };
}

export async function newAccountKey() {
  const wrapping = await subtle.generateKey(...wraps);
  const passage = await subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["wrapKey", "unwrapKey"]);
  const algorithm = gcm(new Uint8Array(12), new Uint8Array(0));
  const sealed = await subtle.wrapKey("raw", wrapping, passage, algorithm);
  return { deriving: await subtle.unwrapKey("raw", sealed, passage, algorithm, ...derives), wrapping };
}

export const deriveFromAccount = (accountKey, account, info) => derive(accountKey.deriving, account, info, 32);

const aead = (accountKey, account, info, usages) => subtle.deriveKey(hkdf(account, info), accountKey.deriving, { name: "AES-GCM", length: 256 }, false, usages);

export async function sealPrevious(accountKey, previous, account, iv, additionalData) {
  return wrapAccountKey(previous, await aead(accountKey, account, "cloister account v1 previous epoch", ["wrapKey"]), iv, additionalData);
}

export async function openPrevious(accountKey, account, sealed, iv, additionalData) {
  return unwrapAccountKey(await aead(accountKey, account, "cloister account v1 previous epoch", ["unwrapKey"]), sealed, iv, additionalData);
}

// ── Head keys ────────────────────────────────────────────────────────────────────────────────────

// It can be exported, so that it can be sealed; then it is let go of and opened again.
export async function newHeadKey() {
  const pair = await subtle.generateKey("Ed25519", true, ["sign", "verify"]);
  return { key: pair.privateKey, publicKey: new Uint8Array(await subtle.exportKey("raw", pair.publicKey)) };
}

export async function sealHeadKey(accountKey, head, account, iv, additionalData) {
  const key = await aead(accountKey, account, "cloister account v1 head key", ["wrapKey"]);
  return { bytes: new Uint8Array(await subtle.wrapKey("pkcs8", head.key, key, gcm(iv, additionalData))) };
}

// Null where it does not open, or is not the private key of the public key that its record names: a signature of its own tells.
export async function openHeadKey(accountKey, account, sealed, iv, additionalData, publicKey) {
  try {
    const key = await aead(accountKey, account, "cloister account v1 head key", ["unwrapKey"]);
    const head = { key: await subtle.unwrapKey("pkcs8", sealed, key, gcm(iv, additionalData), "Ed25519", false, ["sign"]) };
    const named = await subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]);
    return await subtle.verify("Ed25519", named, await subtle.sign("Ed25519", head.key, additionalData), additionalData) ? head : null;
  } catch {
    return null;
  }
}

export async function sign(head, message) {
  return { bytes: new Uint8Array(await subtle.sign("Ed25519", head.key, message)) };
}

// ── Items (section 5) ────────────────────────────────────────────────────────────────────────────

export async function itemKeys(accountKey, account) {
  const derived = (info, algorithm, usages) => subtle.deriveKey(hkdf(account, info), accountKey.deriving, algorithm, false, usages);
  const blocks = await derived("cloister account v1 items", { name: "AES-CBC", length: 256 }, ["encrypt"]);
  const commitment = await derived("cloister account v1 item commitment", { name: "HMAC", hash: "SHA-256", length: 256 }, ["sign", "verify"]);

  // XAES-256-GCM (C2SP): L = AES(0), K1 = L shifted left by one bit, with 0x87 where L's top bit was set.
  const k1 = await encryptBlock(blocks, new Uint8Array(16));
  const carry = k1[0] >> 7;
  for (let i = 0; i < 15; i++) {
    k1[i] = (k1[i] << 1) | (k1[i + 1] >> 7);
  }
  k1[15] = (k1[15] << 1) ^ (carry * 0x87);
  return { blocks, commitment, k1 };
}

// One more epoch at the end of the list; null is the empty one.
export async function addEpoch(epochs, accountKey, account) {
  epochs ??= [];
  epochs.push(await itemKeys(accountKey, account));
  return epochs;
}

const noIv = new Uint8Array(16);

// One block under CBC with an initial vector of zeros is the bare block cipher; the padding block behind it is dropped.
async function encryptBlock(key, block) {
  return new Uint8Array(await subtle.encrypt({ name: "AES-CBC", iv: noIv }, key, block), 0, 16);
}

// M1, M2 = 0x00 01|02 'X' 0x00 ‖ N[:12]; the item's key = AES(M1 ⊕ K1) ‖ AES(M2 ⊕ K1).
async function itemKey(keys, nonce, usage) {
  const halves = await Promise.all([1, 2].map(half => {
    const message = new Uint8Array(16);
    message.set([0, half, 0x58, 0]);
    message.set(nonce.subarray(0, 12), 4);
    return encryptBlock(keys.blocks, message.map((byte, i) => byte ^ keys.k1[i]));
  }));
  const bytes = join(halves);
  const key = await subtle.importKey("raw", bytes, "AES-GCM", false, [usage]);
  bytes.fill(0);
  return key;
}

const good = 1, wrongCommitment = 4, corrupt = 5;

// The commitment comes first: AES-GCM alone would let one ciphertext open under two keys.
async function openOne(keys, { associated, content }) {
  const nonce = content.subarray(5, 29);
  if (!await subtle.verify("HMAC", keys.commitment, content.subarray(29, 61), join([associated, nonce]))) {
    return wrongCommitment;
  }
  try {
    const key = await itemKey(keys, nonce, "decrypt");
    return new Uint8Array(await subtle.decrypt(gcm(nonce.subarray(12), associated), key, content.subarray(61)));
  } catch {
    return corrupt;
  }
}

async function sealOne(keys, { associated, content }) {
  const nonce = crypto.getRandomValues(new Uint8Array(24));
  const [commitment, key] = await Promise.all([subtle.sign("HMAC", keys.commitment, join([associated, nonce])), itemKey(keys, nonce, "encrypt")]);
  const ciphertext = await subtle.encrypt(gcm(nonce.subarray(12), associated), key, content);
  return join([nonce, new Uint8Array(commitment), new Uint8Array(ciphertext)]);
}

// Epochs: item keys by epoch − 1. In: rows of epoch(u32) ‖ additional data(55) ‖ length(u32) ‖ bytes. Out: rows of fault(u8) ‖ length(u32) ‖ bytes.
export const openItems = (epochs, rows) => each(rows, row => openOne(epochs[row.epoch - 1], row));

export const sealItems = (epochs, rows) => each(rows, row => sealOne(epochs[row.epoch - 1], row));

async function each(packed, work) {
  const rows = [];
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  for (let at = 0; at < packed.length;) {
    const length = view.getUint32(at + 59);
    rows.push({ epoch: view.getUint32(at), associated: packed.subarray(at + 4, at + 59), content: packed.subarray(at + 63, at + 63 + length) });
    at += 63 + length;
  }

  const parts = [];
  for (let from = 0; from < rows.length; from += atOnce) {
    for (const result of await Promise.all(rows.slice(from, from + atOnce).map(work))) {
      const [fault, bytes] = typeof result === "number" ? [result, new Uint8Array(0)] : [good, result];
      const header = new Uint8Array(5);
      header[0] = fault;
      new DataView(header.buffer).setUint32(1, bytes.length);
      parts.push(header, bytes);
    }
  }
  return { bytes: join(parts) };
}

// ── What a device derives for itself (section 9) ─────────────────────────────────────────────────

export const cacheKey = (accountKey, account) => aead(accountKey, account, "cloister account v1 device cache", ["encrypt", "decrypt"]);

export async function sealForDevice(key, purpose, content) {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  return { bytes: join([iv, new Uint8Array(await subtle.encrypt(gcm(iv, text.encode(purpose)), key, content))]) };
}

// Null where it does not open.
export async function openForDevice(key, purpose, content) {
  try {
    return { bytes: new Uint8Array(await subtle.decrypt(gcm(content.subarray(0, 12), text.encode(purpose)), key, content.subarray(12))) };
  } catch {
    return null;
  }
}
