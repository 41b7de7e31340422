// Passkeys (docs/spec/vault.md, section 3; docs/spec/accounts.md, section 1): the operator's options in, the browser's answer out. What the PRF gives opens the account: it goes to
// the vault's keys, and never into the JSON that the operator is sent.

const first = await crypto.subtle.digest("SHA-256", new TextEncoder().encode("cloister passkey v1"));
const prf = { prf: { eval: { first } } };

// Not for the operator to choose: a passkey that is not discoverable would be offered nowhere, because signing in names none; and a PRF gives another output to who is not verified.
const discoverable = { residentKey: "required", requireResidentKey: true, userVerification: "required" };

let asking = new AbortController();

/** Ends the question that is open. */
export const cancel = () => asking.abort();

/** False where there is no way to a passkey: then asking would only wait. */
export const possible = () => typeof PublicKeyCredential === "function" && typeof PublicKeyCredential.parseRequestOptionsFromJSON === "function";

export const create = json => answer(async signal => {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(JSON.parse(json));
  const credential = await navigator.credentials.create({ publicKey: { ...publicKey, authenticatorSelection: discoverable, extensions: prf }, signal });
  const { prf: result } = credential.getClientExtensionResults();

  // Some authenticators say at first only that they have a PRF: it is asked for its output in a second question, whose signature nobody sees.
  const secret = result?.results?.first ?? (result?.enabled ? await evaluate(credential.rawId, publicKey.rp.id, signal) : null);
  return { credential, secret };
});

export const get = json => answer(async signal => {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(JSON.parse(json));
  const credential = await navigator.credentials.get({ publicKey: { ...publicKey, userVerification: "required", extensions: prf }, signal });
  return { credential, secret: credential.getClientExtensionResults().prf?.results?.first };
});

async function evaluate(id, rpId, signal) {
  const challenge = crypto.getRandomValues(new Uint8Array(32));
  const credential = await navigator.credentials.get({ publicKey: { challenge, rpId, allowCredentials: [{ type: "public-key", id }], userVerification: "required", extensions: prf }, signal });
  return credential.getClientExtensionResults().prf?.results?.first ?? null;
}

// Chromium does not hear an abort that comes in the first moments of a question; the page must not wait for it.
function aborted(signal) {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
}

// The name of what went wrong, or "" and the answer.
async function answer(ask) {
  asking = new AbortController();
  try {
    const { credential, secret } = await Promise.race([ask(asking.signal), aborted(asking.signal)]);
    return { fault: "", json: JSON.stringify({ ...credential.toJSON(), clientExtensionResults: {} }), secret: secret ? new Uint8Array(secret) : null };
  } catch (fault) {
    return { fault: fault?.name ?? "Error", json: "", secret: null };
  }
}
