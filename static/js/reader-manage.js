// The managing pages: links open in a dialog, buttons say that they work, boxes are ticked together.
// Without this file every link is a page and every form is sent as ever.
"use strict";

(() => {
  const dialog = document.getElementById("dialog");
  const body = document.getElementById("dialog-body");
  let opener = null;

  // --- the dialog -----------------------------------------------------------------------------------------------------
  async function load(address, options) {
    let answer;
    try {
      answer = await fetch(address, { ...options, headers: { "HX-Request": "true" }, credentials: "same-origin" });
    } catch {
      return false;
    }
    const next = answer.headers.get("HX-Redirect");
    if (next) {
      window.location.assign(next);
      return true;
    }
    // Signed out meanwhile, gone, or forbidden: the page itself says so better.
    if (answer.redirected || ![200, 422, 429].includes(answer.status)) return false;
    body.innerHTML = await answer.text();
    if (!dialog.open) dialog.showModal();
    const first =
      body.querySelector("[aria-invalid=true], [role=alert]") ||
      body.querySelector("[autofocus], input[type=radio]:checked") ||
      body.querySelector("#dialog-title");
    if (first && !first.matches("input, select, textarea, button, a")) first.tabIndex = -1;
    if (first) first.focus();
    showFields(body);
    return true;
  }

  function isPlain(event) {
    return event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
  }

  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-dialog]");
    if (link && dialog && dialog.showModal && isPlain(event)) {
      event.preventDefault();
      if (!dialog.open) opener = link;
      if (!(await load(link.href, {}))) window.location.assign(link.href);
      return;
    }
    const closer = event.target.closest("[data-close]");
    if (closer && dialog && dialog.open && dialog.contains(closer) && isPlain(event)) {
      event.preventDefault();
      dialog.close();
    }
  });

  if (dialog) {
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close(); // the space around it
    });
    dialog.addEventListener("close", () => {
      body.replaceChildren();
      if (opener && opener.isConnected) opener.focus();
    });
  }

  // --- forms: sent once, and into the dialog from the dialog -----------------------------------------------------------
  function isBusy(form) {
    return form.getAttribute("aria-busy") === "true";
  }

  function setBusy(form, button) {
    form.setAttribute("aria-busy", "true");
    if (!button || !button.dataset.busy) return;
    button.dataset.label = button.textContent;
    button.textContent = button.dataset.busy;
  }

  function setIdle(form) {
    form.removeAttribute("aria-busy");
    for (const button of form.querySelectorAll("[data-label]")) {
      button.textContent = button.dataset.label;
      delete button.dataset.label;
    }
  }

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented || "signOut" in form.dataset) return;
    if (isBusy(form)) {
      event.preventDefault();
      return;
    }
    const button = event.submitter;
    if (form.hasAttribute("hx-post")) return;
    const data = new FormData(form, button && button.name ? button : null);
    setBusy(form, button);
    if (!dialog || !dialog.contains(form)) {
      window.setTimeout(setIdle, 20000, form); // if somebody stopped the browser, it can be sent again
      return;
    }
    event.preventDefault();
    if (!(await load(form.action, { method: "POST", body: data })) && form.isConnected) {
      setIdle(form);
      say(form, "That did not work. Check the connection, or load the page again.");
    }
  });

  // Coming back by the "back" of the browser shows the page as it was left.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) document.querySelectorAll("form[aria-busy]").forEach(setIdle);
  });

  function say(form, text) {
    let note = form.querySelector(".problem.js");
    if (!note) {
      note = document.createElement("p");
      note.className = "problem js";
      note.setAttribute("role", "alert");
      form.prepend(note);
    }
    note.textContent = text;
  }

  // --- boxes ------------------------------------------------------------------------------------------------------------
  function boxes(name) {
    return [...document.querySelectorAll(`input[type=checkbox][name="${name}"]:not(:disabled)`)];
  }

  function countTicked() {
    for (const label of document.querySelectorAll("[data-count]")) {
      const count = boxes(label.dataset.count).filter((box) => box.checked).length;
      label.textContent = count ? `With the ${count} ticked:` : "With the ticked ones:";
      label.closest("form").classList.toggle("ready", count > 0);
    }
  }

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-all]")) {
      for (const box of boxes(event.target.dataset.all)) box.checked = event.target.checked;
    }
    countTicked();
    showFields(document);
  });
  document.addEventListener("htmx:afterSwap", countTicked);

  // --- fields that go with a choice -------------------------------------------------------------------------------------
  const needs = [
    ["what", "days", (value) => value === "older"],
    ["what", "keep", (value) => value === "newest"],
    ["purge", "purge_after_days", (value) => value === true],
    ["active", "deactivation_reason", (value) => value === false],
  ];

  function valueOf(root, name) {
    const field = root.querySelector(`[data-field="${name}"]`);
    const inputs = field ? [...field.querySelectorAll("input, select")] : [];
    if (!inputs.length) return undefined;
    if (inputs[0].type === "radio") return (inputs.find((input) => input.checked) || {}).value;
    return inputs[0].type === "checkbox" ? inputs[0].checked : inputs[0].value;
  }

  function showFields(root) {
    for (const [chooser, name, fits] of needs) {
      const field = root.querySelector(`[data-field="${name}"]`);
      const value = valueOf(root, chooser);
      if (field && value !== undefined) field.hidden = !fits(value);
    }
  }

  for (const box of document.querySelectorAll("[data-all]")) box.hidden = false;
  for (const button of document.querySelectorAll("[data-nojs]")) button.hidden = Boolean(window.htmx);
  const room = document.querySelector(".rooms [aria-current]");
  if (room) room.parentElement.parentElement.scrollLeft = room.offsetLeft - 60;
  const wrong = document.querySelector("main [aria-invalid=true]");
  if (wrong) wrong.focus();
  showFields(document);
  countTicked();
})();
