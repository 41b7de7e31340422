// What works before the runtime is there: typing, and waiting to be sent. The rest of the page belongs to the components.

const body = document.body;
const field = document.getElementById("message");
const send = document.getElementById("send");
const stop = document.getElementById("stop");
const note = document.getElementById("note");
const latest = document.getElementById("latest");
const turns = document.getElementById("turns");

const notes = {
  usual: "Enter sends, Shift+Enter starts a new line.",
  waiting: "This will be sent once the enclave has been checked. Nothing has left your device.",
  refused: "Nothing is sent: the enclave was refused.",
  away: "This will be sent once the enclave can be reached. Nothing has left your device.",
};

let state = "checking";
let waiting = false;
let answering = false;
let following = true;
let ask = () => {};

// ── Writing ──────────────────────────────────────────────────────────────────────────────────────

function arrange() {
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
  send.disabled = field.value.trim() === "" || state === "refused";
  send.hidden = answering;
  stop.hidden = !answering;
  note.textContent = state === "refused" ? notes.refused : !waiting ? notes.usual : state === "away" ? notes.away : notes.waiting;
  body.dataset.state = state;
  body.toggleAttribute("data-waiting", waiting);
}

function submit() {
  const text = field.value.trim();
  waiting = text !== "" && state !== "open" && state !== "refused";
  if (text !== "" && state === "open" && !answering) {
    field.value = "";
    following = true;
    document.getElementById("welcome").hidden = true;
    ask(text);
  }
  arrange();
}

field.addEventListener("input", () => {
  waiting &&= field.value.trim() !== "";
  arrange();
});
field.addEventListener("keydown", event => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    submit();
  }
});
document.getElementById("composer").addEventListener("submit", event => {
  event.preventDefault();
  submit();
});
document.querySelector(".openings").addEventListener("click", event => {
  if (event.target instanceof HTMLButtonElement) {
    field.value = event.target.textContent;
    field.focus();
    submit();
  }
});

// ── Reading: the page follows the answer while the reader is at its end, and only then ───────────

const root = document.scrollingElement;
const atEnd = () => root.scrollHeight - root.scrollTop - root.clientHeight < 48;
let lastTop = 0;

function follow() {
  if (following) {
    root.scrollTop = root.scrollHeight;
  }
  latest.hidden = following || atEnd();
}

addEventListener("scroll", () => {
  // Upwards is the reader's doing; downwards may be ours.
  following = root.scrollTop < lastTop - 1 && !atEnd() ? false : following || atEnd();
  lastTop = root.scrollTop;
  latest.hidden = following || atEnd();
}, { passive: true });
latest.addEventListener("click", () => {
  following = true;
  follow();
  field.focus();
});
new MutationObserver(follow).observe(turns, { childList: true, subtree: true, characterData: true });

// ── For the components ───────────────────────────────────────────────────────────────────────────

export function listen(onAsk, onStop) {
  ask = onAsk;
  stop.addEventListener("click", () => {
    onStop();
    field.focus();
  });
}

export function setState(next, isSimulated) {
  state = next;
  body.toggleAttribute("data-simulated", isSimulated);
  performance.mark(`cloister ${state}`);
  if (waiting) {
    submit();
  } else {
    arrange();
  }
}

export function setConversation(isAnswering, isEmpty) {
  answering = isAnswering;
  document.getElementById("welcome").hidden = !isEmpty;
  arrange();
}

export function toEnd() {
  following = true;
  requestAnimationFrame(follow);
}

// ── The account ──────────────────────────────────────────────────────────────────────────────────

export const setKept = kept => body.toggleAttribute("data-kept", kept);

export function openDialog(id) {
  const dialog = document.getElementById(id);
  if (!dialog.open) {
    dialog.showModal();
  }
}

export const closeDialog = id => document.getElementById(id).close();

export const hidePopover = id => document.getElementById(id).hidePopover();

export const focusOn = selector => requestAnimationFrame(() => document.querySelector(selector)?.focus());

// Each step of a dialog takes away the button that led to it, and the keyboard would fall out of the dialog with it.
export function holdFocus(id, selector) {
  const dialog = document.getElementById(id);
  let last = null;
  dialog.addEventListener("focusin", event => last = event.target);
  new MutationObserver(() => {
    if (dialog.open && last !== null && !last.isConnected && !dialog.contains(document.activeElement)) {
      dialog.querySelector(selector)?.focus();
    }
  }).observe(dialog, { childList: true, subtree: true });
}

// A long list goes on by itself when its end is seen.
const ends = new IntersectionObserver(entries => entries.filter(entry => entry.isIntersecting).forEach(entry => entry.target.click()));

export function goOnAt(id) {
  const end = document.getElementById(id);
  ends.disconnect();
  if (end !== null) {
    ends.observe(end);
  }
}

// Not sent to anybody: what stands behind the number sign stays in the browser. It is taken out of the address, so that going back does not bring it again.
export function onPairing(answer) {
  const look = () => {
    const link = location.href;
    if (location.hash.startsWith("#pair=")) {
      history.replaceState(null, "", location.pathname);
      answer(link);
    }
  };
  addEventListener("hashchange", look);
  look();
}

export function deviceName() {
  const agent = navigator.userAgent;
  const first = names => names.find(([mark]) => agent.includes(mark))?.[1];
  const browser = first([["Firefox", "Firefox"], ["Edg", "Edge"], ["OPR", "Opera"], ["Chrom", "Chrome"], ["Safari", "Safari"]]) ?? "Browser";
  const system = first([["iPhone", "iPhone"], ["iPad", "iPad"], ["Android", "Android"], ["Windows", "Windows"], ["Mac", "Mac"], ["CrOS", "Chromebook"], ["Linux", "Linux"]]);
  return system ? `${browser} on ${system}` : browser;
}

// Some browsers drag nothing that carries nothing.
document.addEventListener("dragstart", event => event.dataTransfer?.setData("text/plain", ""));

/** Gives a message that was not sent back to the writer, in front of what was typed since. */
export function giveBack(text) {
  field.value = [text, field.value].filter(part => part !== "").join("\n\n");
  arrange();
}

export function announce(text) {
  document.getElementById("announcement").textContent = text;
}

export async function copy(text) {
  await navigator.clipboard.writeText(text);
}

// A browser that keeps nothing still remembers until the page is closed.
const memory = new Map();

export function remembered(name) {
  try {
    return localStorage.getItem(name) ?? memory.get(name) ?? null;
  } catch {
    return memory.get(name) ?? null;
  }
}

// Events of storage come from other tabs alone. One without a key: everything was cleared.
export const onForgotten = (name, then) => addEventListener("storage", event => {
  if ((event.key === name && !event.newValue) || event.key === null) {
    memory.delete(name);
    then();
  }
});

export function remember(name, text) {
  memory.set(name, text);
  try {
    localStorage.setItem(name, text);
  } catch {
    // Storage is full or switched off.
  }
}

// The list of conversations has its room from the beginning, so that nothing moves when it comes.
setKept(!!remembered("cloister account"));

// Last, so that no key is pressed before something listens.
arrange();
field.focus();
performance.mark("cloister takes typing");
