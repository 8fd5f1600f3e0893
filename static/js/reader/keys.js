// The keyboard: one table for the list, one for an open post. Keys rest in fields, in open dialogs and with modifiers.

import { currentRow, highlight, linkOf, move, moveToEnd } from "./list.js";
import { isNumbering, numberLinks, stopNumbering, typeDigit } from "./links.js";
import { mark, undo } from "./marks.js";
import { article, find, isCalm } from "./page.js";
import { close, isOpen, open, openNeighbour } from "./pane.js";
import { toast } from "./toasts.js";

const TWICE_MS = 600;
let firstG = 0;

const openTab = (href) => window.open(href, "_blank", "noopener");

// --- actions -----------------------------------------------------------------------------------------------------
function scrollPost(by, smooth) {
  find(".post-scroll")?.scrollBy({ top: by, behavior: smooth && !isCalm() ? "smooth" : "auto" });
}

function scrollTo(isEnd) {
  const scroll = find(".post-scroll");
  scroll?.scrollTo({ top: isEnd ? scroll.scrollHeight : 0 });
}

function searchAddress(url) {
  if (!url) return toast("This post has no address.");
  const server = document.body.dataset.searchServer;
  const base = server ? `https://${server}/search?q=` : "https://twitter.com/search?q=";
  return openTab(base + encodeURIComponent(url));
}

function press(selector, otherwise) {
  if (!article()) return toast("This post is still on its way.");
  const button = find(selector);
  if (button) button.click();
  else toast(otherwise);
  return undefined;
}

function withCurrent(action) {
  const row = currentRow();
  if (row) action(row);
}

function markCurrent(row) {
  mark(row.dataset.id, !row.classList.contains("is-read"));
}

export function startSearch() {
  find("#search-form").classList.add("is-open");
  find("#search").focus();
  find("#search").select();
}

export function showHelp() {
  const help = find("#help");
  if (!help.open) help.showModal();
}

const LIST_KEYS = {
  j: () => move(1),
  k: () => move(-1),
  gg: () => moveToEnd(false),
  G: () => moveToEnd(true),
  Enter: () => withCurrent((row) => open(linkOf(row).href)),
  o: () => withCurrent((row) => open(linkOf(row).href)),
  n: () => withCurrent((row) => open(linkOf(row).href)),
  e: () => withCurrent(markCurrent),
  u: undo,
  t: () => withCurrent((row) => searchAddress(row.dataset.url)),
  Escape: () => {
    if (currentRow()?.contains(document.activeElement)) document.activeElement.blur();
    highlight(null);
  },
};

const POST_KEYS = {
  j: () => scrollPost(200, false),
  k: () => scrollPost(-200, false),
  d: () => scrollPost(500, false),
  " ": () => scrollPost(400, true),
  gg: () => scrollTo(false),
  G: () => scrollTo(true),
  n: () => openNeighbour(1),
  p: () => openNeighbour(-1),
  o: () => article() && (article().dataset.url ? openTab(article().dataset.url) : toast("This post has no address.")),
  a: () => article()?.dataset.archive && openTab(article().dataset.archive),
  t: () => searchAddress(article()?.dataset.url),
  f: () => numberLinks() || toast("There are no links in this post."),
  s: () => press("#save-form button", "Saving needs a service: choose one in the settings."),
  m: () => press("#summary-form button", "This post cannot be summarised."),
  e: () => close(),
  Escape: () => close(),
};

const BOTH_KEYS = { "?": showHelp, "/": startSearch };

// --- which one ---------------------------------------------------------------------------------------------------
const isTyping = (target) => target.closest("input, textarea, select, [contenteditable]") !== null;
const HAS_POPOVERS = CSS.supports("selector(:popover-open)");
const isBusyElsewhere = () => find(`dialog[open]${HAS_POPOVERS ? ", [popover]:popover-open" : ""}`) !== null;

function isPressing(event) {
  // Enter and space belong to what has the focus and can be pressed; the highlighted title is opened by our own key.
  if (event.key === " ") return event.target.closest("button, summary, audio, video") !== null;
  if (event.key !== "Enter") return false;
  const target = event.target.closest("button, summary, a[href]");
  return target !== null && !(target.matches(".row-link") && target.closest(".row") === currentRow());
}

function nameOf(event) {
  if (event.key !== "g") {
    firstG = 0;
    return event.key;
  }
  const isSecond = event.timeStamp - firstG < TWICE_MS;
  firstG = isSecond ? 0 : event.timeStamp;
  return isSecond ? "gg" : "";
}

function closeMenu() {
  const menu = find("details.menu[open]");
  if (!menu) return false;
  menu.open = false;
  find("summary", menu).focus();
  return true;
}

function handle(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.defaultPrevented) return;
  if (isTyping(event.target) || isBusyElsewhere() || isPressing(event)) return;
  if (event.key === "Escape" && closeMenu()) return;
  if (isNumbering()) {
    const isDigit = typeDigit(event.key);
    if (!isDigit) stopNumbering();
    if (isDigit || event.key === "Escape") return;
  }
  const action = { ...BOTH_KEYS, ...(isOpen() ? POST_KEYS : LIST_KEYS) }[nameOf(event)];
  if (!action) return;
  event.preventDefault();
  action();
}

export function startKeys() {
  document.addEventListener("keydown", handle);
  find("#search").addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.target.blur();
    find("#search-form").classList.remove("is-open");
  });
}
