// The reading page comes alive. Without this file it works too: links lead to posts, forms mark them.

import { startBusy } from "./busy.js";
import { copyMarkdown } from "./copying.js";
import { showHelp, startKeys, startSearch } from "./keys.js";
import { forgetRows, highlight, linkOf, settle, showEmptiness } from "./list.js";
import { mark, markMany, refresh, startMarks, undo } from "./marks.js";
import { startOffline } from "./offline.js";
import { find, isPanes, list, withParameter } from "./page.js";
import { close, isOpen, open, startPane } from "./pane.js";
import { startToasts, toast } from "./toasts.js";

const isPlainClick = (event) => event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);

// --- presses -----------------------------------------------------------------------------------------------------
document.addEventListener("click", (event) => {
  if (!isPlainClick(event) || event.defaultPrevented) return;
  const found = (selector) => event.target.closest(selector);
  const actions = [
    [".row-link", (link) => open(link.href)],
    ["[data-copy]", (link) => copyMarkdown(link.href)],
    ["[data-help]", showHelp],
    ["[data-search]", startSearch],
    ["[data-dismiss]", dismiss],
  ];
  for (const [selector, run] of actions) {
    const element = found(selector);
    if (!element) continue;
    event.preventDefault();
    run(element);
    return;
  }
  const row = found(".row");
  if (row && !found("a, button") && !String(getSelection())) open(linkOf(row).href);
});

document.addEventListener("click", (event) => {
  const menu = find("details.menu[open]");
  if (menu && !menu.contains(event.target)) menu.open = false;
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  const actions = {
    "undo-form": undo,
    "mark-form": () => pressMark(event.submitter),
    "mark-all-form": () => pressMarkMany(form, event.submitter),
  };
  const run = form.matches("[data-close]") ? () => close() : actions[form.id];
  if (!run) return;
  event.preventDefault();
  run();
});

function pressMark(button) {
  const row = button.closest(".row");
  mark(button.value, !row.classList.contains("is-read"));
}

function pressMarkMany(form, button) {
  form.closest("details").open = false;
  markMany(form, button);
}

// --- parts that come later ---------------------------------------------------------------------------------------
document.body.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id === "list") showFound();
});
document.body.addEventListener("htmx:afterSettle", () => settle());
document.body.addEventListener("htmx:sendError", () => toast("The server could not be reached.", "warning"));
document.body.addEventListener("htmx:timeout", () => toast("The server took too long to answer.", "warning"));
document.body.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status === 403) location.reload();
  else toast("The server could not do that.", "warning");
});
document.body.addEventListener("htmx:beforeSwap", (event) => {
  // A page of its own instead of a part of this one: we are signed out.
  if (event.detail.xhr.status < 400 && !event.detail.xhr.getResponseHeader("X-Reader-Key")) {
    event.detail.shouldSwap = false;
    location.reload();
  }
});
document.addEventListener("reader:rows", () => {
  forgetRows();
  showEmptiness();
});

/** The list of a search has come: keep its address, so that a reload shows the same. */
function showFound() {
  history.replaceState(history.state, "", list().dataset.here);
  for (const field of document.querySelectorAll("[name=next]")) field.value = list().dataset.here;
  const words = find("#search").value.trim();
  find("#search-form").classList.toggle("has-words", words !== "");
  find("#mark-all-form [name=q]").value = words;
  find("#menu-words").hidden = words === "";
  find("#menu-words b").textContent = words;
  forgetRows();
  highlight(null);
}

// --- the banner --------------------------------------------------------------------------------------------------
const DISMISSED = "reader-alert";

function startBanner() {
  const banner = find("#alert");
  if (!banner) return;
  find("[data-dismiss]", banner).hidden = false;
  banner.hidden = sessionStorage.getItem(DISMISSED) === banner.dataset.text;
}

function dismiss(button) {
  const banner = button.closest(".notice");
  sessionStorage.setItem(DISMISSED, banner.dataset.text);
  banner.hidden = true;
  list().focus({ preventScroll: true });
}

// A page that was out of sight for a while shows what has become of the list meanwhile.
const LONG_MS = 15 * 60 * 1000;
let hiddenSince = null;

async function catchUp() {
  if (isOpen() || !navigator.onLine) return;
  await refresh().catch(() => null); // the list as it was is better than none
}

window.addEventListener("pageshow", (event) => event.persisted && catchUp());
document.addEventListener("visibilitychange", () => {
  if (document.hidden) hiddenSince = Date.now();
  else if (hiddenSince && Date.now() - hiddenSince > LONG_MS) catchUp();
});

if (new URL(location.href).searchParams.has("undo")) history.replaceState(null, "", withParameter(location.href, "undo", null));
settle();
if (isPanes()) find("#shelf [aria-current]")?.scrollIntoView({ block: "nearest" });
startToasts();
startBanner();
startBusy();
startMarks();
startPane();
startKeys();
startOffline();
document.documentElement.classList.add("is-ready");
