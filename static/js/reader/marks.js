// Marks: shown at once, sent one after the other, taken back when the server cannot be reached, kept while offline.

import { rowOf, showMark } from "./list.js";
import { Refused, SignedOut, article, ask, find, list } from "./page.js";
import { toast, withdrawOffers } from "./toasts.js";

const STORE = "reader-marks";
const MOST_AT_ONCE = 500;

const pending = new Map(); // number of a post -> {isRead, sourceId}
const pile = []; // what can be undone, the latest last: {post} or {moment}
let sending = null;

// --- marking -----------------------------------------------------------------------------------------------------
/** Mark a post. The promise is kept when it is sent, or given up. */
export function mark(id, isRead) {
  const post = { id, sourceId: sourceOf(id) };
  if (isRead) remember({ post });
  return apply(post, isRead);
}

function apply({ id, sourceId }, isRead) {
  showMark(id, isRead, sourceId);
  pending.set(id, { isRead, sourceId });
  keep();
  return flush();
}

function sourceOf(id) {
  const shown = article();
  return rowOf(id)?.dataset.source ?? (shown?.dataset.id === id ? shown.dataset.source : "");
}

export function flush() {
  sending ??= sendAll().finally(() => (sending = null));
  return sending;
}

async function sendAll() {
  while (pending.size) {
    const isRead = [...pending.values()][0].isRead;
    const ids = [...pending].filter(([, wish]) => wish.isRead === isRead).map(([id]) => id).slice(0, MOST_AT_ONCE);
    try {
      await ask(document.body.dataset.mark, { values: { ids: ids.join(","), read: isRead ? "1" : "0" } });
    } catch (error) {
      if (!giveUp(error, ids, isRead)) return;
    }
    for (const id of ids) if (pending.get(id)?.isRead === isRead) pending.delete(id);
    keep();
  }
}

/** Whether these marks are done with; else they wait for the network. */
function giveUp(error, ids, isRead) {
  if (error instanceof TypeError && !navigator.onLine) return false;
  const isGone = error instanceof Refused && error.status === 404;
  if (isGone) {
    toast("This post is not there any more.", "warning");
    return true;
  }
  for (const id of ids) showMark(id, !isRead, pending.get(id)?.sourceId);
  if (isRead) forget(ids);
  if (error instanceof SignedOut) {
    toast("You are signed out.", "warning", { words: "Sign in", run: () => location.reload() });
  } else {
    toast("The server could not be reached, so nothing was marked.", "warning");
  }
  return true;
}

// --- undo --------------------------------------------------------------------------------------------------------
function remember(step) {
  withdrawOffers(); // the latest step is the one that is undone first
  pile.push(step);
  showUndo();
}

function forget(ids) {
  const isLeft = (step) => !step.post || !ids.includes(step.post.id);
  pile.splice(0, pile.length, ...pile.filter(isLeft));
  showUndo();
}

function showUndo() {
  const form = find("#undo-form");
  const hadFocus = form.contains(document.activeElement);
  form.hidden = pile.length === 0;
  if (form.hidden && hadFocus) list().focus({ preventScroll: true });
}

export async function undo() {
  const step = pile.pop();
  withdrawOffers();
  showUndo();
  if (!step) return toast("There is nothing to undo.");
  if (step.post) return apply(step.post, false);
  try {
    const answer = await ask(document.body.dataset.undo, { values: { moment: step.moment } });
    const { count } = await answer.json();
    await refresh();
    toast(`${count} post${count === 1 ? " is" : "s are"} unread again.`, "success");
  } catch (error) {
    remember(step);
    complain(error);
  }
  return undefined;
}

// --- many at once ------------------------------------------------------------------------------------------------
export async function markMany(form, button) {
  const values = new FormData(form, button);
  try {
    await flush();
    const answer = await ask(document.body.dataset.markAll, { values });
    const { count, moment } = await answer.json();
    if (count === 0) return toast("There was nothing to mark.");
    remember({ moment });
    await refresh();
    toast(`Marked ${count} post${count === 1 ? "" : "s"} as read.`, "success", { words: "Undo", run: undo });
  } catch (error) {
    complain(error);
  }
  return undefined;
}

function complain(error) {
  if (error instanceof SignedOut) location.reload();
  else toast("The server could not be reached, so nothing was changed.", "warning");
}

/** The list and the numbers as the server has them now; what can be undone stays. */
export async function refresh() {
  const answer = await ask(list().dataset.here);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const selector of ["#list", "#status", "#shelf"]) {
    const [here, there] = [find(selector), find(selector, page)];
    if (!there) return location.reload(); // no source is left
    if (selector === "#list") here.dataset.show = there.dataset.show;
    here.innerHTML = there.innerHTML;
    window.htmx.process(here);
  }
  find("#mark-all-form [name=seen]").value = find("#mark-all-form [name=seen]", page).value;
  document.dispatchEvent(new Event("reader:rows"));
  return undefined;
}

// --- while offline -----------------------------------------------------------------------------------------------
function keep() {
  const key = document.body.dataset.readerKey;
  if (pending.size) localStorage.setItem(STORE, JSON.stringify({ key, marks: [...pending] }));
  else localStorage.removeItem(STORE);
}

function recall() {
  let kept = null;
  try {
    kept = JSON.parse(localStorage.getItem(STORE));
  } catch {
    kept = null; // not ours, or cut short
  }
  if (kept?.key !== document.body.dataset.readerKey || !Array.isArray(kept.marks)) return localStorage.removeItem(STORE);
  for (const [id, wish] of kept.marks) {
    pending.set(id, wish);
    if (rowOf(id)) showMark(id, wish.isRead, wish.sourceId);
  }
  return flush();
}

export function startMarks() {
  const moment = find("#undo-form [name=moment]").value;
  if (moment) pile.push({ moment });
  showUndo();
  recall();
  window.addEventListener("online", () => pending.size && flush().then(() => toast("Your marks were sent.", "success")));
}
