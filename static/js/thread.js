// Counts the characters of a toot while it is written, as servers count: a link has a fixed length, a family is one.
"use strict";

document.addEventListener("input", (event) => {
  const box = event.target;
  if (!(box instanceof HTMLTextAreaElement) || !box.dataset.limit) return;
  const limit = Number(box.dataset.limit);
  const text = box.value.trim()
    .replace(/https?:\/\/[^\s<>"]+/g, "x".repeat(Number(box.dataset.perUrl)))
    .replace(/(^|[^\w/=])@(\w+)@[\w.-]+\w/g, "$1@$2");
  const used = "Segmenter" in Intl ? [...new Intl.Segmenter().segment(text)].length : [...text].length;
  const output = box.form.querySelector("output");
  output.textContent = `${used} of ${limit} characters`;
  output.classList.toggle("ms-too-many", used > limit);
});
