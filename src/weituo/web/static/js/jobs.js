// Looks again at a job while it goes on, and leads on to its result. Without script the page's link does the same.
(() => {
  "use strict";
  const box = document.querySelector("[data-job]");
  if (!box || !box.querySelector("[data-open]")) return;
  const SHORT = 1000;
  const LONG = 5000;
  let shown = "";

  const look = async () => {
    let wait = SHORT;
    try {
      const answer = await fetch(box.dataset.job, { credentials: "same-origin" });
      if (answer.redirected) {
        window.location.reload(); // the session has ended: the page itself leads to the sign-in
        return;
      }
      if (answer.ok) {
        const text = await answer.text();
        // only what changed is put in, so that a screen reader does not say the same again and again
        if (text !== shown) {
          const held = box.contains(document.activeElement);
          box.innerHTML = text;
          shown = text;
          if (held) (box.querySelector("a") || box).focus();
        }
      } else {
        wait = LONG;
      }
    } catch {
      wait = LONG;
    }
    const result = box.querySelector("[data-result]");
    if (result) {
      window.location.assign(result.dataset.result);
    } else if (box.querySelector("[data-open]")) {
      window.setTimeout(look, wait);
    }
  };
  window.setTimeout(look, SHORT);
})();
