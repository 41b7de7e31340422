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

export function setAnswering(now) {
  answering = now;
  arrange();
}

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

// Last, so that no key is pressed before something listens.
arrange();
field.focus();
performance.mark("cloister takes typing");
