// Keys: / search, g then a letter to go, j and k in lists, Enter to open, ? to show the keys.
(() => {
  "use strict";
  const keys = document.getElementById("keys-dialog");
  const WAIT_MS = 1200;
  let going = 0;

  const typing = (node) => node.closest("input, textarea, select, [contenteditable], dialog");
  const rows = () => [...document.querySelectorAll("#content tbody tr")].filter((row) => row.querySelector("a[href]") && row.offsetParent);

  const step = (by) => {
    const all = rows();
    if (!all.length) return;
    const at = all.findIndex((row) => row.contains(document.activeElement));
    const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1)];
    next.querySelector("a[href]").focus();
    next.scrollIntoView({ block: "nearest" });
  };

  const show = () => keys && keys.showModal();

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (going && Date.now() - going < WAIT_MS) {
      going = 0;
      const entry = document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
      if (entry) {
        event.preventDefault();
        entry.click();
      }
      return;
    }
    if (event.key === "g") going = Date.now();
    else if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
    else if (event.key === "?") show();
    else if (event.key === "/") {
      const field = document.querySelector("#content input[type=search], #content form[method=get] input:not([type=hidden]), #content form[method=get] select");
      if (field) {
        event.preventDefault();
        field.focus();
      }
    }
  });

  for (const button of document.querySelectorAll("[data-keys]")) {
    button.hidden = false;
    button.addEventListener("click", show);
  }

  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }

  // the menu is open beside the page on wide screens, folded above it on narrow ones
  const menu = document.querySelector("[data-menu]");
  const wide = window.matchMedia("(min-width: 62rem)");
  const fold = () => {
    if (menu) menu.open = wide.matches;
  };
  fold();
  wide.addEventListener("change", fold);
  document.addEventListener("click", (event) => {
    for (const open of document.querySelectorAll("details.person[open]")) {
      if (!open.contains(event.target)) open.open = false;
    }
  });
})();
