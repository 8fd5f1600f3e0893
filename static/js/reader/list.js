// The list of posts: which row is highlighted, which are read, and the next part when the end comes near.

import { changeCounts } from "./counts.js";
import { article, find, findAll, isCalm, isPanes, list } from "./page.js";

const NEAR_END = 12;

const gone = new Map(); // rows taken out of the list, by the number of their post
let counter = 0;
let current = null;
let watcher = null;

export const rows = () => findAll("#rows > .row");
export const rowOf = (id) => find(`#row-${CSS.escape(id)}`);
export const linkOf = (row) => find(".row-link", row);
export const currentRow = () => (current && current.isConnected ? current : null);

// --- highlight ---------------------------------------------------------------------------------------------------
export function highlight(row, { focus = true } = {}) {
  if (current) {
    current.classList.remove("is-current");
    current.removeAttribute("aria-current");
  }
  current = row;
  if (!row) return;
  row.classList.add("is-current");
  row.setAttribute("aria-current", "true");
  if (focus) linkOf(row).focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest", behavior: isCalm() ? "auto" : "smooth" });
}

/** The row so many places on; the first one when none is highlighted. */
export function neighbour(step) {
  const all = rows();
  if (!currentRow()) return all[0] || null;
  return all[all.indexOf(current) + step] || null;
}

export function move(step) {
  const row = neighbour(step);
  if (row) highlight(row);
  if (!row || rows().indexOf(row) > rows().length - NEAR_END) loadMore();
}

export function moveToEnd(isLast) {
  const all = rows();
  const row = isLast ? all.at(-1) : all[0];
  if (row) highlight(row);
  if (isLast) loadMore();
}

// --- read and unread ---------------------------------------------------------------------------------------------
function showState(row, isRead) {
  row.classList.toggle("is-read", isRead);
  const button = find(".row-mark", row);
  const words = isRead ? "Mark unread" : "Mark read";
  button.title = words;
  find("span", button).textContent = words;
}

function takeOut(row) {
  const next = row.nextElementSibling?.matches(".row") ? row.nextElementSibling : row.previousElementSibling;
  const hadFocus = row.contains(document.activeElement);
  gone.set(row.dataset.id, row);
  row.remove();
  if (row !== current) return;
  current = null;
  row.classList.remove("is-current");
  row.removeAttribute("aria-current");
  if (next?.matches(".row")) highlight(next, { focus: hadFocus });
}

function putBack(row) {
  const after = rows().find((other) => other.order > row.order) || find("#rows > .more");
  find("#rows").insertBefore(row, after);
  gone.delete(row.dataset.id);
}

/** Show the post as read or unread, whatever it was; the source is needed when the post is not in the list. */
export function showMark(id, isRead, sourceId = "") {
  const row = rowOf(id) || gone.get(id);
  const shown = article();
  const isOpen = shown && shown.dataset.id === id;
  let wasRead = !isRead; // of posts that are not on the page nothing else is known
  if (row) wasRead = row.classList.contains("is-read");
  else if (isOpen) wasRead = shown.dataset.read === "1";
  if (isOpen) shown.dataset.read = isRead ? "1" : "0";
  if (wasRead === isRead) return;
  changeCounts(row ? row.dataset.source : sourceId, isRead ? -1 : 1);
  if (!row) return;
  showState(row, isRead);
  if (isRead && list().dataset.show === "unread" && !isPanes()) takeOut(row);
  else if (!isRead && !row.isConnected) putBack(row);
  showEmptiness();
}

export function showEmptiness() {
  const count = rows().length;
  const more = find("#rows > .more");
  find("#empty").hidden = count > 0 || more !== null;
  if (count < NEAR_END) loadMore();
}

// --- the next part -----------------------------------------------------------------------------------------------
export function loadMore() {
  const more = find("#rows > .more");
  if (more) window.htmx.trigger(more, "more");
}

/** Rows have come: number them, and watch for one near the end coming into sight. */
export function settle() {
  const all = rows();
  for (const row of all) {
    row.order ??= counter++;
    // A post that came a second time, because marks moved the list.
    if (gone.has(row.dataset.id)) row.remove();
  }
  watcher ??= new IntersectionObserver((seen) => seen.some((entry) => entry.isIntersecting) && loadMore());
  watcher.disconnect();
  const near = all.at(-NEAR_END);
  if (near && find("#rows > .more")) watcher.observe(near);
}

/** Another list stands there now. */
export function forgetRows() {
  gone.clear();
  current = null;
  settle();
}
