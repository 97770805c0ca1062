// Says in words that work goes on when an answer takes longer than a blink, and sends a form once only.
(() => {
  "use strict";
  const WAIT_MS = 300;
  const words = document.querySelector("[data-working]");
  const sent = new Set();

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (sent.has(form)) {
      event.preventDefault();
      return;
    }
    sent.add(form);
    form.setAttribute("aria-busy", "true");
    if (words) setTimeout(() => { words.hidden = !sent.size; }, WAIT_MS);
  });

  // the back button may bring this very page again
  window.addEventListener("pageshow", () => {
    for (const form of sent) form.removeAttribute("aria-busy");
    sent.clear();
    if (words) words.hidden = true;
  });
})();
