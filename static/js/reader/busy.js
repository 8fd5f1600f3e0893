// Buttons that take a while: at work, done (a tick) or failed (a warning), and quiet again after two seconds.

import { find } from "./page.js";

const SHOWN_MS = 2000;
const unfinished = new Set();

function begin(form) {
  form.classList.remove("is-done", "is-failed");
  form.classList.add("is-busy");
  document.body.classList.add("is-waiting");
  if (form.id === "summary-form") find("#summary-box").innerHTML = '<div class="summary-box"><span class="bone"></span><span class="bone"></span><span class="bone half"></span></div>';
  if (form.id === "save-form") {
    unfinished.add(form);
    find("span", form).textContent = "Saved"; // acknowledged at once; a failure takes it back
  }
}

function end(form, hasWorked) {
  form.classList.remove("is-busy");
  form.classList.add(hasWorked ? "is-done" : "is-failed");
  unfinished.delete(form);
  if (!document.querySelector(".is-busy")) document.body.classList.remove("is-waiting");
  if (form.id === "summary-form" && !hasWorked) find("#summary-box").replaceChildren();
  if (form.id === "save-form") {
    find("span", form).textContent = hasWorked ? "Saved" : "Save";
    if (hasWorked) return;
  }
  setTimeout(() => form.classList.remove("is-done", "is-failed"), SHOWN_MS);
}

export function startBusy() {
  document.body.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target.matches(".busy-form")) begin(event.target);
  });
  document.body.addEventListener("htmx:afterRequest", (event) => {
    if (!event.target.matches(".busy-form")) return;
    const answer = event.detail.xhr;
    end(event.target, event.detail.successful && answer.getResponseHeader("HX-Reswap") !== "none");
  });
  window.addEventListener("beforeunload", (event) => {
    if (unfinished.size) event.preventDefault();
  });
}
