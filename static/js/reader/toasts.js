// Sentences that come up for a moment and are read out by screen readers.

import { find, findAll } from "./page.js";

const SECONDS = 6;

/** level: info, success or warning. action: {words, run} becomes a button. */
export function toast(words, level = "info", action = null) {
  const place = find("#toasts");
  const line = document.createElement("p");
  line.className = `toast ${level}`;
  line.textContent = words;
  if (action) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "link";
    button.textContent = action.words;
    button.addEventListener("click", () => {
      line.remove();
      action.run();
    });
    line.append(" ", button);
  }
  place.append(line);
  while (place.children.length > 3) place.firstElementChild.remove();
  fade(line);
}

/** What a toast offered to do is not on offer any more. */
export function withdrawOffers() {
  for (const button of findAll("#toasts .toast button")) button.closest(".toast").remove();
}

function fade(line) {
  let timer = setTimeout(() => line.remove(), SECONDS * 1000);
  line.addEventListener("mouseenter", () => clearTimeout(timer));
  line.addEventListener("mouseleave", () => (timer = setTimeout(() => line.remove(), SECONDS * 500)));
}

export function startToasts() {
  findAll("#toasts .toast").forEach(fade);
  document.body.addEventListener("reader:toast", (event) => toast(event.detail.text, event.detail.level));
}
