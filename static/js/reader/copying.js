// A post as Markdown on the clipboard, or in a field to copy it from.

import { ask, find } from "./page.js";
import { toast } from "./toasts.js";

export async function copyMarkdown(href) {
  let text = "";
  try {
    text = await (await ask(href)).text();
  } catch {
    return toast("The server could not be reached.", "warning");
  }
  try {
    await navigator.clipboard.writeText(text);
    return toast("Copied as Markdown.", "success");
  } catch {
    return offer(text); // no permission, or no secure connection
  }
}

function offer(text) {
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-label", "The post as Markdown");
  const field = document.createElement("textarea");
  field.rows = 14;
  field.readOnly = true;
  field.value = text;
  field.setAttribute("aria-label", "The post as Markdown");
  const button = document.createElement("button");
  button.className = "button";
  button.textContent = "Close";
  button.addEventListener("click", () => dialog.close());
  dialog.append(field, button);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  field.select();
  if (document.execCommand("copy")) {
    dialog.close();
    toast("Copied as Markdown.", "success");
  } else toast("Press Ctrl+C or ⌘C to copy.");
  find("#post-title")?.focus({ preventScroll: true });
}
