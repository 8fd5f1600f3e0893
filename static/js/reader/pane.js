// One post: opened at its own address, closed and thereby read, with the place in the list kept.

import { highlight, linkOf, neighbour, rowOf, rows } from "./list.js";
import { mark } from "./marks.js";
import { SignedOut, article, ask, find, findAll, home, isPanes, list, withParameter } from "./page.js";
import { decorateQuotes } from "./quotes.js";

const pane = find("#pane");
const hint = find(".pane-hint")?.cloneNode(true) ?? makeHint();
const baseTitle = article() ? "Reader · Mastoscore" : document.title;

let wasPushed = false; // whether the list stands before this post in the browser's history
let asking = null;
let leaving = null; // while the browser goes back to the list
let hasFailed = false;
let openHref = article() ? location.pathname : "";

export const isOpen = () => document.body.classList.contains("has-post");

function makeHint() {
  const line = document.createElement("p");
  line.className = "pane-hint";
  line.textContent = "Choose a post to read it here.";
  return line;
}

const pathOf = (href) => new URL(href, location.href).pathname;

// --- opening -----------------------------------------------------------------------------------------------------
export async function open(href, { push = true } = {}) {
  await leaving;
  if (isOpen() && pathOf(href) === openHref) return;
  const row = rowOf(pathOf(href).split("/").at(-1));
  if (isOpen()) markOpen();
  if (push) remember(href);
  openHref = pathOf(href);
  hasFailed = false;
  if (row) highlight(row, { focus: false });
  showSkeleton(row);
  asking?.abort();
  asking = new AbortController();
  try {
    const answer = await ask(withParameter(href, "part", "post"), { signal: asking.signal });
    pane.innerHTML = await answer.text();
    settle();
  } catch (error) {
    if (error.name !== "AbortError") showTrouble(error, href, row);
  }
}

function remember(href) {
  if (isOpen()) history.replaceState({ reader: "post" }, "", href);
  else {
    history.pushState({ reader: "post" }, "", href);
    wasPushed = true;
  }
}

function showSkeleton(row) {
  pane.replaceChildren(find("#post-skeleton").content.cloneNode(true));
  if (row) {
    const title = document.createElement("h1");
    title.textContent = linkOf(row).textContent;
    find(".post-scroll", pane).prepend(title);
  }
  document.body.classList.add("has-post");
}

/** A post stands in the pane: make its parts alive. */
export function settle() {
  window.htmx.process(pane);
  decorateQuotes(article());
  for (const wide of findAll(".prose :is(pre, table)", pane)) {
    if (wide.scrollWidth > wide.clientWidth) wide.tabIndex = 0; // scrolls by keyboard too
  }
  const title = find("#post-title", pane);
  title.tabIndex = -1;
  title.focus({ preventScroll: true });
  document.title = `${article().dataset.title} · Mastoscore`;
  prefetch();
}

/** The next post, so that it opens at once; and it can be read offline. */
function prefetch() {
  const row = rows().find((other) => other.dataset.id !== article().dataset.id && !other.classList.contains("is-read"));
  const next = rowOf(article().dataset.id) ? neighbour(1) : row;
  if (!next || navigator.connection?.saveData) return;
  const loaded = ask(withParameter(linkOf(next).href, "part", "post"));
  loaded.then((answer) => answer.text()).catch(() => null); // it is asked for again when it is opened
}

function showTrouble(error, href, row) {
  if (error instanceof SignedOut) return location.reload();
  hasFailed = true;
  const box = document.createElement("div");
  box.className = "post-trouble";
  const why = navigator.onLine ? "This post could not be loaded." : "This post was not loaded before, and you are offline.";
  box.append(makeText("p", why));
  const again = makeText("button", "Try again");
  again.className = "button";
  again.addEventListener("click", () => {
    openHref = "";
    open(href, { push: false });
  });
  box.append(again);
  if (row?.dataset.url) {
    const original = makeText("a", "Read the original");
    original.className = "button quiet";
    Object.assign(original, { href: row.dataset.url, target: "_blank", rel: "noopener noreferrer" });
    box.append(" ", original);
  }
  const back = makeText("button", "Close");
  back.className = "button quiet";
  back.addEventListener("click", () => close({ read: false }));
  box.append(" ", back);
  pane.replaceChildren(box);
  again.focus();
  return undefined;
}

function makeText(name, words) {
  const element = document.createElement(name);
  element.textContent = words;
  return element;
}

// --- closing -----------------------------------------------------------------------------------------------------
const openId = () => openHref.split("/").at(-1);

function markOpen() {
  const shown = article();
  const row = rowOf(openId());
  const isRead = shown ? shown.dataset.read === "1" : !row || row.classList.contains("is-read");
  if (!isRead && !hasFailed) mark(openId(), true);
}

export function close({ read = true, moveHistory = true } = {}) {
  if (!isOpen()) return;
  const id = openId();
  const next = rowOf(id) && !isPanes() ? neighbourOf(id) : null;
  asking?.abort();
  document.body.classList.remove("has-post");
  if (read) markOpen();
  pane.replaceChildren(hint);
  document.title = baseTitle;
  openHref = "";
  returnFocus(rowOf(id) || next);
  if (moveHistory) leaveAddress();
  wasPushed = false;
}

function neighbourOf(id) {
  const all = rows();
  const at = all.indexOf(rowOf(id));
  return all[at + 1] || all[at - 1] || null;
}

function returnFocus(row) {
  if (row?.isConnected) highlight(row);
  else list().focus({ preventScroll: true });
}

function leaveAddress() {
  if (wasPushed) {
    leaving = new Promise((resolve) => window.addEventListener("popstate", resolve, { once: true }));
    leaving.then(() => (leaving = null));
    history.back();
  } else history.replaceState(null, "", list().dataset.here || home);
}

/** The next or previous post of the list. */
export function openNeighbour(step) {
  const all = rows();
  const at = all.indexOf(rowOf(openId()));
  const row = at < 0 ? all[0] : all[at + step];
  if (row) open(linkOf(row).href);
}

export function startPane() {
  if (article()) {
    const row = rowOf(article().dataset.id);
    if (row) highlight(row, { focus: false });
    settle();
  }
  window.addEventListener("popstate", () => {
    if (leaving) return; // closed already
    const isPost = location.pathname.startsWith(`${home}posts/`);
    if (isPost) open(location.href, { push: false });
    else close({ moveHistory: false });
  });
  // The page of the list stood in the cache of the service worker, in place of this post's own.
  if (!article() && location.pathname.startsWith(`${home}posts/`)) open(location.href, { push: false });
}
